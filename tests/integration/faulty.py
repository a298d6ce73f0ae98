"""An S3 endpoint that fails on purpose: it passes requests on to a real one and spoils some of them.

Faults are decided request by request: refused with 503, carried out but never answered, answered too late, or a
``delete_objects`` of which half is carried out and the rest is reported as an error.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Fault = Literal["unavailable", "unanswered", "late", "partial"]
UNAVAILABLE = b"<Error><Code>SlowDown</Code><Message>made up</Message></Error>"
LATE_SECONDS = 1.0
_OBJECT = re.compile(rb"<Object>.*?</Object>", re.DOTALL)
_KEY = re.compile(rb"<Key>.*?</Key>", re.DOTALL)
_OF_ONE_HOP = frozenset({"connection", "content-length", "date", "expect", "host", "server", "transfer-encoding"})


@dataclass(frozen=True)
class Asked:
    """One request, as far as a fault is decided by it."""

    method: str
    path: str  # with its query

    @property
    def deletes(self) -> bool:
        return self.method == "POST" and "delete" in self.path.partition("?")[2].split("&")


@dataclass
class FaultyStore:
    """``spoil`` says for each request which fault it meets, or None. ``met`` collects those that were met."""

    address: str
    spoil: Callable[[Asked], Fault | None] = lambda _asked: None
    met: list[Fault] = field(default_factory=list)

    def in_turn(self, faults: Sequence[Fault], *, when: Callable[[Asked], bool]) -> None:
        """Requests of a kind meet these faults one after the other; what comes later is passed on."""
        lock, left = threading.Lock(), iter(faults)

        def spoil(asked: Asked) -> Fault | None:
            with lock:
                return next(left, None) if when(asked) else None

        self.spoil = spoil

    def always(self, fault: Fault, *, when: Callable[[Asked], bool]) -> None:
        """Every request of a kind meets this fault."""
        self.spoil = lambda asked: fault if when(asked) else None


@contextmanager
def in_front_of(address: str) -> Iterator[FaultyStore]:
    """Listens on a port of its own while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = store.spoil(Asked(self.command, self.path))
            if fault:
                store.met.append(fault)
            if fault == "unavailable":
                return self.answer(503, {"Content-Type": "application/xml"}, UNAVAILABLE)
            refused: list[bytes] = []
            if fault == "partial":
                body, refused = _half(body)
            if fault == "late":
                time.sleep(LATE_SECONDS)
            status, headers, answer = self.pass_on(body)
            if fault == "unanswered":
                self.close_connection = True
                return None
            if refused:
                answer = _with_errors(answer, refused)
            return self.answer(status, headers, answer)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815 (http.server asks for these names)

        def pass_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            host, _, port = address.removeprefix("http://").partition(":")
            onward = HTTPConnection(host, int(port), timeout=30)
            try:
                onward.request(self.command, self.path, body, _kept(self.headers.items()))
                got = onward.getresponse()
                return got.status, dict(got.getheaders()), got.read()
            finally:
                onward.close()

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in _kept(headers.items()).items():
                self.send_header(name, value)
            of_body = str(len(body))
            self.send_header(
                "Content-Length", headers.get("Content-Length", of_body) if self.command == "HEAD" else of_body
            )
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keys may name a person: nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    store = FaultyStore(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _kept(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _OF_ONE_HOP}


def _half(body: bytes) -> tuple[bytes, list[bytes]]:
    """A ``delete_objects`` request with its first half only, and the objects of the other half."""
    every = _OBJECT.findall(body)
    refused = every[(len(every) + 1) // 2 :]
    for one in refused:
        body = body.replace(one, b"", 1)
    return body, refused


def _with_errors(answer: bytes, refused: list[bytes]) -> bytes:
    errors = b"".join(
        b"<Error>" + b"".join(_KEY.findall(one)) + b"<Code>InternalError</Code><Message>made up</Message></Error>"
        for one in refused
    )
    end = b"</DeleteResult>"
    if end in answer:
        return answer.replace(end, errors + end)
    return b'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' + errors + end
