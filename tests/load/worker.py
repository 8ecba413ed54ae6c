"""Processes of the load: each takes commands as lines of JSON and answers each with one.

They end when their stdin does, so none outlives the process that started it.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvloop

LINE = 64 * 1024 * 1024  # bytes of an answer at most

Handle = Callable[..., Awaitable[dict[str, Any]]]


class Worker:
    """The process, as who started it sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, **command: Any) -> dict[str, Any]:
        """Its answer. RuntimeError: it died."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a process of the load died with {await self._process.wait()}")
        return dict(json.loads(line))


@asynccontextmanager
async def working(module: str, *arguments: str) -> AsyncIterator[Worker]:
    """The process of tests.load.<module>."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", f"tests.load.{module}", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE,
    )
    try:
        yield Worker(process)
    finally:
        process.kill()
        await process.wait()


def serve(handle: Handle) -> None:
    """Answers commands until stdin ends."""
    raise_limits()
    uvloop.run(_serve(handle))


async def _serve(handle: Handle) -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await handle(**json.loads(line))), flush=True)


def raise_limits() -> int:
    """As many open files as this process and its children may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
