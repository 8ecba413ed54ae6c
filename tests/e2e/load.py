"""Continuous load: people taking numbers and officers calling them, who never give up.

Whoever gets no answer repeats the same request with the same id until there is one. What was
answered is in the ledger; when the load has ended, so is everything that was ever asked.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from services.chassis.errors import Problem
from tests.e2e.offices import AGAIN, PATIENCE, PAUSE, SERVICES, Create, Way, acting, new_id, post
from tests.e2e.processes import Town
from tunggu.queue.v1 import queue_pb2 as pb
from tunggu.queue.v1.ticket_pb2 import LANE_PRIORITY, LANE_REGULAR

BREATH = 0.03  # seconds between two requests of a client


@dataclass(frozen=True)
class Given:
    """A ticket as its holder was told of it."""

    id: str
    number: str
    event: int


@dataclass(frozen=True)
class Act:
    """An officer's verb as it was acknowledged: the journal's word for it, and its request."""

    kind: str
    officer: str
    request: Any
    number: str
    event: int


@dataclass
class Ledger:
    """Acknowledgements, by request in the order of arrival. `unanswered` counts tries in vain."""

    tickets: list[tuple[Create, Given]] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    unanswered: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        return len(self.tickets) + len(self.acts)

    async def grows(self, by: int) -> None:
        """Returns when there are so many more acknowledgements."""
        until = self.size + by
        async with asyncio.timeout(PATIENCE):
            while self.size < until:
                await asyncio.sleep(0.02)

    async def misses(self, by: int = 1) -> None:
        """Returns when so many more tries have been in vain."""
        until = self.unanswered.total() + by
        async with asyncio.timeout(PATIENCE):
            while self.unanswered.total() < until:
                await asyncio.sleep(0.02)


class Load:
    """`people` take numbers by gRPC, `phones` by HTTP, `officers` work, in the given offices.

    `patient` clients repeat by themselves; others rely on chassis.client alone, and any
    refusal for want of an answer then ends the test.
    """

    def __init__(
        self,
        town: Town,
        offices: list[str],
        *,
        people: int = 16,
        phones: int = 0,
        officers: int = 4,
        patient: bool = True,
    ) -> None:
        self.ledger = Ledger()
        self._town = town
        self._offices = offices
        self._counts = people, phones, officers
        self._patient = patient
        self._stop = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Ledger]:
        """At the end every client gets the answer it waits for, then leaves."""
        people, phones, officers = self._counts
        async with (
            Way.to(self._town.target()) as way,
            self._http() as http,
            asyncio.TaskGroup() as group,
        ):
            for i in range(people):
                group.create_task(self._person(way, random.Random(i)))
            for i in range(phones):
                group.create_task(self._phone(http, random.Random(1000 + i)))
            for i in range(officers):
                group.create_task(self._officer(way, i))
            try:
                yield self.ledger
            finally:
                self._stop.set()

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self._town.url, trust_env=False, timeout=10)

    # People -------------------------------------------------------------------------------------

    def _wish(self, chance: random.Random) -> Create:
        return Create(
            kecamatan=chance.choice(self._offices),
            service=chance.choice(SERVICES),
            lane=LANE_PRIORITY if chance.random() < 0.1 else LANE_REGULAR,
            request_id=new_id(),
        )

    async def _person(self, way: Way, chance: random.Random) -> None:
        while not self._stop.is_set():
            wish = self._wish(chance)
            ticket = (await self._answer(way.queue.CreateTicket, wish)).ticket
            self._took(wish, ticket.id, ticket.number, ticket.event)
            await asyncio.sleep(BREATH)

    async def _phone(self, http: httpx.AsyncClient, chance: random.Random) -> None:
        while not self._stop.is_set():
            wish = self._wish(chance)
            found = await self._until(partial(self._post, http, wish))
            self._took(wish, found["id"], found["number"], found["event"])
            await asyncio.sleep(BREATH)

    async def _post(self, http: httpx.AsyncClient, wish: Create) -> Any:
        """The ticket, None if there was no answer to the question."""
        answer = await post(http, wish)
        if isinstance(answer, str):
            self.ledger.unanswered[answer] += 1
            return None
        return answer

    def _took(self, wish: Create, id: str, number: str, event: int) -> None:
        self.ledger.tickets.append((wish, Given(id, number, event)))

    # Officers -----------------------------------------------------------------------------------

    async def _officer(self, way: Way, index: int) -> None:
        """The first officer of each office sits at counter 1, the second at 2."""
        office = self._offices[index % len(self._offices)]
        at = {"kecamatan": office, "counter": str(1 + index // len(self._offices))}
        officer = f"officer-{office}-{at['counter']}"
        with acting(self._town.token("OFFICER", officer)):
            await self._answer(way.queue.OpenCounter, pb.OpenCounterRequest(**at))
            while not self._stop.is_set():
                await self._serve(way, officer, at)

    async def _serve(self, way: Way, officer: str, at: dict[str, str]) -> None:
        call = pb.CallNextTicketRequest(**at, request_id=new_id())
        number = await self._act("call", officer, way.queue.CallNextTicket, call)
        if number is None:
            await asyncio.sleep(BREATH)
            return
        start = pb.StartTicketRequest(**at, ticket=number, request_id=new_id())
        await self._act("start", officer, way.queue.StartTicket, start)
        done = pb.CompleteTicketRequest(**at, ticket=number, request_id=new_id())
        await self._act("done", officer, way.queue.CompleteTicket, done)
        await asyncio.sleep(BREATH)

    async def _act(self, kind: str, officer: str, call: Any, request: Any) -> str | None:
        """The ticket's number, None if nobody waits."""
        try:
            ticket = (await self._answer(call, request)).ticket
        except Problem as problem:
            if problem.reason == "NOBODY_WAITING":
                return None
            raise
        self.ledger.acts.append(Act(kind, officer, request, ticket.number, ticket.event))
        return str(ticket.number)

    # Patience -----------------------------------------------------------------------------------

    async def _answer(self, call: Any, request: Any) -> Any:
        async def once() -> Any:
            try:
                return await call(request)
            except Problem as problem:
                if problem.status not in AGAIN or not self._patient:
                    raise
                self.ledger.unanswered[problem.reason] += 1
                return None

        return await self._until(once)

    async def _until(self, once: Callable[[], Awaitable[Any]]) -> Any:
        async with asyncio.timeout(PATIENCE):
            while (answer := await once()) is None:
                await asyncio.sleep(PAUSE)
        return answer
