"""The embedded S3 endpoint: moto's server as a process of its own. It keeps everything in memory.

python -m sandbox.objects PORT
"""

from __future__ import annotations

import io
import logging
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping

from privacy_ops.settings import ObjectSettings

from sandbox.postgres import HOST, PortTaken, port_is_free
from sandbox.processes import Processes

PROCESS = "objects"
REGION = "eu-west-2"


class ObjectsError(RuntimeError):
    """The endpoint does not come up. The message says what to do."""


def settings(port: int, secret: str) -> ObjectSettings:
    """How boto3 reaches the endpoint on ``port``. moto checks no signature; the keys are for form."""
    return ObjectSettings(f"http://{HOST}:{port}", "imp-sandbox", secret, REGION)


def start(processes: Processes, port: int, environ: Mapping[str, str], *, seconds: float = 60) -> None:
    """Start the endpoint and wait until it answers. Does nothing when it runs. Raises PortTaken, ObjectsError."""
    processes.start(PROCESS, [sys.executable, "-m", "sandbox.objects", str(port)], environ=environ)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/moto-api/", timeout=5):
                if processes.listens(PROCESS, port):
                    return
        except (urllib.error.URLError, OSError):
            pass
        if not processes.is_running(PROCESS):
            if not port_is_free(port):
                raise PortTaken(f"port {port} is in use by another program")
            break
        time.sleep(0.1)
    raise ObjectsError(
        f"the S3 endpoint does not answer on port {port}; its log is {processes.log(PROCESS)}. "
        "What to do: `make down`, then `make up`"
    )


def list_without_copying_bodies() -> None:
    """Keep moto's version listing from copying every object of the bucket.

    Each copy of a key carries its body, and the class remembers every copy: a thousand listings of a bucket of a
    thousand objects cost gigabytes and minutes. A listing needs the facts of a key only.
    """
    from moto.s3.models import FakeKey

    def facts_only(key: FakeKey, _memo: object) -> FakeKey:
        _ = key.etag, key.size  # computed from the body, once
        listed: FakeKey = object.__new__(FakeKey)  # FakeKey.__new__ would keep it for ever
        own = {"_value_buffer": io.BytesIO(), "lock": threading.Lock(), "multipart": None, "disposed": True}
        listed.__dict__ = key.__dict__ | own
        return listed

    FakeKey.__deepcopy__ = facts_only  # type: ignore[attr-defined]


def remember_the_services() -> None:
    """Keep moto's server from reading the folder of its services, some two hundred entries, at every request."""
    from moto import backends

    services = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: services


def serve_at_less_cost() -> None:
    """Have moto's server, in this process, do per request only what the request needs."""
    list_without_copying_bodies()
    remember_the_services()


def main() -> None:
    """Serve until ended."""
    from moto import server

    serve_at_less_cost()

    # Its request log would name every key, and keys name people.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.main(["-H", HOST, "-p", sys.argv[1]])


if __name__ == "__main__":
    main()
