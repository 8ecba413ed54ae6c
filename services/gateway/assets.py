"""Files that are served as they are: read once, compressed once, each with its ETag.

An asset's address carries the version of all assets (`/web/<version>/core/api.js`), so a browser
keeps it for a year and a page never mixes two releases. Absent: which pages there are.
"""

import gzip
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.chassis.errors import Problem
from services.gateway.api import matches
from services.gateway.app import Fixed
from services.gateway.exchange import Exchange, Headers, Reply

KINDS = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".opus": b"audio/ogg",
    ".png": b"image/png",
    ".svg": b"image/svg+xml",
    ".txt": b"text/plain; charset=utf-8",
    ".wav": b"audio/wav",
    ".webmanifest": b"application/manifest+json",
    ".woff2": b"font/woff2",
}
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
    b"media-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    b"require-trusted-types-for 'script'; trusted-types tunggu"
)
GUARDS: Headers = [
    (b"content-security-policy", POLICY),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
FRESH = b"no-cache"  # kept, but asked about each time
FOREVER = b"public, max-age=31536000, immutable"
SMALLEST = 256  # bytes below which compression gains nothing

_IMPORT = re.compile(r'^(?:import|export)\b[^"]*?"(\.{1,2}/[^"]+)";', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class File:
    """A body, its type, its compressed form (empty if that is no smaller) and its hash."""

    body: bytes
    kind: bytes
    packed: bytes
    etag: bytes

    @classmethod
    def of(cls, body: bytes, kind: bytes) -> "File":
        packed = gzip.compress(body, 9, mtime=0) if len(body) >= SMALLEST else b""
        etag = hashlib.sha256(body).hexdigest()[:32].encode()
        return cls(body, kind, packed if 0 < len(packed) < len(body) else b"", etag)

    @classmethod
    def at(cls, path: Path) -> "File":
        return cls.of(path.read_bytes(), KINDS[path.suffix])

    def reply(self, exchange: Exchange, caching: bytes = FRESH, guards: Headers = GUARDS) -> Reply:
        """The whole answer: 304, or the body in the coding that the client reads."""
        common: Headers = [
            (b"cache-control", caching),
            (b"etag", b'"%s"' % self.etag),
            (b"vary", b"Accept-Encoding"),
            *guards,
        ]
        if matches(exchange.headers.get(b"if-none-match", b""), self.etag):
            return Reply(304, common)
        typed: Headers = [(b"content-type", self.kind), *common]
        if self.packed and reads_gzip(exchange):
            return Reply(200, [*typed, (b"content-encoding", b"gzip")], self.packed)
        return Reply(200, typed, self.body)


def reads_gzip(exchange: Exchange) -> bool:
    """Whether Accept-Encoding names gzip and does not refuse it."""
    for part in exchange.headers.get(b"accept-encoding", b"").lower().split(b","):
        coding, _, quality = part.partition(b";")
        if coding.strip() == b"gzip":
            return quality.replace(b" ", b"").rstrip(b"0.") != b"q="
    return False


def served(body: bytes, kind: bytes) -> Fixed:
    """Answers with always the same bytes, or says that they are."""
    file = File.of(body, kind)

    async def answer(exchange: Exchange) -> Reply:
        return file.reply(exchange)

    return answer


class Assets:
    """The files of the folders of `web`, by `<folder>/<name>`; pages themselves are not among them.

    `version` is a hash of all: it changes when any of them does.
    """

    def __init__(self, web: Path, more: Mapping[str, File] | None = None) -> None:
        """`more` stands beside the files of `web`, or in the place of some."""
        self._files = {path.relative_to(web).as_posix(): File.at(path) for path in _paths(web)}
        self._files |= more or {}
        names = sorted(self._files)
        whole = b"".join(name.encode() + self._files[name].etag for name in names)
        self.version = hashlib.sha256(whole).hexdigest()[:12]

    async def answer(self, exchange: Exchange) -> Reply:
        """For `/web/{version}/{folder}/{name}`. ROUTE_NOT_FOUND."""
        _, _, version, name = exchange.raw_path.decode("ascii").split("/", 3)
        if name not in self._files:
            raise Problem("ROUTE_NOT_FOUND")
        # While releases change, a page may ask the gateway of the other one.
        caching = FOREVER if version == self.version else FRESH
        return self._files[name].reply(exchange, caching)

    def address(self, name: str) -> str:
        return f"/web/{self.version}/{name}"

    def addresses(self, folders: Iterable[str]) -> list[str]:
        """Of all files of the folders, for the service worker to keep."""
        chosen = set(folders)
        return [self.address(name) for name in sorted(self._files) if name.split("/")[0] in chosen]

    def placed(self, html: str) -> str:
        """A page with this version in its addresses, and its scripts' imports announced ahead."""
        placed = html.replace('"/web/', f'"/web/{self.version}/')
        links = [f'<link rel="modulepreload" href="{self.address(n)}">' for n in self._needed(html)]
        return placed.replace("</head>", "\n".join([*links, "</head>"]), 1)

    def _needed(self, html: str) -> list[str]:
        """What the page's scripts import, directly or not."""
        found: dict[str, None] = {}
        waiting = re.findall(r'<script type="module" src="/web/([^"]+)"', html)
        while waiting:
            name = waiting.pop()
            folder = Path(name).parent
            for path in _IMPORT.findall(self._files[name].body.decode()):
                imported = _joined(folder, path)
                if imported not in found:
                    found[imported] = None
                    waiting.append(imported)
        return sorted(found)


def _paths(web: Path) -> Iterable[Path]:
    return (path for path in sorted(web.glob("*/*")) if path.suffix in KINDS and _is_asset(path))


def _is_asset(path: Path) -> bool:
    return path.is_file() and path.name != "index.html"


def _joined(folder: Path, path: str) -> str:
    """`phone` and `../core/api.js` → `core/api.js`."""
    parts: list[str] = []
    for part in (folder / path).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def filled(template: str, values: Mapping[str, str]) -> str:
    """`{{name}}` replaced by values that are already HTML. KeyError: one is missing."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], template)
