"""Fixtures that several integration tests share."""

from tests.integration.press_fixtures import press, press_template, town

__all__ = ["press", "press_template", "town"]
