"""A server that says what a test tells it to, byte by byte."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import hiredis

from services.redis_link.wire import Wire


@dataclass
class Scripted:
    """`commands` are those that came, in order; `say` answers on the last connection."""

    commands: list[list[bytes]] = field(default_factory=list)
    writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        parser = hiredis.Reader()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                parser.feed(data)
                while (command := parser.gets()) is not False:
                    self.commands.append(command)

    def say(self, text: bytes) -> None:
        assert self.writer
        self.writer.write(text)

    def hang_up(self) -> None:
        assert self.writer
        self.writer.transport.abort()

    async def heard(self, count: int) -> list[bytes]:
        """The first words of so many commands, once they have come."""
        while len(self.commands) < count:
            await asyncio.sleep(0.001)
        return [command[-1] for command in self.commands]


@contextlib.asynccontextmanager
async def scripted(path: Path, timeout: float = 5.0) -> AsyncIterator[tuple[Scripted, Wire]]:
    """The server, and a wire to it that was not greeted."""
    said = Scripted()
    server = await asyncio.start_unix_server(said.serve, path)
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_unix_connection(lambda: Wire(timeout), str(path))
    while said.writer is None:
        await asyncio.sleep(0.001)
    try:
        yield said, wire
    finally:
        wire.close()
        said.hang_up()
        server.close()
        await asyncio.sleep(0)
