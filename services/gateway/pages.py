"""The plain page at `/`: files of `web/`, read once, under a strict policy."""

import hashlib
from pathlib import Path

from services.gateway.api import matches
from services.gateway.app import Fixed
from services.gateway.exchange import Exchange, Headers, Reply

WEB = Path(__file__).with_name("web")
FILES = {
    b"/": ("index.html", b"text/html; charset=utf-8"),
    b"/page.css": ("page.css", b"text/css; charset=utf-8"),
    b"/page.js": ("page.js", b"text/javascript; charset=utf-8"),
    b"/icon.svg": ("icon.svg", b"image/svg+xml"),
    b"/docs.css": ("docs.css", b"text/css; charset=utf-8"),
}
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def fixed() -> dict[bytes, Fixed]:
    """What answers each file's path."""
    return {path: served((WEB / name).read_bytes(), kind) for path, (name, kind) in FILES.items()}


def served(body: bytes, kind: bytes) -> Fixed:
    """Answers with always the same bytes, or says that they are."""
    etag = hashlib.sha256(body).hexdigest()[:32].encode()
    common: Headers = [
        (b"cache-control", b"no-cache"),
        (b"etag", b'"%s"' % etag),
        (b"content-security-policy", POLICY),
        (b"referrer-policy", b"no-referrer"),
    ]

    async def answer(exchange: Exchange) -> Reply:
        if matches(exchange.headers.get(b"if-none-match", b""), etag):
            return Reply(304, common)
        return Reply(200, [(b"content-type", kind), *common], body)

    return answer
