"""An HTTP server in this process that gives the pages it is told to, and misbehaves as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request: its path, its query, its headers in lower case."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """An answer. A body that is no bytes is sent as JSON; with `cut` the connection breaks within the body."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False

    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Api:
    """What was asked, and what is answered. `answer` may be changed at any time."""

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        self.answer, self.asked, self.url = answer, list[Asked](), ""

    def paths(self) -> list[str]:
        """Path and query of each request, in order."""
        return [a.path + "".join(f" {k}={v}" for k, v in sorted(a.query.items())) for a in self.asked]


@contextmanager
def http_api(answer: Callable[[Asked], Reply]) -> Iterator[Api]:
    """Serve on a free port of the loopback until the block ends."""
    api = Api(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            asked = Asked(parts.path, query, {name.lower(): value for name, value in self.headers.items()})
            api.asked.append(asked)
            reply = api.answer(asked)
            body = reply.bytes()
            self.send_response_only(reply.status)
            for name, value in ({"Content-Length": str(len(body))} | reply.headers).items():
                self.send_header(name, value)
            with suppress(ConnectionError):  # who asked may be gone
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if reply.cut else body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}/v1/events"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
