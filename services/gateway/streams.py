"""The fan-out: one feed for each thing that is watched, however many watch it.

A feed holds the latest frame, encoded once. A change is one walk over its watchers, a
bit of it at each turn of the event loop (turns.py); there is no queue, no task and no
timer a watcher. Each watcher is brought to the present, whatever that is when the walk
comes to it: a frame that arrives amid a walk takes the place of the one before it.
Absent: HTTP, any server, and where frames come from.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from prometheus_client import Histogram

from services.chassis.errors import Problem
from services.chassis.telemetry import BUCKETS
from services.gateway.places import Places
from services.gateway.turns import Turns

FANOUT = Histogram(
    "tunggu_gateway_fanout_seconds",
    "From a change of what is watched to its last watcher's write. Sum.",
    buckets=BUCKETS,
)
HEARTBEAT = b": heartbeat\n\n"
RETRY_MS = 2000  # at least, until a client comes back
SPREAD_MS = 3000  # and at least so much more or less
RETURNS = 1000  # watchers that may come back in a second
log = logging.getLogger(__name__)


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


def notice(event: str) -> bytes:
    """`stale` and `fresh`: whether the last frame may be trusted to be the present."""
    return b"event: %s\ndata: {}\n\n" % event.encode()


def retry(spread: int = SPREAD_MS) -> bytes:
    """How long a client shall wait before it comes back; `spread` in ms."""
    wait = random.randint(RETRY_MS, RETRY_MS + spread)  # noqa: S311  (spread, no secret)
    return b"retry: %d\n\n" % wait


def spread_of(watchers: int) -> int:
    """Over how many ms so many come back without a crush; a rough step, so that it rarely moves."""
    spread = SPREAD_MS
    while watchers * 1000 > spread * RETURNS:
        spread *= 2
    return spread


@dataclass(frozen=True, slots=True)
class Fanout:
    """What all feeds of a process share. A client may have `backlog` bytes unsent."""

    timing: Timing = field(default_factory=Timing)
    backlog: int = 64 * 1024
    places: Places = field(default_factory=Places)
    turns: Turns = field(default_factory=Turns)

    @property
    def spread(self) -> int:
        """Over how many ms the watchers of this process shall come back, should it end."""
        return spread_of(self.places.taken)


class Watcher(Protocol):
    """Who is told of changes."""

    def update(self) -> None:
        """Writes what the client does not have yet. Never waits."""
        ...

    def abort(self) -> None:
        """Ends at once what cannot be updated."""
        ...


class Feed:
    """The latest frame of one thing, and who must hear of the next.

    `failure` is set when the source ends for good (no such kecamatan); `ended` then
    too. `beats` counts heartbeats, `spread` is what the last of them knew. Everything
    happens on one event loop.
    """

    def __init__(self, fanout: Fanout) -> None:
        self.fanout = fanout
        self.whole = Whole(self)  # one for all who watch it whole
        self.frame: Frame | None = None
        self.stale = False
        self.ended = False
        self.failure: Problem | None = None
        self.beats = 0
        self.spread = fanout.spread
        self.deserted: Callable[[], None] = lambda: None  # called when the last watcher left
        self.watchers: dict[Watcher, None] = {}  # in the order in which they came
        self._known = asyncio.Event()
        self._walk: Iterator[Watcher] = iter(())
        self._walking = self._again = False
        self._changed_at = self._walks_since = 0.0
        loop = asyncio.get_running_loop()
        self._beat = loop.call_later(fanout.timing.beat, self._on_beat)
        self._staling: asyncio.TimerHandle | None = None

    def publish(self, new: Frame) -> None:
        """A new state; or the same one, if only what watchers look up has changed."""
        self.frame = new
        self._changed_at = self._changed_at or time.monotonic()
        self._known.set()
        self._tell()

    def join(self, watcher: Watcher) -> None:
        """From now on it is updated."""
        self.watchers[watcher] = None

    def leave(self, watcher: Watcher) -> None:
        """May be called again."""
        if watcher in self.watchers:
            del self.watchers[watcher]
            if not self.watchers:
                self.deserted()

    def lost(self) -> None:
        """The source broke off; watchers hear of it unless it is back soon."""
        if self._staling is None and not self.stale:
            loop = asyncio.get_running_loop()
            self._staling = loop.call_later(self.fanout.timing.stale, self._set_stale, True)

    def found(self) -> None:
        """The source is back."""
        if self._staling is not None:
            self._staling.cancel()
            self._staling = None
        if self.stale:
            self._set_stale(False)

    def end(self, failure: Problem | None = None) -> None:
        """Ends all its watchers' streams. May be called again."""
        self.ended, self.failure = True, self.failure or failure
        self._beat.cancel()
        if self._staling is not None:
            self._staling.cancel()
        self._known.set()
        self._tell()

    async def ready(self) -> None:
        """Returns once there is a frame. The failure, or SERVICE_UNAVAILABLE."""
        try:
            async with asyncio.timeout(self.fanout.timing.ready):
                await self._known.wait()
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
        self.spread = self.fanout.spread
        loop = asyncio.get_running_loop()
        self._beat = loop.call_later(self.fanout.timing.beat, self._on_beat)
        self._tell()

    # The walk ------------------------------------------------------------------------------------

    def _tell(self) -> None:
        """Those who were passed already are visited again in another walk."""
        self._again = True
        if not self._walking and self._begin():
            self.fanout.turns.add(self._step)

    def _begin(self) -> bool:
        """Whether there is anybody to walk to."""
        self._walks_since, self._changed_at, self._again = self._changed_at, 0.0, False
        self._walk = iter(list(self.watchers))
        self._walking = bool(self.watchers)
        return self._walking

    def _step(self, most: int) -> bool:
        """Updates the next watchers, at most so many; whether there is more to do."""
        visited = 0
        for watcher in islice(self._walk, most):
            visited += 1
            _update(watcher)
        if visited:
            return True
        # A turn later than the last write, which is when the loop has sent it.
        self._count_fanout()
        self._walking = False
        return self._again and self._begin()

    def _count_fanout(self) -> None:
        if self._walks_since:
            FANOUT.observe(time.monotonic() - self._walks_since)


def _update(watcher: Watcher) -> None:
    """One that fails must not keep the others from the news."""
    try:
        watcher.update()
    except Exception:
        log.exception("a stream broke off")
        watcher.abort()


class View(Protocol):
    """What one watcher sees of a feed."""

    @property
    def feed(self) -> Feed: ...

    def news(self, seen: str) -> Frame | None:
        """The present frame, unless its id is `seen` or there is nothing sound to show."""
        ...

    def over(self) -> bool:
        """Whether no other frame can follow the one that `news` gave last."""
        ...

    def last_word(self) -> Awaitable[bytes] | None:
        """What is still to be found out and said, once it is over."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """The view of those who watch what the feed itself shows: all get the same bytes."""

    feed: Feed

    def news(self, seen: str) -> Frame | None:
        present = self.feed.frame
        return present if present is not None and present.id != seen else None

    def over(self) -> bool:
        return False

    def last_word(self) -> None:
        return None
