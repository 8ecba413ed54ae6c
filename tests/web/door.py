"""A proxy before a gateway, which can say that nobody is behind it. It lets no stream through."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.web.cinema import serving

OWN = ("connection", "content-encoding", "content-length", "date", "server", "transfer-encoding")


class Door:
    """`shut`: whether it answers 502; `former`: whether a gateway of another release has the files,
    under whatever version they are asked for."""

    def __init__(self, behind: str) -> None:
        self.shut = False
        self.former = False
        self.behind = httpx.Client(base_url=behind, timeout=30)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def asked(self, path: str) -> str:
        return re.sub("^/web/[^/]+/", "/web/former/", path) if self.former else path

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if door.shut or self.path.startswith("/v1/streams/"):
                    self._answer(502, {"content-type": "text/html"}, b"<h1>Bad Gateway</h1>")
                    return
                found = door.behind.get(door.asked(self.path))
                self._answer(found.status_code, found.headers, found.content)

            def _answer(self, status: int, headers: Any, body: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    if name not in OWN:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        return Handler


@contextmanager
def open_door(behind: str) -> Iterator[Door]:
    door = Door(behind)
    with door.behind, serving(door.server):
        yield door
