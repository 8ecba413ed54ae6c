"""Who is followed: one running source for each thing that anybody watches.

Absent: what a source is made of, and what is done with its feed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from prometheus_client import Gauge

from services.chassis.errors import Problem
from services.gateway.streams import Feed

log = logging.getLogger(__name__)
FEEDS = Gauge("tunggu_gateway_feeds", "Boards and lists that are being followed. Sum.")


class Source(Protocol):
    """Fills its feed until it is cancelled, or ends it with a failure."""

    @property
    def feed(self) -> Feed: ...

    async def run(self) -> None: ...


S = TypeVar("S", bound=Source)


@dataclass(slots=True)
class _Followed(Generic[S]):
    source: S
    task: asyncio.Task[None]
    coming: int = 0  # who waits for the first frame, and is not yet among the feed's watchers
    leaving: asyncio.TimerHandle | None = None


class Hub(Generic[S]):
    """One running source a key, while anybody watches and `linger` seconds longer."""

    def __init__(self, make: Callable[[str], S], linger: float) -> None:
        self._make = make
        self._linger = linger
        self._followed: dict[str, _Followed[S]] = {}
        self.draining = False

    @asynccontextmanager
    async def following(self, key: str) -> AsyncIterator[S]:
        """The source, with a first frame. The source's Problem, or SERVICE_UNAVAILABLE.

        Who then watches its feed holds it as well.
        """
        if self.draining:
            raise Problem("SERVICE_UNAVAILABLE")
        followed = self._followed.get(key)
        if followed is None or followed.source.feed.ended:
            followed = self._start(key)
        followed.coming += 1
        if followed.leaving is not None:
            followed.leaving.cancel()
            followed.leaving = None
        try:
            await followed.source.feed.ready()
            yield followed.source
        finally:
            followed.coming -= 1
            self._leave(followed)

    def _start(self, key: str) -> _Followed[S]:
        # A context of its own: what is shared, its timers too, never carries one watcher's token.
        context = Context()
        source = context.run(self._make, key)
        task = asyncio.create_task(source.run(), context=context)
        followed = self._followed[key] = _Followed(source, task)
        task.add_done_callback(lambda _: self._forget(key, followed))
        source.feed.deserted = lambda: self._leave(followed)
        FEEDS.inc()
        return followed

    def _leave(self, followed: _Followed[S]) -> None:
        """Somebody is gone; if it was the last one, the source ends in a while."""
        if followed.coming or followed.source.feed.watchers or followed.leaving:
            return
        loop = asyncio.get_running_loop()
        seconds = 0 if followed.source.feed.ended else self._linger
        followed.leaving = loop.call_later(seconds, self._stop, followed)

    def _stop(self, followed: _Followed[S]) -> None:
        followed.source.feed.end()
        followed.task.cancel()

    def _forget(self, key: str, followed: _Followed[S]) -> None:
        """The source is done, whatever the reason; the next watcher starts another."""
        if not followed.task.cancelled() and (error := followed.task.exception()):
            log.error("a feed broke off", exc_info=error)
        FEEDS.dec()
        followed.source.feed.end()
        if self._followed.get(key) is followed:
            del self._followed[key]

    def drain(self) -> None:
        """Ends all streams and admits no more."""
        self.draining = True
        for followed in list(self._followed.values()):
            self._stop(followed)
