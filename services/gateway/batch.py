"""Concurrent public requests for numbers, gathered into BatchCreateTickets.

A batch leaves at once when none is on its way; while some are, requests gather, so a
rush makes its own batches and a single request never waits for a timer. Each office
has its own line here and batches take from the lines in turn: a rush on one office
does not hold up another. Absent: any reading of what the requests say.
"""

import asyncio
import logging
import random
import time
from collections import Counter as Counts
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass

from grpc import StatusCode
from prometheus_client import Counter, Histogram

from services.chassis.client import PAUSES
from services.chassis.errors import Problem, from_status
from tunggu.queue.v1.queue_pb2 import (
    BatchCreateTicketsRequest,
    BatchCreateTicketsResponse,
    CreateTicketRequest,
)
from tunggu.queue.v1.ticket_pb2 import Ticket

log = logging.getLogger(__name__)
SIZES = Histogram(
    "tunggu_gateway_batch_size", "Requests in a batch. Sum.", buckets=(1, 2, 4, 8, 16, 32, 64, 128)
)
OVERLOADS = Counter("tunggu_gateway_overloads", "Requests for numbers refused unsent. Sum.")

Send = Callable[[BatchCreateTicketsRequest, float], Awaitable[BatchCreateTicketsResponse]]
Result = BatchCreateTicketsResponse.Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may be gathered and sent."""

    in_flight: int = 2  # batches on their way
    express: int = 2  # more of them, for offices that have none on its way
    size: int = 128  # requests in a batch
    share: int = 32  # of them, of one office: who comes meanwhile waits for no more
    waiting: int = 4096  # requests gathered and not sent
    deadline: float = 5.0  # seconds for a request, waiting included


@dataclass(slots=True, eq=False)
class _Item:
    request: CreateTicketRequest
    answer: "asyncio.Future[Ticket]"
    until: float  # monotonic seconds
    gone: Callable[[], bool]
    repeated: int = 0


class Lines:
    """Waiting requests: one line an office, taken from in turn.

    When all is full, who came last in the longest line has to go: an office cannot
    crowd out another.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: dict[str, deque[_Item]] = {}
        self._turns: deque[str] = deque()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, item: _Item) -> _Item | None:
        """Returns the one that has to go, if any; it may be `item`."""
        office = item.request.kecamatan
        if office not in self._lines:
            self._lines[office] = deque()
            self._turns.append(office)
        self._lines[office].append(item)
        self._count += 1
        return self._shed() if self._count > self._most else None

    def _shed(self) -> _Item:
        longest = max(self._lines.values(), key=len)
        self._count -= 1
        return longest.pop()

    def take(self, share: int, but: Collection[str] = ()) -> Iterator[_Item]:
        """Waiting requests, one of each office in turn and at most `share` of each, removed as
        they are taken; none of the offices `but`."""
        taken: Counts[str] = Counts()
        resting: list[str] = []
        try:
            while self._turns:
                office = self._turns.popleft()
                if taken[office] == share or office in but:
                    resting.append(office)
                elif line := self._lines[office]:
                    self._turns.append(office)
                    taken[office] += 1
                    self._count -= 1
                    yield line.popleft()
                else:
                    del self._lines[office]
        finally:
            self._turns.extendleft(reversed(resting))


class Batches:
    """Sends what gathers in `Lines`."""

    def __init__(self, send: Send, limits: Limits) -> None:
        self._send = send
        self._limits = limits
        self._lines = Lines(limits.waiting)
        self._running: set[asyncio.Task[None]] = set()
        self._on_way: Counts[str] = Counts()  # batches, by the offices that are in them

    @property
    def waiting(self) -> int:
        return len(self._lines)

    def submit(
        self, request: CreateTicketRequest, gone: Callable[[], bool] = lambda: False
    ) -> "asyncio.Future[Ticket]":
        """The ticket to come, or its Problem. Who is `gone`, or cancels it, before it is sent
        drops out: it is cancelled, and no number is given."""
        answer: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
        self._enter(_Item(request, answer, time.monotonic() + self._limits.deadline, gone))
        return answer

    def _enter(self, item: _Item) -> None:
        shed = self._lines.add(item)
        if shed is not None:
            OVERLOADS.inc()
            _settle(shed, Problem("OVERLOADED"))
        self._flush()

    def _flush(self) -> None:
        """Who has nothing on the way need not wait for those who have."""
        most = self._limits.in_flight
        while len(self._running) < most and (items := self._gather()):
            self._start(items)
        most += self._limits.express
        while len(self._running) < most and (items := self._gather(self._on_way)):
            self._start(items)

    def _start(self, items: list[_Item]) -> None:
        offices = {item.request.kecamatan for item in items}
        self._on_way.update(offices)
        task = asyncio.create_task(self._run(items))
        self._running.add(task)
        task.add_done_callback(lambda done: self._done(done, offices))

    def _done(self, task: asyncio.Task[None], offices: set[str]) -> None:
        self._running.discard(task)
        self._on_way.subtract(offices)
        self._on_way = +self._on_way
        self._flush()

    def _gather(self, but: Collection[str] = ()) -> list[_Item]:
        """The next batch, without those that went away or have waited too long."""
        items: list[_Item] = []
        now = time.monotonic()
        for item in self._lines.take(self._limits.share, but):
            if item.until <= now:
                _settle(item, Problem("DEADLINE_EXCEEDED"))
            elif item.gone():
                item.answer.cancel()
            elif not item.answer.done():
                items.append(item)
                if len(items) == self._limits.size:
                    break
        return items

    async def _run(self, items: list[_Item]) -> None:
        SIZES.observe(len(items))
        request = BatchCreateTicketsRequest(requests=[item.request for item in items])
        seconds = max(item.until for item in items) - time.monotonic()
        try:
            results = (await self._send(request, seconds)).results
            for item, result in zip(items, results, strict=True):
                self._take(item, _outcome(result))
        except Problem as problem:
            for item in items:
                _settle(item, problem)
        except Exception:
            log.exception("a batch failed")
            for item in items:
                _settle(item, Problem("INTERNAL"))

    def _take(self, item: _Item, outcome: Ticket | Problem) -> None:
        """Repeats an item whose outcome is unknown: its request id makes that safe."""
        again = isinstance(outcome, Problem) and outcome.status is StatusCode.UNAVAILABLE
        if not again or item.repeated == len(PAUSES):
            _settle(item, outcome)
            return
        pause = PAUSES[item.repeated] * (1 + random.random())  # noqa: S311  (spread, no secret)
        item.repeated += 1
        asyncio.get_running_loop().call_later(pause, self._enter, item)


def _outcome(result: Result) -> Ticket | Problem:
    if result.WhichOneof("outcome") == "ticket":
        return result.ticket
    return from_status(result.error) or Problem("INTERNAL", private=result.error.message)


def _settle(item: _Item, outcome: Ticket | Problem) -> None:
    if item.answer.done():
        return
    if isinstance(outcome, Problem):  # one of its own: a traceback grows with each raise
        own = Problem(outcome.reason, outcome.metadata, outcome.private)
        item.answer.set_exception(own)
    else:
        item.answer.set_result(outcome)
