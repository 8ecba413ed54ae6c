"""HTTP/1.1 as the load speaks it: requests made beforehand, answers found by their length."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any, cast

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)

PATIENCE = 30.0  # seconds for an answer

Answered = Callable[["Wire", int, bytes], None]
Lost = Callable[["Wire"], None]


def request(method: str, path: str, body: Any = None, *, token: str = "", key: str = "") -> bytes:
    """The request's bytes; `token` is a whole `authorization`, `key` an Idempotency-Key."""
    content = b"" if body is None else json.dumps(body).encode()
    headers = {"host": "bench"}
    if body is not None:
        headers |= {"content-type": "application/json", "content-length": str(len(content))}
    if token:
        headers["authorization"] = token
    if key:
        headers["idempotency-key"] = key
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + content


class Wire(asyncio.Protocol):
    """A connection that carries one request at a time; `answered` hears of each answer."""

    def __init__(self, answered: Answered, lost: Lost) -> None:
        self._answered, self._lost = answered, lost
        self._read = b""
        self.since = 0.0  # for the owner: when the request that it carries was due

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._lost(self)

    def send(self, data: bytes) -> None:
        self._transport.write(data)

    def close(self) -> None:
        self._transport.abort()

    @property
    def closing(self) -> bool:
        return self._transport.is_closing()

    def data_received(self, data: bytes) -> None:
        self._read = self._read + data if self._read else data
        head = self._read.find(b"\r\n\r\n")
        if head < 0:
            return
        end = head + 4 + _length(self._read[: head + 2])
        if len(self._read) >= end:
            whole, self._read = self._read, self._read[end:]
            self._answered(self, int(whole[9:12]), whole[head + 4 : end])


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    if found is None:
        raise ValueError(f"an answer without its length: {head!r}")
    return int(found[1])


class Line:
    """A connection for requests one after the other; opened anew when it has been closed."""

    def __init__(self, host: str, port: int) -> None:
        self._at = host, port
        self._wire: Wire | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    async def ask(self, data: bytes) -> tuple[int, Any]:
        """Status and what the JSON says. OSError, TimeoutError: there was no answer."""
        status, body = await self.fetch(data)
        return status, json.loads(body) if body else None

    async def fetch(self, data: bytes) -> tuple[int, bytes]:
        """Status and body, likewise."""
        loop = asyncio.get_running_loop()
        if self._wire is None or self._wire.closing:
            _, self._wire = await loop.create_connection(self._made, *self._at)
        self._answer = loop.create_future()
        self._wire.send(data)
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._answer
        except TimeoutError:
            self._wire.close()
            raise

    async def do(self, data: bytes) -> Any:
        """What the JSON of a 200 or 201 says; AssertionError for any other answer."""
        status, said = await self.ask(data)
        assert status in (200, 201), said
        return said

    def close(self) -> None:
        if self._wire:
            self._wire.close()

    def _made(self) -> Wire:
        return Wire(self._heard, self._gone)

    def _heard(self, _: Wire, status: int, body: bytes) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_result((status, body))

    def _gone(self, _: Wire) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionResetError("the connection has been closed"))
