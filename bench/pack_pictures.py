"""Proof by browser: the report of a pack as a supporter opens it, offline, on a phone, a screen and paper."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.pictures import browser
from bench.pictures import driver as open_browser

PHONE, SCREEN = 360, 1200


@dataclass(frozen=True)
class View:
    """One way to look at the page: width in CSS pixels, colour scheme, pixels of the picture per CSS pixel."""

    name: str
    width: int
    scheme: str = "light"
    scale: float = 1.5


VIEWS = (View("phone", PHONE), View("phone_dark", PHONE, "dark"), View("screen", SCREEN, scale=1))


def take(report: Path, folder: Path, *, tallest: int = 1500) -> dict[str, str]:
    """Open ``report`` from disk, picture it in ``folder`` and print it to paper; returns what went wrong, by view.

    Wrong is: wider than the window, something loaded, refused or logged, or no print. Raises RuntimeError
    when no browser is there.
    """
    found = browser()
    if found is None:
        raise RuntimeError("there is no chromium with a chromedriver")
    folder.mkdir(parents=True, exist_ok=True)
    wrong: dict[str, str] = {}
    with open_browser(*found) as driver:
        for view in VIEWS:
            _look(driver, view)
            driver.get(report.resolve().as_uri())
            if problem := _problem(driver, view):
                wrong[view.name] = problem
            picture = folder / f"report_{view.name}.png"
            picture.write_bytes(_picture(driver, view, tallest))
        printed = driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False, "preferCSSPageSize": True})
        if not base64.b64decode(printed["data"]).startswith(b"%PDF-"):
            wrong["print"] = "it cannot be printed"
    return wrong


def _look(driver: Any, view: View) -> None:
    """Set the window as the device has it."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": view.width, "height": 800, "deviceScaleFactor": view.scale, "mobile": view.width < 600},
    )
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": view.scheme}]}
    )


def _problem(driver: Any, view: View) -> str:
    width = driver.execute_script("return document.scrollingElement.scrollWidth")
    if width > view.width:
        return f"the page is {width} pixels wide in a window of {view.width}"
    loaded = driver.execute_script("return performance.getEntriesByType('resource').length")
    if loaded:
        return f"the page asked for {loaded} other file(s)"
    said = [entry["message"] for entry in driver.get_log("browser")]
    return f"the browser said: {said[0]}" if said else ""


def _picture(driver: Any, view: View, tallest: int) -> bytes:
    height = min(driver.execute_script("return document.scrollingElement.scrollHeight"), tallest)
    clip = {"x": 0, "y": 0, "width": view.width, "height": height, "scale": 1}
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
    return base64.b64decode(shot["data"])
