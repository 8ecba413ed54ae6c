"""One connection that many callers share: commands go out in turn, replies come back in order.

A place in the line of replies is never given up: who is cancelled or gives up leaves it empty, so
that no reply is ever taken for another's. Callers have lanes (an office each) that take turns
command by command, and only `WINDOW` commands are under way at once: a lane with a thousand
commands delays the others by one window. Absent: finding the server, and any repetition.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

import hiredis
from redis._parsers import BaseParser
from redis.exceptions import ConnectionError as LostError
from redis.exceptions import TimeoutError as LateError

from services.redis_link.redis_policy import CrowdedError, NotConnectedError

WINDOW = 128
"""Commands that are written and not answered: several round trips' worth, a few milliseconds."""

LANE_MOST = 4096
"""A lane in which so many commands wait takes no more."""


Argument = str | bytes | int | float


def packed(command: Sequence[Argument]) -> bytes:
    """As it travels."""
    return hiredis.pack_command(tuple(command))  # type: ignore[arg-type, no-any-return]


class Batch:
    """Commands of one caller. `future` gets the list of replies, errors among them in place."""

    __slots__ = ("future", "left", "replies", "since")

    def __init__(self, count: int, now: float, loop: asyncio.AbstractEventLoop) -> None:
        self.future: asyncio.Future[list[Any]] = loop.create_future()
        self.replies: list[Any] = [None] * count
        self.left = count
        self.since = now

    def settle(self, place: int, reply: Any) -> None:
        """Of all places the last one sets the future."""
        self.replies[place] = reply
        self.left -= 1
        if not self.left and not self.future.done():
            self.future.set_result(self.replies)


Unit = tuple[bytes, Batch, int, int]
"""What is never divided: packed commands, their batch, the first one's place in it, their count."""


class Wire(asyncio.Protocol):
    """`send` once it is connected. An answer is waited for `timeout` seconds (None = for ever); a
    command that has not had its turn by then is not sent at all. A server that says nothing at all
    for as long is given up."""

    def __init__(self, timeout: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._patience = timeout or 0.0
        self._reader = hiredis.Reader(replyError=BaseParser.parse_error)
        self._transport: asyncio.Transport | None = None
        self._lanes: dict[str, deque[Unit]] = {}
        self._turns: deque[str] = deque()
        self._sent: deque[tuple[Batch, int, float]] = deque()
        self._nobody = Batch(1, 0.0, self._loop)
        self._nobody.future.cancel()
        self._heard = 0.0
        self._why: Exception | None = None
        self._writable = True
        self._flush_due = False
        self._watch: asyncio.TimerHandle | None = None

    @property
    def over(self) -> bool:
        return self._why is not None or self.lost.done()

    def send(
        self, lane: str, commands: Sequence[bytes], *, whole: bool = False
    ) -> asyncio.Future[list[Any]]:
        """A reply or an error for each packed command, in order. With `whole` no other command
        comes between them. CrowdedError: the lane is full."""
        waiting = self._lanes.get(lane, ())
        if len(waiting) >= LANE_MOST:
            raise CrowdedError(f"{len(waiting)} commands wait in the lane {lane!r}")
        batch = Batch(len(commands), self._loop.time(), self._loop)
        if self.over:
            self._refuse(batch, range(len(commands)))
        elif whole:
            self._queue(lane, [(b"".join(commands), batch, 0, len(commands))])
        else:
            self._queue(lane, [(packed, batch, i, 1) for i, packed in enumerate(commands)])
        return batch.future

    def close(self, why: Exception | None = None) -> None:
        """What is not answered fails with `why`."""
        if not self.over:
            self._why = why or LostError("the connection was closed")
            if self._transport:
                self._transport.abort()

    # Going out ----------------------------------------------------------------------------------

    def _queue(self, lane: str, units: list[Unit]) -> None:
        if lane in self._lanes:
            self._lanes[lane].extend(units)
        else:
            self._lanes[lane] = deque(units)
            self._turns.append(lane)
        if not self._flush_due:  # one write for all that is asked in this turn of the loop
            self._flush_due = True
            self._loop.call_soon(self._flush)
        if self._patience and self._watch is None:
            self._watch = self._loop.call_later(self._patience / 4, self._look)

    def _flush(self) -> None:
        self._flush_due = False
        if self.over or self._transport is None or not self._writable:
            return
        out: list[bytes] = []
        now = self._loop.time()
        while self._turns and len(self._sent) < WINDOW:
            packed, batch, first, count = self._next()
            if batch.future.done():  # nobody waits for it any more
                continue
            out.append(packed)
            self._sent.extend((batch, place, now) for place in range(first, first + count))
        if out:
            self._transport.write(b"".join(out))

    def _next(self) -> Unit:
        lane = self._turns.popleft()
        units = self._lanes[lane]
        unit = units.popleft()
        if units:
            self._turns.append(lane)
        else:
            del self._lanes[lane]
        return unit

    def _look(self) -> None:
        """Now and then, while anything is open: is the server still there?"""
        self._watch = None
        late = self._loop.time() - self._patience
        if self._sent and max(self._sent[0][2], self._heard) < late:
            self.close(LateError("no answer in time"))
            return
        self._wait_no_more(late)
        for lane in list(self._lanes):
            self._give_up(lane, late)
        if self._sent or self._turns:
            self._watch = self._loop.call_later(self._patience / 4, self._look)

    def _wait_no_more(self, late: float) -> None:
        """For what was sent before; the places stay, for its replies may still come."""
        for i, (batch, place, when) in enumerate(self._sent):
            if when >= late:
                return
            if batch is not self._nobody:
                batch.settle(place, LateError("no answer in time"))
                self._sent[i] = (self._nobody, 0, when)

    def _give_up(self, lane: str, late: float) -> None:
        units = self._lanes[lane]
        while units and units[0][1].since < late:
            _, batch, first, count = units.popleft()
            for place in range(first, first + count):
                batch.settle(place, CrowdedError("its turn did not come in time"))
        if not units:
            del self._lanes[lane]
            self._turns.remove(lane)

    # Coming in ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not False:
                batch, place, _ = self._sent.popleft()
                batch.settle(place, reply)
        except (hiredis.ProtocolError, IndexError):
            self.close(LostError("the server does not speak Redis' protocol"))
            return
        if self._turns and not self._flush_due:
            self._flush()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        self._why = self._why or LostError(str(error or "the server closed the connection"))
        if self._watch:
            self._watch.cancel()
        sent, self._sent = self._sent, deque()
        for batch, place, _ in sent:
            batch.settle(place, self._why)
        lanes, self._lanes = self._lanes, {}
        self._turns.clear()
        for units in lanes.values():
            for _, batch, first, count in units:
                self._refuse(batch, range(first, first + count))
        if not self.lost.done():
            self.lost.set_result(None)

    def _refuse(self, batch: Batch, places: range) -> None:
        for place in places:
            batch.settle(place, NotConnectedError(str(self._why)))
