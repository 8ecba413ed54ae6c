"""One HTTP request and its reply, apart from any route."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from services.chassis.errors import Problem
from services.gateway.crowd import Seat

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MAX_URL = 4096  # bytes of path and query
MAX_HEADERS = 64
MAX_HEADER_BYTES = 16 * 1024  # of all names and values
MAX_BEARER = 6 * 1024  # bytes of a token; gRPC carries no more than 8 KiB of metadata
BODY_SECONDS = 10.0  # until a body must be there, and longer as it comes:
BODY_RATE = 8 * 1024  # bytes of it that earn another second
DISCARD = 2 * 1024 * 1024  # bytes still read of a refused body, so that the client reads the reply

# Headers of which the first and the last might mean different people or requests.
ONCE = {
    b"authorization": "Authorization",
    b"idempotency-key": "Idempotency-Key",
    b"tunggu-holder": "Tunggu-Holder",
    b"x-hub-signature-256": "X-Hub-Signature-256",
}

CONNECTION = "tunggu.connection"  # scope extension: the request's Connection
RESERVED = "tunggu.reserved"  # scope extension: on a connection that is for staff only

_BEARER = re.compile(rb"bearer +([\x21-\x7e]+)", re.IGNORECASE)
_CHARSET = re.compile(rb';\s*charset\s*=\s*"?([^\s;"]*)')
_LAST_EVENT_ID = re.compile(rb"[\x21-\x7e]{1,200}")


class Gone(Exception):  # noqa: N818
    """The client hung up; nobody waits for a reply."""


class Successor(asyncio.Protocol):
    """Whom a connection is left to when HTTP is over on it.

    The server counts it as open until it is lost.
    """

    __slots__ = ("connections", "seat")
    connections: set[Any]  # the server's, this one among them
    seat: Seat

    def shutdown(self) -> None:
        """The server ends, and waits until all connections are closed: its owner sees to that."""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.connections.discard(self)
        self.seat.leave()


class Connection(Protocol):
    """The connection of a request."""

    transport: asyncio.Transport

    def hand_over(
        self, scope: Scope, successor: Successor, headers: Headers
    ) -> tuple[asyncio.Transport, bytes]:
        """What Exchange.hand_over says, for the request of that scope."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response; `reason` is for metrics and log, `private` for the log only."""

    status: int
    headers: Headers
    body: bytes = b""
    reason: str = "OK"
    private: str = ""


@dataclass(slots=True, eq=False)
class Exchange:
    """What is asked. `template` is what logs call it: never the path, which has ids."""

    scope: Scope
    receive: Receive
    send: Send
    headers: Mapping[bytes, bytes]
    request_id: str
    template: str = "(none)"
    reply_headers: Headers = field(default_factory=list)
    started: bool = False

    @property
    def method(self) -> str:
        return self.scope["method"]  # type: ignore[no-any-return]

    @property
    def raw_path(self) -> bytes:
        return self.scope["raw_path"]  # type: ignore[no-any-return]

    @property
    def query(self) -> bytes:
        return self.scope["query_string"]  # type: ignore[no-any-return]

    def hand_over(self, successor: Successor, headers: Headers) -> tuple[asyncio.Transport, bytes]:
        """The transport, now the successor's, and the head of a response that ends with it.

        Nothing else of the request is kept, and none that came behind it is answered. Gone.
        """
        connection: Connection = self.scope["extensions"][CONNECTION]
        return connection.hand_over(self.scope, successor, headers)

    def hung_up(self) -> bool:
        """Whether nobody can be answered any more."""
        connection: Connection = self.scope["extensions"][CONNECTION]
        return connection.transport.is_closing()

    @property
    def seen(self) -> str:
        """Last-Event-ID, empty if there is none of sound form."""
        value = self.headers.get(b"last-event-id", b"")
        return value.decode("ascii") if _LAST_EVENT_ID.fullmatch(value) else ""

    def check_size(self) -> None:
        """URL_TOO_LONG, HEADERS_TOO_LARGE."""
        if len(self.raw_path) + len(self.query) > MAX_URL:
            raise Problem("URL_TOO_LONG", {"limit": str(MAX_URL)})
        headers = self.scope["headers"]
        size = sum(len(name) + len(value) for name, value in headers)
        if size > MAX_HEADER_BYTES or len(headers) > MAX_HEADERS:
            raise Problem("HEADERS_TOO_LARGE", {"limit": str(MAX_HEADER_BYTES)})

    def check_once(self) -> None:
        """INVALID_REQUEST for a header that is given twice and must not be."""
        seen = set()
        for name, _ in self.scope["headers"]:
            if name in seen and name in ONCE:
                raise Problem("INVALID_REQUEST", {"field": ONCE[name], "why": "is given twice"})
            seen.add(name)

    def authorization(self) -> str:
        """`Bearer …` as it is passed on, or empty. TOKEN_INVALID, HEADERS_TOO_LARGE.

        Another scheme is not ours: a proxy in front may have asked for it.
        """
        value = self.headers.get(b"authorization", b"")
        if not value.lower().startswith(b"bearer"):
            return ""
        found = _BEARER.fullmatch(value)
        if found is None:
            raise Problem("TOKEN_INVALID")
        if len(value) > MAX_BEARER:
            raise Problem("HEADERS_TOO_LARGE", {"limit": str(MAX_BEARER)})
        return "Bearer " + found[1].decode("ascii")

    async def json_body(self, limit: int) -> bytes:
        """The whole body, of at most `limit` bytes, empty if there is none.

        BODY_TOO_LARGE, BODY_TOO_SLOW, UNSUPPORTED_MEDIA_TYPE; Gone.
        """
        body = await self._body(limit)
        if body:
            self._check_media_type()
        return body

    async def form(self, limit: int) -> dict[str, str]:
        """What a page's form sends; the last of equal names. BODY_TOO_LARGE, BODY_TOO_SLOW,
        UNSUPPORTED_MEDIA_TYPE; Gone."""
        body = await self._body(limit)
        kind = self.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if kind != b"application/x-www-form-urlencoded":
            raise Problem("UNSUPPORTED_MEDIA_TYPE")
        return dict(parse_qsl(body.decode("ascii", "replace")))

    async def _body(self, limit: int) -> bytes:
        declared = int(self.headers.get(b"content-length", b"0"))
        if not declared and b"transfer-encoding" not in self.headers:
            return b""
        if declared > limit:
            await self._refuse_body(limit)
        try:
            async with asyncio.timeout(BODY_SECONDS) as patience:
                body = await self._read(limit, patience)
        except TimeoutError:
            raise Problem("BODY_TOO_SLOW") from None
        if body is None:
            await self._refuse_body(limit)
        return body or b""

    async def _read(self, limit: int, patience: asyncio.Timeout) -> bytes | None:
        """None: there is more than `limit`. A body earns its time; one that trickles does not."""
        end, parts, size = patience.when() or 0.0, [], 0
        while True:
            part, more = await self._part()
            parts.append(part)
            size += len(part)
            if size > limit:
                return None
            if not more:
                return b"".join(parts)
            patience.reschedule(end + size / BODY_RATE)

    async def _part(self) -> tuple[bytes, bool]:
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise Gone
        return message.get("body", b""), message.get("more_body", False)

    async def _refuse_body(self, limit: int) -> None:
        """Reads on for a while: a client that is still writing would miss the reply."""
        if b"expect" not in self.headers:
            with suppress(TimeoutError):
                async with asyncio.timeout(BODY_SECONDS):
                    await self._discard()
        raise Problem("BODY_TOO_LARGE", {"limit": str(limit)})

    async def _discard(self) -> None:
        discarded, more = 0, True
        while more and discarded < DISCARD:
            part, more = await self._part()
            discarded += len(part)

    def _check_media_type(self) -> None:
        """JSON is UTF-8 (RFC 8259); a parameter that says otherwise is not guessed away."""
        given = self.headers.get(b"content-type", b"").lower()
        kind, charsets = given.partition(b";")[0].strip(), set(_CHARSET.findall(given))
        coding = self.headers.get(b"content-encoding", b"identity").strip().lower()
        if kind != b"application/json" or coding != b"identity" or not charsets <= {b"utf-8"}:
            raise Problem("UNSUPPORTED_MEDIA_TYPE")

    async def respond(self, reply: Reply) -> None:
        """Sends the whole reply."""
        self.started = True
        headers = [*reply.headers, *self.reply_headers]
        if reply.status != 204:
            headers.append((b"content-length", b"%d" % len(reply.body)))
        await self.send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": reply.body, "more_body": False})
