"""Films of a host of their own, which says who asked for what; and an office that shows them."""

import base64
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import Page

from services.local.apply import apply, client
from services.local.office_file import read
from tests.web.town import OFFICES, Town

RECORD = """async () => {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  let turn = 0;
  const paint = () => {
    pen.fillStyle = `hsl(${turn++ * 9} 60% 40%)`;
    pen.fillRect(0, 0, 300, 150);
  };
  const painting = setInterval(paint, 40);
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
  const film = new Promise((done) => { recorder.ondataavailable = (event) => done(event.data); });
  recorder.start();
  setTimeout(() => { clearInterval(painting); recorder.stop(); }, 1200);
  return btoa(String.fromCharCode(...new Uint8Array(await (await film).arrayBuffer())));
}"""
CAPTIONS = "WEBVTT\n\n00:00.000 --> 00:09.000\nDari rumah\n"


def recorded(page: Page) -> bytes:
    """A film of a second, made by a browser."""
    return base64.b64decode(page.evaluate(RECORD))


class Cinema:
    """`files`: by path the type, the body and whether other hosts' pages may read it. An answer
    to `?unmeasured` does not say how long it is."""

    def __init__(self, film: bytes) -> None:
        self.asked: Counter[str] = Counter()
        self.files: dict[str, tuple[str, bytes, bool]] = {
            "/a.webm": ("video/webm", film, True),
            "/b.webm": ("video/webm", film, True),
            "/a.vtt": ("text/vtt", CAPTIONS.encode(), True),
            "/closed.webm": ("video/webm", film, False),
            "/broken.webm": ("video/webm", b"\0" * 5000, True),
            "/excuse.webm": ("text/html", b"<h1>Wi-Fi</h1>", True),
        }
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        cinema = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                cinema.asked[self.path] += 1
                found = cinema.files.get(self.path.partition("?")[0])
                self.send_response(200 if found else 404)
                kind, body, readable = found or ("text/plain", b"", True)
                self.send_header("content-type", kind)
                if not self.path.endswith("?unmeasured"):
                    self.send_header("content-length", str(len(body)))
                if readable:
                    self.send_header("access-control-allow-origin", "*")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing: what was asked is counted."""

        return Handler


@contextmanager
def open_cinema(film: bytes) -> Iterator[Cinema]:
    cinema = Cinema(film)
    with serving(cinema.server):
        yield cinema


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    """While it answers."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def office_of(code: str) -> dict[str, Any]:
    """Its file."""
    file = next(path for path in OFFICES.glob("*.yaml") if code in path.read_text("utf-8"))
    (office,) = read(file)
    return office


def showing(town: Town, code: str, films: list[dict[str, Any]]) -> None:
    """The office shows these films from now on."""
    office = json.loads(json.dumps(office_of(code)))
    office["spec"]["display"]["films"] = films
    with client(town.url, town.token("ADMIN", "*")) as http:
        apply(http, office)
