"""POST to what a `Policy` admits.

A name is resolved once for each connection, all its addresses are checked, and the connection is
made to those very addresses: there is no second look-up that could say something else. Redirects
are answers, never followed; proxies of the environment are not asked; cookies are not kept.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from services.notify.outgoing.destinations import Destination, Policy, Refused, first_refused

SECONDS = 10.0
"""For a whole exchange, and half of it for the connection."""

MOST_BODY = 16 * 1024
"""Bytes of an answer that are read; the rest is cut off with its connection."""

MOST_CONNECTIONS = 256

LATEST_S = 24 * 3600.0
"""The longest wait that a Retry-After is believed."""

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a name. OSError: it has none."""


class Unreachable(Exception):  # noqa: N818
    """No answer came; `why` is one of `dns`, `connect`, `tls`, `timeout`, `broken`. The request
    may have arrived all the same."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True)
class Reply:
    """An answer; `retry_after` in seconds, None without a readable header."""

    status: int
    body: bytes = b""
    retry_after: float | None = None


async def look_up(host: str, port: int) -> list[str]:
    """By the machine's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Resolver(AbstractResolver):
    """What aiohttp asks; gives numbers, so that nothing is looked up after it."""

    def __init__(self, policy: Policy, resolve: Resolve) -> None:
        self._policy = policy
        self._resolve = resolve

    async def checked(self, host: str, port: int) -> list[str]:
        """Refused: `address`. OSError: the name has none."""
        found = await self._resolve(host, port)
        if not found:
            raise OSError("no address")
        if first_refused(self._policy, host, found) is not None:
            raise Refused("address")
        return found

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002  (aiohttp's signature)
    ) -> list[ResolveResult]:
        return [_numeric(host, ip, port) for ip in await self.checked(host, port)]

    async def close(self) -> None:
        """Nothing is open."""


def _numeric(host: str, ip: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    return ResolveResult(
        hostname=host, host=ip, port=port, family=family, proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )  # fmt: skip


class Outgoing:
    """A pool of connections under one policy, used on one event loop; `async with`, or `close`.

    `resolve` and `tls` are for tests and for cities with a certificate authority of their own.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        seconds: float = SECONDS,
        resolve: Resolve = look_up,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.policy = policy
        self._seconds = seconds
        self._resolver = _Resolver(policy, resolve)
        self._tls = tls
        self._opened: aiohttp.ClientSession | None = None

    @property
    def _session(self) -> aiohttp.ClientSession:
        """Opened with the first request, on the loop that makes it."""
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._resolver,
                use_dns_cache=False,
                limit=MOST_CONNECTIONS,
                ssl=self._tls or True,
                socket_factory=self._socket,
            ),
            timeout=aiohttp.ClientTimeout(total=self._seconds, connect=self._seconds / 2),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"User-Agent": "tunggu", "Accept-Encoding": "identity"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    def _socket(self, info: Any) -> socket.socket:
        """Every connection is made through here: the last word, whoever resolved the name."""
        family, kind, protocol, _, where = info
        if not self.policy.admits(where[0], where[0]):
            raise Refused("address")
        return socket.socket(family, kind, protocol)

    async def check(self, url: str) -> Destination:
        """Whether it could be posted to now. Refused; a name without an address is let pass:
        sending will tell."""
        destination = self.policy.destination(url)
        try:
            await self._resolver.checked(destination.host, destination.port)
        except OSError:
            pass
        return destination

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """The answer, whatever its status. Refused, Unreachable."""
        destination = self.policy.destination(url)
        try:
            async with self._session.post(
                URL(destination.url, encoded=True),
                data=body,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                return Reply(answer.status, await _read(answer), _wait(answer.headers))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(_why(error)) from None


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """At most MOST_BODY bytes; an answer with more loses its connection."""
    parts, left = [], MOST_BODY
    while left and (part := await answer.content.read(left)):
        parts.append(part)
        left -= len(part)
    if not left:
        answer.close()
    return b"".join(parts)


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "dns"
    if isinstance(error, aiohttp.ClientSSLError):
        return "tls"
    return "connect" if isinstance(error, aiohttp.ClientConnectorError) else "broken"


def _wait(headers: Mapping[str, str]) -> float | None:
    """Retry-After as seconds or as a date; nonsense is as good as none."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LATEST_S)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(0.0, (until - datetime.now(UTC)).total_seconds()), LATEST_S)
