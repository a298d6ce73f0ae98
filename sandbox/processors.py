"""Every made-up processor and recipient in one: takes erasure instructions on this machine and answers that it is done.

python -m sandbox.processors PORT

In the sandbox nobody may be written to who exists: every party of ``include/registry/downstream.yaml`` has its address
here, also those that are reached by mail. ``GET /`` tells how many instructions each was sent.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import yaml

from sandbox.postgres import HOST, PortTaken, port_is_free
from sandbox.processes import Processes
from sandbox.state import PROJECT

PROCESS = "processors"
_BY_MAIL = ("email", "identifiers", "encrypt_to")


class ProcessorsError(RuntimeError):
    """The receiver does not come up. The message says what to do."""


def registry(var: Path) -> Path:
    """Where the registry with addresses on this machine stands."""
    return var / "downstream.yaml"


def write_registry(var: Path, port: int) -> None:
    """Copy the registry of parties, each with an address on ``port``."""
    source = PROJECT / "include" / "registry" / "downstream.yaml"
    raw: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(source.read_text(encoding="utf-8"))
    for name, party in raw["parties"].items():
        for field in _BY_MAIL:
            party.pop(field, None)
        party["webhook"] = f"http://{HOST}:{port}/{urllib.parse.quote(name, safe='')}"
    registry(var).write_text(yaml.safe_dump(raw, sort_keys=True), encoding="utf-8")


def start(processes: Processes, port: int, environ: Mapping[str, str], *, seconds: float = 30) -> None:
    """Start the receiver and wait until it answers. Does nothing when it runs. Raises PortTaken, ProcessorsError."""
    processes.start(PROCESS, [sys.executable, "-m", "sandbox.processors", str(port)], environ=environ)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if received(port) is not None and processes.listens(PROCESS, port):
            return
        if not processes.is_running(PROCESS):
            if not port_is_free(port):
                raise PortTaken(f"port {port} is in use by another program")
            break
        time.sleep(0.05)
    raise ProcessorsError(
        f"the processors' endpoint does not answer on port {port}; its log is {processes.log(PROCESS)}. "
        "What to do: `make down`, then `make up`"
    )


def received(port: int) -> dict[str, int] | None:
    """How many instructions each party was sent; None when nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{HOST}:{port}/", timeout=5) as answer:
            return dict(json.load(answer))
    except (urllib.error.URLError, OSError, ValueError):
        return None


class _Handler(BaseHTTPRequestHandler):
    """Answers as docs/downstream.md says. Keeps a count, and nothing of what it was sent."""

    protocol_version = "HTTP/1.1"
    count: ClassVar[Counter[str]] = Counter()
    lock: ClassVar[threading.Lock] = threading.Lock()

    def do_GET(self) -> None:
        with self.lock:
            self._answer(200, dict(sorted(self.count.items())))

    def do_POST(self) -> None:
        try:
            message = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            instruction = str(message["instruction"])
        except (ValueError, KeyError, TypeError):
            self._answer(400, {"error": "not an instruction"})
            return
        with self.lock:
            self.count[urllib.parse.unquote(self.path.strip("/"))] += 1
        self._answer(
            200,
            {
                "format": 1,
                "instruction": instruction,
                "status": "done",
                "reference": f"REF-{instruction[:8]}",
                "erased": 1,
            },
        )

    def _answer(self, code: int, body: object) -> None:
        raw = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Nothing is logged: instructions name people."""


def main() -> None:
    """Serve until ended."""
    server = ThreadingHTTPServer((HOST, int(sys.argv[1])), _Handler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
