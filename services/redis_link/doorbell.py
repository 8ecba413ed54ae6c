"""Tells followers of streams that there may be something new.

One command that blocks serves all followers of a process (in a cluster: of a slot's streams). It
only rings: who follows reads the stream itself, over the connection that is asked what is settled.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from redis.exceptions import RedisError

from services.redis_link.link import Link

BLOCK_MS = 1000

AGAIN_S = 0.01
"""A stream is rung for no more often while its follower has not come back."""

GONE_S = 5.0
"""Whoever has not come back by then follows no more."""


class Doorbell:
    """`wait` for one stream each; any number of streams."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._groups: dict[str, _Group] = {}

    async def wait(self, stream: str, after: str, seconds: float) -> None:
        """Until there may be entries after the id, or the time is over. Errors are redis-py's."""
        name = self._link.group(stream)
        group = self._groups.get(name)
        if group is None or group.task.done():
            group = self._groups[name] = _Group(self._link)
        await group.wait(stream, after, seconds)

    async def aclose(self) -> None:
        tasks = [group.task for group in self._groups.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Group:
    """Streams that one command can ask for. Ends when nobody follows any more, or with an error,
    which all who wait are given."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._after: dict[str, str] = {}
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._seen: dict[str, float] = {}
        self._out: set[str] = set()
        self._all_in = asyncio.Event()
        self._asking: asyncio.Task[Any] | None = None
        self.task = asyncio.create_task(self._run())

    async def wait(self, stream: str, after: str, seconds: float) -> None:
        if stream not in self._after and self._asking:
            self._asking.cancel()  # it does not know of this one
        rung = self._come(stream, after)
        try:
            async with asyncio.timeout(seconds):
                await rung
        except TimeoutError:
            pass
        finally:
            self._waiting[stream].discard(rung)
            self._seen[stream] = asyncio.get_running_loop().time()

    def _come(self, stream: str, after: str) -> asyncio.Future[None]:
        rung = asyncio.get_running_loop().create_future()
        self._after[stream] = after
        self._waiting.setdefault(stream, set()).add(rung)
        self._out.discard(stream)
        if not self._out:
            self._all_in.set()
        return rung

    async def _run(self) -> None:
        try:
            await asyncio.sleep(0)
            while self._after:
                for stream in await self._news():
                    self._ring(stream)
                await self._back()
                self._forget()
        except RedisError as error:
            for rungs in self._waiting.values():
                for rung in rungs:
                    if not rung.done():
                        rung.set_exception(error)

    async def _news(self) -> Iterable[str]:
        """The streams that have something after what their followers have."""
        head = ("XREAD", b"COUNT", 1, b"BLOCK", BLOCK_MS, b"STREAMS")
        ask = self._link.execute_command(*head, *self._after, *self._after.values())
        self._asking = asyncio.ensure_future(ask)
        try:
            return [name.decode() for name, _ in await self._asking or ()]
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task and task.cancelling():
                raise
            return ()
        finally:
            self._asking = None

    def _ring(self, stream: str) -> None:
        self._out.add(stream)
        for rung in self._waiting.get(stream, ()):
            if not rung.done():
                rung.set_result(None)

    async def _back(self) -> None:
        """Until all who were rung have read and wait again, but not long for a slow one."""
        if not self._out:
            return
        self._all_in.clear()
        try:
            async with asyncio.timeout(AGAIN_S):
                await self._all_in.wait()
        except TimeoutError:
            self._out.clear()

    def _forget(self) -> None:
        """Streams that nobody follows any more."""
        late = asyncio.get_running_loop().time() - GONE_S
        for stream in list(self._after):
            if not self._waiting[stream] and self._seen.get(stream, late) <= late:
                del self._after[stream], self._waiting[stream]
                self._seen.pop(stream, None)
