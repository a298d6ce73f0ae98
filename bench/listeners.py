"""Those who are told, on loopback: a chat's webhook, a mail server, an OpenTelemetry collector."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.postgres import HOST, free_port


@contextmanager
def chat() -> Iterator[tuple[int, list[str]]]:
    """A chat's webhook: its port, and the texts that arrive."""
    texts: list[str] = []
    with _posts(lambda body: texts.append(json.loads(body)["text"])) as port:
        yield port, texts


@contextmanager
def collector() -> Iterator[tuple[int, dict[str, float]]]:
    """An OTLP receiver over HTTP: its port, and the last value of each gauge that arrived, by name."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    arrived: dict[str, float] = {}

    def take(body: bytes) -> None:
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                for point in metric.gauge.data_points:
                    arrived[metric.name] = point.as_double if point.HasField("as_double") else float(point.as_int)

    with _posts(take) as port:
        yield port, arrived


@contextmanager
def mailbox() -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """A mail server: its port, and subject and text of each mail that arrives."""
    from aiosmtpd.controller import Controller

    mails: list[tuple[str, str]] = []

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802
            mail = message_from_bytes(envelope.content, policy=policy.default)
            body = mail.get_body(("plain", "html"))
            mails.append((str(mail["Subject"]), body.get_content() if body else ""))
            return "250 OK"

    port = free_port()  # the controller knocks on its own door, and cannot do so on port 0
    server = Controller(Handler(), hostname=HOST, port=port)
    server.start()
    try:
        yield port, mails
    finally:
        server.stop()


@contextmanager
def _posts(take: Callable[[bytes], None]) -> Iterator[int]:
    """A server that hands the body of each POST to ``take``; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
