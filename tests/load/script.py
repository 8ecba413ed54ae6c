"""The EVALSHA of a request for a number, as the queue itself sends it, again and again.

The command is overheard on Redis (MONITOR) while one number is taken, so nothing here knows its
keys and arguments: only the ticket's and the request's own ids are made anew for each call.
"""

from __future__ import annotations

import asyncio
import codecs
import itertools
import re
import secrets
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import hiredis

from tests.load.worker import serve

SECRET = 22  # characters of a ticket id that are its own

_WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_DIGEST = re.compile(rb":request:([0-9a-f]{32})")


class Overheard:
    """Listens from when it is entered; `command` has the EVALSHA that gave a ticket its id."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def __enter__(self) -> Overheard:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        self._socket.connect(self._path)
        self._socket.sendall(b"MONITOR\r\n")
        self._lines = self._socket.makefile("rb")
        assert self._lines.readline() == b"+OK\r\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def command(self, ticket: str) -> list[bytes]:
        secret = ticket[-SECRET:].encode()
        while line := self._lines.readline():
            words = [codecs.escape_decode(word)[0] for word in _WORD.findall(line)]
            if words and words[0].upper() == b"EVALSHA" and secret in words:
                return words
        raise AssertionError("Redis has ended")


def template(command: list[bytes], ticket: str) -> bytes:
    """The command as Redis reads it, `%(id)b` and `%(digest)b` in place of what must be new."""
    whole = [b"*%d\r\n" % len(command)]
    whole += [b"$%d\r\n%b\r\n" % (len(word), word) for word in command]
    text = b"".join(whole).replace(b"%", b"%%")
    found = _DIGEST.search(text)
    assert found, "the request id has no key"
    return text.replace(found[1], b"%(digest)b").replace(ticket[-SECRET:].encode(), b"%(id)b")


class Client(asyncio.Protocol):
    """Sends a command as soon as the last is answered; `answered` has the times of each OK."""

    def __init__(self, commands: Iterator[bytes], answered: list[float]) -> None:
        self._commands, self._answered = commands, answered
        self._reader = hiredis.Reader()
        self.refusal = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            if not _granted(reply):  # and not asked again
                self.refusal = repr(reply)
                return
            self._answered.append(time.monotonic())
            self._send()

    def _send(self) -> None:
        new = {b"id": secrets.token_urlsafe(16).encode(), b"digest": secrets.token_hex(16).encode()}
        self._transport.write(next(self._commands) % new)

    def close(self) -> None:
        self._transport.abort()


def _granted(reply: Any) -> bool:
    """A ticket was given: the script's first word, whether it answers for one or for several."""
    while isinstance(reply, list) and reply:
        reply = reply[0]
    return bool(reply == b"OK")


async def handle(
    *, path: str, commands: Sequence[str], clients: int, seconds: float, warm: float = 0.3
) -> dict[str, Any]:
    """`commands` are templates in Latin-1, taken in turn."""
    turns = itertools.cycle([command.encode("latin-1") for command in commands])
    answered: list[float] = []
    loop = asyncio.get_running_loop()

    def one() -> Client:
        return Client(turns, answered)

    made = []
    for _ in range(clients):
        _, client = await loop.create_unix_connection(one, path)
        made.append(client)
    await asyncio.sleep(warm)
    begun = time.monotonic()
    await asyncio.sleep(seconds)
    counted = sum(at >= begun for at in answered)
    ended = time.monotonic()
    for client in made:
        client.close()
    if refusals := [client.refusal for client in made if client.refusal]:
        raise SystemExit(f"the script is refused {len(refusals)} times: {refusals[0]}")
    return {"rate": counted / (ended - begun), "total": len(answered)}


if __name__ == "__main__":
    serve(handle)
