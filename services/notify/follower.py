"""Follows one office: its board for who is near, its journal for what happens to tickets.

Any number of replicas may follow the same office: each step is a script that does nothing the
second time. A stream of boards begins with the whole day, so what became due while nobody followed
is found there; the journal is taken up where it was left, and what the whole day has told already
is passed over.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.chassis.errors import Problem
from services.notify import metrics
from services.notify.model import ISSUING_STOPPED, NEAR, PASSED_OVER
from services.notify.moves import EVENTS, move_by, move_of, passed_over
from services.notify.queue_client import QueueClient, desk_of, thresholds_of
from services.notify.store import Move, Step, Store, facts
from services.queue_link.link import AWAY
from tunggu.queue.v1 import kecamatan_pb2, queue_pb2

PAUSE_S = 0.5
REST_S = 1.0
"""So long, at most, is followed what moves nothing before its place is noted."""

START = "start"
LOST = ("JOURNAL_REWOUND", "EVENTS_EXPIRED", "INVALID_REQUEST")
"""Reasons for which the journal does not know our place in it."""

log = logging.getLogger(__name__)


class AnewError(Exception):
    """What was followed of the journal no longer holds: begin with the present state."""


class Follower:
    """One office; `woken` is called when there is something to send. `day` is the running or last
    service day, empty before the first board."""

    def __init__(
        self, code: str, store: Store, queue: QueueClient, woken: Callable[[], None]
    ) -> None:
        self.code = code
        self.day = ""
        self._store = store
        self._queue = queue
        self._woken = woken
        self._force = False
        self._begin()

    def _begin(self) -> None:
        self._whole = asyncio.Event()
        self._until = ("", -1)
        self._notice = ""
        self._heads: dict[str, list[tuple[str, int]]] = {}
        self._rested = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._boards())
                    group.create_task(self._events())
            except* AnewError:
                log.warning("following anew", extra={"fields": {"kecamatan": self.code}})
                self._force = True
            except* Exception:  # a leaf that no release of ours has written, or a bug
                log.exception("cannot follow", extra={"fields": {"kecamatan": self.code}})
            self._begin()
            await asyncio.sleep(PAUSE_S)

    async def _office(self) -> kecamatan_pb2.Office:
        return await self._queue.office(self.code)

    def _told(self, kind: str, count: int) -> None:
        if count:
            metrics.DUE.labels(self.code, kind).inc(count)
            self._woken()

    def _broken(self, stream: str, problem: Problem) -> None:
        fields = {"kecamatan": self.code, "stream": stream, "reason": problem.reason}
        log.info("a stream ended", extra={"fields": fields})

    # The board ----------------------------------------------------------------------------------

    async def _boards(self) -> None:
        while True:
            try:
                async for message in self._queue.boards(self.code):
                    await self._board(message)
            except Problem as problem:
                self._broken("boards", problem)
            self._heads.clear()
            await asyncio.sleep(PAUSE_S)

    async def _board(self, message: queue_pb2.WatchBoardResponse) -> None:
        if message.service_day:
            office = await self._office()
            if message.snapshot:
                await self._take_whole(message, office)
            await self._come_near(message, office)
        self._whole.set()

    async def _take_whole(
        self, message: queue_pb2.WatchBoardResponse, office: kecamatan_pb2.Office
    ) -> None:
        """Brings every ticket with a subscription to where it stands."""
        day, self._heads = message.service_day, {}
        for old in await self._store.days(self.code):
            if old < day:
                await self._store.close_day(Step(self.code, old))
        numbers = await self._store.numbers(self.code, day)
        moves = [
            move_of(ticket, lambda counter: desk_of(office, counter), force=self._force)
            for ticket in message.tickets
            if ticket.number in numbers
        ]
        told = await self._store.move_tickets(Step(self.code, day), moves)
        self.day, self._until, self._force = day, (day, message.event), False
        self._notice = json.loads(message.body)["notice"]
        self._told("CAUGHT_UP", told)

    async def _come_near(
        self, message: queue_pb2.WatchBoardResponse, office: kecamatan_pb2.Office
    ) -> None:
        thresholds = thresholds_of(office)
        most = max(thresholds, default=-1) + 1
        heads = {line.service: _head(line.numbers, most) for line in message.lines}
        moved = {s: head for s, head in heads.items() if head != self._heads.get(s)}
        near = [place for head in moved.values() for place in head]
        if near:
            due = _moment(json.loads(message.body)["at"])
            at = Step(self.code, message.service_day)
            told = await self._store.come_near(at, near, thresholds, facts(due=due))
            self._told(NEAR, told)
        self._heads |= moved

    # The journal ----------------------------------------------------------------------------------

    async def _events(self) -> None:
        await self._whole.wait()
        while True:
            try:
                cursor = await self._store.cursor(self.code) or self._beginning()
                async for leaf, after in self._queue.events(self.code, cursor):
                    await self._event(json.loads(leaf), after)
            except Problem as problem:
                self._broken("events", problem)
                if problem.reason in LOST and problem.status not in AWAY:
                    await self._store.forget_place(self.code)
                    raise AnewError from problem
            await asyncio.sleep(PAUSE_S)

    def _beginning(self) -> str:
        """Of the day that the board shows: what issuing does now may have begun with it."""
        return f"{self.day}/-1" if self.day else START

    async def _event(self, leaf: dict[str, Any], after: str) -> None:
        at = Step(self.code, leaf["d"], leaf["n"], after)
        if leaf["e"] == "day.close":
            await self._store.close_day(at)
        elif leaf["e"] in ("issue.stop", "issue.go") and leaf["why"] != "hours":
            await self._issuing(leaf, at)
        elif leaf["e"] in EVENTS and (at.day, at.n) > self._until:
            await self._moved(leaf, at)
        await self._note(at)

    async def _moved(self, leaf: dict[str, Any], at: Step) -> None:
        office = await self._office()
        move = move_by(leaf, lambda counter: desk_of(office, counter))
        if leaf["e"] == "noshow":
            move = await self._passed_over(leaf, move)
        self._told(move.kind, await self._store.move_ticket(at, move))

    async def _passed_over(self, leaf: dict[str, Any], move: Move) -> Move:
        """The leaf does not say until when one may return; the queue does."""
        day, number = leaf["d"], leaf["k"]
        if await self._store.record(self.code, day, number) is None:
            return move
        ticket = await self._queue.numbered(self.code, day, number)
        told = passed_over(leaf["t"], ticket)
        return Move(move.number, move.ev, move.state, PASSED_OVER, told)

    async def _issuing(self, leaf: dict[str, Any], at: Step) -> None:
        """Of a stop that is past, only the one that still holds is told."""
        if leaf["e"] == "issue.go":
            await self._store.resume_issuing(at)
        elif (at.day, at.n) > self._until or self._notice == leaf["why"].upper():
            told = facts(due=leaf["t"], why=leaf["why"])
            self._told(ISSUING_STOPPED, await self._store.stop_issuing(at, told))

    async def _note(self, at: Step) -> None:
        """Notes the place now and then, for what moves no ticket with a subscription."""
        now = asyncio.get_running_loop().time()
        if now - self._rested > REST_S:
            await self._store.advance_place(at)
            self._rested = now


def _head(numbers: Any, most: int) -> list[tuple[str, int]]:
    return [(number, ahead) for ahead, number in enumerate(numbers[:most])]


def _moment(text: str) -> int:
    """Ms UTC of the board's `at`, 0 if it is empty."""
    return round(datetime.fromisoformat(text).timestamp() * 1000) if text else 0
