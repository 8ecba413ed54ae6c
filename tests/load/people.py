"""The people of the soak, over HTTP: they live all verbs, and never give up.

Whoever gets no answer repeats the same request with the same id until there is one; what was
acknowledged is in the ledger. A refusal is an answer.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.books import EVENTS
from tests.e2e.offices import new_id
from tests.load.city import City
from tests.load.wire import Line, request

AGAIN = (429, 503, 504)  # nothing was decided: the same request may be repeated
LINES = 96  # connections to the gateway
PAUSE = 0.2  # seconds between two tries
KEPT = 50  # one of so many requests is kept, to be repeated at the end


@dataclass
class Ledger:
    """By office what was acknowledged: the kind and the ticket's number by the event's."""

    written: dict[str, dict[int, tuple[str, str]]] = field(default_factory=dict)
    kept: list[tuple[bytes, Any]] = field(default_factory=list)
    verbs: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    twice: list[str] = field(default_factory=list)  # events acknowledged to two requests

    def note(self, verb: str, asked: bytes, answer: Any) -> None:
        self.verbs[verb] += 1
        changed = next(iter(answer.values()))
        office, event = changed["kecamatan"], changed["event"]
        events = self.written.setdefault(office, {})
        if event in events:
            self.twice.append(f"{office} {event} {verb}")
        events[event] = EVENTS[verb], changed.get("number", "")
        if self.verbs.total() % KEPT == 0 and verb == "CreateTicket":
            self.kept.append((asked, answer))

    @property
    def size(self) -> int:
        return self.verbs.total()


class People:
    """Citizens who come, and the staff of the offices. `served` counts requests answered."""

    def __init__(self, city: City, offices: Sequence[str], services: str, counters: int) -> None:
        self.ledger = Ledger()
        self.served = 0
        self._city = city
        self._offices, self._services, self._counters = offices, services, counters
        self._going = True
        self._chance = random.Random(7)
        self._lines: asyncio.LifoQueue[Line] = asyncio.LifoQueue()
        for _ in range(LINES):
            self._lines.put_nowait(Line(*city.at()[0]))
        self._tokens = {
            role: city.token(role, role.lower()) for role in ("OFFICER", "SUPERVISOR", "ADMIN")
        }

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """The staff works; at the end everyone gets the answer that is waited for."""
        async with asyncio.TaskGroup() as group:
            for code in self._offices:
                for counter in range(1, self._counters + 1):
                    group.create_task(self._officer(code, str(counter)))
                group.create_task(self._slow_officer(code, str(self._counters + 1)))
                group.create_task(self._supervisor(code, str(self._counters + 2)))
            try:
                yield
            finally:
                self._going = False

    def close(self) -> None:
        while not self._lines.empty():
            self._lines.get_nowait().close()

    # Requests -----------------------------------------------------------------------------------

    async def act(self, verb: str, path: str, body: Any = None, role: str = "") -> Any:
        """What changed, None if it was refused."""
        token = self._tokens.get(role, "")
        asked = request("POST", path, body or {}, token=token, key=new_id())
        status, answer = await self.answered(asked)
        if status in (200, 201):
            self.ledger.note(verb, asked, answer)
            return next(iter(answer.values()))
        assert status in (404, 409), (path, answer)
        self.ledger.refused[answer["reason"]] += 1
        return None

    async def answered(self, asked: bytes) -> tuple[int, Any]:
        """Status and JSON of the answer, however long it takes to get one."""
        while True:
            line = await self._lines.get()
            try:
                status, answer = await line.ask(asked)
            except (OSError, TimeoutError) as error:
                self.ledger.unanswered[type(error).__name__] += 1
            else:
                if status not in AGAIN or answer.get("reason") == "QUOTA_EXHAUSTED":
                    self.served += 1
                    return status, answer
                self.ledger.unanswered[answer["reason"]] += 1
            finally:
                self._lines.put_nowait(line)
            await asyncio.sleep(PAUSE * (1 + self._chance.random()))

    async def _look(self, path: str) -> None:
        status, answer = await self.answered(request("GET", path))
        assert status == 200, (path, answer)

    # Citizens -----------------------------------------------------------------------------------

    async def visit(self) -> None:
        """Somebody takes a number, looks, and mostly goes again; the others are called."""
        chance = self._chance
        code, service = chance.choice(self._offices), chance.choice(self._services)
        wish = {"service": service, "lane": "PRIORITY" if chance.random() < 0.1 else "REGULAR"}
        ticket = await self.act("CreateTicket", f"/v1/kecamatan/{code}/tickets", wish)
        if ticket is None:
            return
        mine = f"/v1/tickets/{ticket['id']}"
        if chance.random() < 0.3:
            await self._look(mine)
        if chance.random() < 0.2:
            await self.act("CheckInTicket", f"{mine}:checkIn")
        if chance.random() < 0.05:
            await self._look(f"/v1/kecamatan/{code}/board")
        if chance.random() < 0.05:
            number = f"/v1/kecamatan/{code}/tickets/{ticket['number']}"
            await self.act("SetTicketLane", f"{number}:setLane", {"lane": "PRIORITY"}, "OFFICER")
        if chance.random() < 0.9:
            await self.act("CancelTicket", f"{mine}:cancel")

    # Staff --------------------------------------------------------------------------------------

    async def _officer(self, code: str, counter: str) -> None:
        at = f"/v1/kecamatan/{code}/counters/{counter}"
        await self.act("OpenCounter", f"{at}:open", role="OFFICER")
        while self._going:
            ticket = await self.act("CallNextTicket", f"{at}:callNext", role="OFFICER")
            await asyncio.sleep(0.3 + 0.4 * self._chance.random())
            if ticket:
                await self._attend(code, at, ticket["number"], ticket["service"])

    async def _attend(self, code: str, at: str, number: str, service: str) -> None:
        ticket = {"ticket": number}
        if self._chance.random() < 0.05:
            path = f"/v1/kecamatan/{code}/tickets/{number}:requeue"
            await self.act("RequeueTicket", path, role="SUPERVISOR")
            return
        if self._chance.random() < 0.1:
            await self.act("SkipTicket", f"{at}:skip", ticket, "OFFICER")
            await self._return(code, number)
            return
        await self.act("StartTicket", f"{at}:start", ticket, "OFFICER")
        ending = self._chance.random()
        if ending < 0.1:
            if await self.act("HoldTicket", f"{at}:hold", ticket, "OFFICER"):
                await self._return(code, number)
            else:
                await self.act("CompleteTicket", f"{at}:complete", ticket, "OFFICER")
        elif ending < 0.2:
            other = self._chance.choice([s for s in self._services if s != service])
            wish = ticket | {"service": other}
            if not await self.act("TransferTicket", f"{at}:transfer", wish, "OFFICER"):
                await self.act("CompleteTicket", f"{at}:complete", ticket, "OFFICER")
        else:
            await self.act("CompleteTicket", f"{at}:complete", ticket, "OFFICER")

    async def _return(self, code: str, number: str) -> None:
        path = f"/v1/kecamatan/{code}/tickets/{number}:return"
        await self.act("ReturnTicket", path, role="OFFICER")

    async def _slow_officer(self, code: str, counter: str) -> None:
        """Calls again who does not come: 20 s later, as the rule has it."""
        at = f"/v1/kecamatan/{code}/counters/{counter}"
        await self.act("OpenCounter", f"{at}:open", role="OFFICER")
        while self._going:
            called = await self.act("CallNextTicket", f"{at}:callNext", role="OFFICER")
            await self._rest(21)
            if called:
                ticket = {"ticket": called["number"]}
                await self.act("RecallTicket", f"{at}:recall", ticket, "OFFICER")
                await self.act("SkipTicket", f"{at}:skip", ticket, "OFFICER")

    async def _supervisor(self, code: str, counter: str) -> None:
        """Stops and resumes issuing for a moment, changes what a closed counter serves, and gives
        the office's file once more."""
        at = f"/v1/kecamatan/{code}"
        while self._going:
            await self._rest(4 + 4 * self._chance.random())
            few = {"services": sorted(self._chance.sample(self._services, 3))}
            path = f"{at}/counters/{counter}"
            await self.act("SetCounterServices", f"{path}:setServices", few, "SUPERVISOR")
            await self.act("OpenCounter", f"{path}:open", role="SUPERVISOR")
            await self.act("CloseCounter", f"{path}:close", role="SUPERVISOR")
            if await self.act(
                "StopIssuing", f"{at}:stopIssuing", {"reason": "POWER"}, "SUPERVISOR"
            ):
                await self._rest(0.2)
                await self.act("ResumeIssuing", f"{at}:resumeIssuing", role="SUPERVISOR")

    async def _rest(self, seconds: float) -> None:
        """At most; shorter when all are told to go."""
        until = asyncio.get_running_loop().time() + seconds
        while self._going and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.1)
