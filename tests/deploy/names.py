"""A name server for one name, as a headless Service has it: one address for each ready pod."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

QUESTION_AT, IPV4, INTERNET = 12, 1, 1
ANSWERED = 0x8580  # an answer, authoritative, recursion wanted and to be had


class Names(asyncio.DatagramProtocol):
    """`addresses` is what it says now; `asked` how often it was."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.asked = 0
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        assert self._transport
        self.asked += 1
        end = data.index(b"\0", QUESTION_AT) + 5
        kind, _ = struct.unpack("!HH", data[end - 4 : end])
        found = self.addresses if kind == IPV4 else []
        head = data[:2] + struct.pack("!HHHHH", ANSWERED, 1, len(found), 0, 0)
        lines = b"".join(
            struct.pack("!HHHIH", 0xC00C, IPV4, INTERNET, 0, 4) + socket.inet_aton(address)
            for address in found
        )
        self._transport.sendto(head + data[QUESTION_AT:end] + lines, addr)


@asynccontextmanager
async def names() -> AsyncIterator[Names]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Names, ("127.0.0.1", 0))
    try:
        yield protocol
    finally:
        transport.close()
