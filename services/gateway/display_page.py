"""`/display/{kecamatan}`: a page that may load films from where its office has them, and no more.

It plays them there, or fetches them and plays what it keeps, as `blob:`. All other pages have no
media but ours. Whoever changes an office's films changes the policy of the display that is opened
next; an open one opens itself anew.
"""

from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import quote, unquote, urlsplit

from services.chassis.errors import Problem
from services.gateway.assets import GUARDS, POLICY, File
from services.gateway.exchange import Exchange, Headers, Reply
from tunggu.queue.v1.kecamatan_pb2 import DisplaySpec, Office

MEDIA = b"media-src 'self'"
CONNECT = b"connect-src 'self'"
MOST = 2048  # bytes of addresses in a directive; beyond, their hosts alone stand there
PATH = "/-._~!$&'()*+=:@%"  # what a path may hold in a policy; `;` and `,` would end it


class DisplayPage:
    """`office` raises Problem; then there are no films."""

    def __init__(self, html: bytes, office: Callable[[str], Awaitable[Office]]) -> None:
        self._file = File.of(html, b"text/html; charset=utf-8")
        self._office = office

    async def answer(self, exchange: Exchange) -> Reply:
        """The page under this office's policy; not kept, for another day has another policy."""
        guards = guards_for(await self._films(exchange))
        return self._file.reply(exchange, b"no-store", guards)

    async def _films(self, exchange: Exchange) -> DisplaySpec:
        code = unquote(exchange.raw_path.decode("ascii").removeprefix("/display/"))
        try:
            return (await self._office(code)).display
        except Problem:
            return DisplaySpec()


def guards_for(display: DisplaySpec) -> Headers:
    """The headers of every page, with this office's films and captions among the media."""
    named = [address for film in display.films for address in (film.url, film.captions)]
    there = sources(named)
    kept = [b"blob:"] if display.films else []
    policy = POLICY.replace(MEDIA, b" ".join([MEDIA, *kept, *there]))
    policy = policy.replace(CONNECT, b" ".join([CONNECT, *there]))
    return [(b"content-security-policy", policy), *GUARDS[1:]]


def sources(addresses: Iterable[str]) -> list[bytes]:
    """What a policy says of them, each once. Those of our own host, and what is no address of the
    web, need nothing: `'self'` admits the former, and nothing the latter."""
    parts = [part for part in map(_part, addresses) if part is not None]
    whole = list(dict.fromkeys(f"{origin}{path}".encode() for origin, path in parts))
    if sum(len(one) + 1 for one in whole) <= MOST:
        return whole
    return list(dict.fromkeys(origin.encode() for origin, _ in parts))


def _part(address: str) -> tuple[str, str] | None:
    """Origin and path of a full address, both harmless in a header."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError:
        return None
    if (
        parts.scheme not in ("http", "https")
        or not host.replace("-", "").replace(".", "").isalnum()
    ):
        return None
    return f"{parts.scheme}://{host}{port}", quote(parts.path, safe=PATH)
