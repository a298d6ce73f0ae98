"""A processor's endpoint on this machine, which behaves as it is told: well, badly, or not at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Request"], tuple[int, dict[str, str], bytes]]


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)


def answers(status: str = "done", code: int = 200, headers: dict[str, str] | None = None, **more: Any) -> Behaviour:
    """A well-formed answer to whatever was asked."""

    def behave(request: Request) -> tuple[int, dict[str, str], bytes]:
        said: dict[str, Any] = {"format": 1, "instruction": request.body["instruction"], "status": status}
        if status == "done":
            said |= {"reference": "REF-1", "erased": 1}
        return code, headers or {}, json.dumps(said | more).encode()

    return behave


def says(code: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Exactly this."""
    return lambda _request: (code, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def hangs(seconds: float) -> Behaviour:
    """Takes longer than anybody waits."""

    def behave(request: Request) -> tuple[int, dict[str, str], bytes]:
        time.sleep(seconds)
        return answers()(request)

    return behave


@dataclass
class Endpoint:
    """``script``: behaviours in order; the last one stays. ``requests``: what came."""

    url: str = ""
    script: list[Behaviour] = field(default_factory=lambda: [answers()])
    requests: list[Request] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, request: Request) -> Behaviour:
        with self.lock:
            self.requests.append(request)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@contextmanager
def processor() -> Iterator[Endpoint]:
    """A running endpoint."""
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self.path, dict(self.headers.items()), raw)
            code, headers, body = endpoint.next(request)(request)
            try:
                self.send_response(code)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # whoever asked has gone

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/erasure"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
