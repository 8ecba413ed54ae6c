"""The fan-out: one feed for each thing that is watched, however many watch it.

A feed holds the latest frame, encoded once, and one wake-up that all its watchers
share; there is no queue and no task a watcher here, so a watcher that is late gets
the latest frame and never the ones between. Absent: HTTP, any server, and where frames
come from; what carries the bytes to a client is a `write` that the caller passes in.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import Histogram

from services.chassis.errors import Problem
from services.chassis.telemetry import BUCKETS

FANOUT = Histogram(
    "tunggu_gateway_fanout_seconds",
    "From a change of what is watched to its last watcher's write; counted at the next. Sum.",
    buckets=BUCKETS,
)
HEARTBEAT = b": heartbeat\n\n"
RETRY_MS = (2000, 5000)  # spread, so that a drained gateway's clients do not all come at once


@dataclass(frozen=True, slots=True)
class Timing:
    """All in seconds."""

    beat: float = 15.0  # between heartbeats
    stale: float = 5.0  # without a source until watchers are told
    linger: float = 5.0  # from the last watcher to the end of a source
    ready: float = 5.0  # until the first frame must be there


@dataclass(frozen=True, slots=True)
class Frame:
    """One state of what is watched: its id, and its bytes as a server-sent event."""

    id: str
    data: bytes


def frame(event: str, identity: str, body: bytes) -> Frame:
    """`body` is JSON on one line."""
    head = f"event: {event}\nid: {identity}\ndata: ".encode()
    return Frame(identity, head + body + b"\n\n")


def retry() -> bytes:
    """How long a client shall wait before it comes back."""
    return b"retry: %d\n\n" % random.randint(*RETRY_MS)  # noqa: S311  (spread, no secret)


def notice(event: str) -> bytes:
    """`stale` and `fresh`: whether the last frame may be trusted to be the present."""
    return b"event: %s\ndata: {}\n\n" % event.encode()


class Wake(asyncio.Future[None]):
    """A future that many tasks await: the cancellation of one must not reach the others."""

    def cancel(self, msg: object = None) -> bool:  # noqa: ARG002
        return False


class Feed:
    """The latest frame of one thing, and who must hear of the next.

    `failure` is set when the source ends for good (no such kecamatan); `ended` then
    too. Everything happens on one event loop.
    """

    def __init__(self, timing: Timing) -> None:
        self.frame: Frame | None = None
        self.stale = False
        self.ended = False
        self.failure: Problem | None = None
        self.beats = 0
        self._changed_at = self._reached_at = 0.0
        self._wake = Wake()
        self._timing = timing
        self._beat = asyncio.get_running_loop().call_later(timing.beat, self._on_beat)
        self._staling: asyncio.TimerHandle | None = None

    def publish(self, new: Frame | None) -> None:
        """A new state, or None if only what watchers look up has changed."""
        self.frame = new or self.frame
        self._count_fanout()
        self._changed_at = time.monotonic()
        self._tell()

    def reached(self) -> None:
        """A watcher that waited for the change has been written to."""
        self._reached_at = time.monotonic()

    def _count_fanout(self) -> None:
        if self._reached_at > self._changed_at:
            FANOUT.observe(self._reached_at - self._changed_at)

    def lost(self) -> None:
        """The source broke off; watchers hear of it unless it is back soon."""
        if self._staling is None and not self.stale:
            loop = asyncio.get_running_loop()
            self._staling = loop.call_later(self._timing.stale, self._set_stale, True)

    def found(self) -> None:
        """The source is back."""
        if self._staling is not None:
            self._staling.cancel()
            self._staling = None
        if self.stale:
            self._set_stale(False)

    def end(self, failure: Problem | None = None) -> None:
        """Ends all its watchers' streams. May be called again."""
        if not self.ended:
            self._count_fanout()
        self.ended, self.failure = True, self.failure or failure
        self._beat.cancel()
        if self._staling is not None:
            self._staling.cancel()
        self._tell()

    async def changed(self) -> None:
        """Returns at the next change of anything above."""
        await self._wake

    async def ready(self, seconds: float) -> None:
        """Returns once there is a frame. The failure, or SERVICE_UNAVAILABLE."""
        try:
            async with asyncio.timeout(seconds):
                while self.frame is None and not self.ended:
                    await asyncio.shield(self._wake)
        except TimeoutError:
            raise Problem("SERVICE_UNAVAILABLE") from None
        if self.ended:
            raise self.failure or Problem("SERVICE_UNAVAILABLE")

    def _set_stale(self, stale: bool) -> None:
        self._staling = None
        self.stale = stale
        self._tell()

    def _on_beat(self) -> None:
        self.beats += 1
        loop = asyncio.get_running_loop()
        self._beat = loop.call_later(self._timing.beat, self._on_beat)
        self._tell()

    def _tell(self) -> None:
        woken, self._wake = self._wake, Wake()
        woken.set_result(None)


class View(Protocol):
    """What one watcher sees of a feed."""

    @property
    def feed(self) -> Feed: ...

    def look(self) -> Frame | None:
        """The present frame; None while there is nothing sound to show."""
        ...

    def over(self) -> bool:
        """Whether no other frame can follow the present one."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """The view of those who watch what the feed itself shows: all get the same bytes."""

    feed: Feed

    def look(self) -> Frame | None:
        return self.feed.frame

    def over(self) -> bool:
        return False


async def follow(view: View, seen: str, write: Callable[[bytes], Awaitable[bool]]) -> None:
    """Writes each new frame, heartbeat and notice until the feed ends or `write` says False.

    `seen` is the id of the frame that the client already has (Last-Event-ID). What is
    written last is another `retry:`, unless nothing can follow.
    """
    feed = view.feed
    beats, told_stale, waited, going = feed.beats, False, False, await write(retry())
    while going and not feed.ended:
        present = view.look()
        if present is not None and present.id != seen:
            seen, going = present.id, await write(present.data)
            if waited:
                feed.reached()
        elif view.over():
            return
        elif feed.stale != told_stale:
            told_stale = feed.stale
            going = await write(notice("stale" if told_stale else "fresh"))
        elif feed.beats != beats:
            beats, going = feed.beats, await write(HEARTBEAT)
        else:
            await feed.changed()
            waited = True
    if going:
        await write(retry())
