"""The people of the demonstration: citizens and officers, over HTTP and nothing else.

They live in the day's time: a minute of the plan lasts 60 / speed real seconds.
Officers call when they know of somebody waiting: each number given goes into the
line of its counters, each call takes one out. The board would tell them too, but
its second of delay is five minutes of a day that runs 300 times as fast.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.local import demo_day
from services.local.clock import Clock
from services.local.demo_day import CODE, Encounter, Pool, Recorded, Shift, Visit

BOARD_WATCHERS = 3
WATCHED = 12  # one of so many citizens keeps the page of the ticket open
_GONE = ("COMPLETED", "NO_SHOW", "CANCELLED", "LAPSED")
_WALK = 0.4  # minutes from call to desk
_AGAIN = 0.5  # minutes between two calls of somebody absent
_CALLS = 3  # of somebody absent, as the rule of data/bemowo.yaml asks
_LAST_LOOK = 10.0  # real seconds in which the pages of served tickets must show it

# The minutes at which numbers came that nobody has called for yet; None = no more will come.
Line = asyncio.Queue[float | None]


class Refused(Exception):  # noqa: N818 - who is refused goes home; it is counted, not handled
    """An answer that was none, or an error."""


@dataclass
class Tally:
    """What has happened so far, as the answers told."""

    issued: int = 0
    called: int = 0
    served: int = 0
    absent: int = 0
    open: int = 0
    boards: int = 0
    pages: int = 0  # tickets watched
    pages_ended: int = 0  # of these, seen to their end
    errors: Counter[str] = field(default_factory=Counter)


class Hall:
    """One day in one office. `tokens`: of the kiosk, `kiosk`, and of each counter, by id."""

    def __init__(self, http: httpx.AsyncClient, clock: Clock, tokens: Mapping[str, str]) -> None:
        self.tally = Tally()
        self._http = http
        self._clock = clock
        self._tokens = tokens
        self._lines: dict[str, Line] = {}
        self._pages: list[asyncio.Task[None]] = []

    def minute(self) -> float:
        """Of the day, now."""
        return demo_day.minute_of(self._clock.now_ms())

    async def until(self, minute: float) -> None:
        # A sleep may end a clock tick early, which is seconds of a fast day.
        while (left := self._real_seconds(minute)) > 0:  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(left)

    async def live(self, day: Sequence[Recorded]) -> None:
        """From the first citizen to the last. Whatever is refused is in the tally's errors."""
        boards = [asyncio.create_task(self._watch_board()) for _ in range(BOARD_WATCHERS)]
        try:
            async with asyncio.timeout(self._real_seconds(demo_day.DAY_ENDS)):
                await self._work(day)
            if self._pages and not self.tally.errors:
                await asyncio.wait(self._pages, timeout=_LAST_LOOK)
        except TimeoutError:
            self.tally.errors[
                "the day was over before everyone was served: SPEED= is too high here"
            ] += 1
        finally:
            for task in (*boards, *self._pages):
                task.cancel()
            await asyncio.gather(*boards, *self._pages, return_exceptions=True)

    async def _work(self, day: Sequence[Recorded]) -> None:
        async with asyncio.TaskGroup() as people:
            for pool in demo_day.POOLS:
                line: Line = asyncio.Queue()
                self._lines |= dict.fromkeys(pool.services, line)
                for counter, its_shifts in self._roster(day, pool):
                    people.create_task(self._officer(counter, line, its_shifts))
            people.create_task(self._citizens(demo_day.visits(day)))

    def _roster(self, day: Sequence[Recorded], pool: Pool) -> list[tuple[str, list[Shift]]]:
        steps = demo_day.open_counters(day, pool)
        return [(c, demo_day.shifts(steps, rank)) for rank, c in enumerate(pool.counters)]

    # Citizens

    async def _citizens(self, visits: Sequence[Visit]) -> None:
        async with asyncio.TaskGroup() as arriving:
            for i, visit in enumerate(visits):
                await self.until(visit.at)
                arriving.create_task(self._citizen(visit, watches=i % WATCHED == 0))
        for pool in demo_day.POOLS:
            self._lines[pool.services[0]].put_nowait(None)

    async def _citizen(self, visit: Visit, *, watches: bool) -> None:
        headers = {"Tunggu-Holder": visit.holder}
        if visit.channel == "KIOSK":
            headers |= self._bearer("kiosk")
        wish = {"service": visit.service, "channel": visit.channel}
        try:
            ticket = await self._post("tickets", wish, headers)
        except Refused:
            return
        self.tally.issued += 1
        self._lines[visit.service].put_nowait(self.minute())
        if watches:
            self.tally.pages += 1
            self._pages.append(asyncio.create_task(self._watch_ticket(ticket["id"])))

    # Officers

    async def _officer(self, counter: str, line: Line, its_shifts: Sequence[Shift]) -> None:
        try:
            for shift in its_shifts:
                await self.until(shift.start)
                await self._at_counter(counter, line, shift)
        except Refused:
            return

    async def _at_counter(self, counter: str, line: Line, shift: Shift) -> None:
        await self._verb(counter, "open")
        self.tally.open += 1
        free = shift.start
        try:
            while (since := await self._somebody_waits(line, shift.end)) is not None:
                # From when it should have begun, not from when it does: else the
                # delays of HTTP, minutes of a fast day, would add up in a busy line.
                free = await self._serve(counter, max(free, since))
            await self._verb(counter, "close")
        finally:
            self.tally.open -= 1

    async def _somebody_waits(self, line: Line, end: float | None) -> float | None:
        """Since which minute; None at the end of the shift, or when no more will come."""
        if end is not None and self.minute() >= end:
            return None
        try:
            async with asyncio.timeout(None if end is None else self._real_seconds(end)):
                since = await line.get()
        except TimeoutError:
            return None
        if since is None:
            line.put_nowait(None)  # for the next counter of the line
        return since

    async def _serve(self, counter: str, began: float) -> float:
        """One ticket, from its call on; the minute at which the counter is free again."""
        number = (await self._verb(counter, "callNext"))["number"]
        self.tally.called += 1
        encounter = demo_day.encounter(number)
        if encounter.absent:
            await self._wait_in_vain(counter, number)
            return self.minute()
        await self._meet(counter, number, began, encounter)
        return began + encounter.minutes

    async def _meet(self, counter: str, number: str, began: float, encounter: Encounter) -> None:
        await self.until(began + _WALK)
        await self._verb(counter, "start", number)
        await self.until(began + encounter.minutes)
        await self._verb(counter, "complete", number)
        self.tally.served += 1

    async def _wait_in_vain(self, counter: str, number: str) -> None:
        # Counted from each answer on, so never too early for the rule.
        for _ in range(_CALLS - 1):
            await self.until(self.minute() + _AGAIN)
            await self._verb(counter, "recall", number)
        await self.until(self.minute() + _AGAIN)
        await self._verb(counter, "skip", number)
        self.tally.absent += 1

    async def _verb(self, counter: str, verb: str, ticket: str = "") -> dict[str, Any]:
        body = {"ticket": ticket} if ticket else {}
        return await self._post(f"counters/{counter}:{verb}", body, self._bearer(counter))

    # Watchers

    async def _watch_board(self) -> None:
        async for _ in self._events(f"/v1/streams/kecamatan/{CODE}/board"):
            self.tally.boards += 1

    async def _watch_ticket(self, ticket_id: str) -> None:
        async for data in self._events(f"/v1/streams/tickets/{ticket_id}"):
            if json.loads(data)["state"] in _GONE:
                self.tally.pages_ended += 1
                return

    async def _events(self, path: str) -> AsyncIterator[str]:
        """The data of each event, across reconnects, until the server says no."""
        while True:
            try:
                async with self._http.stream("GET", path, timeout=_STREAM) as answer:
                    if answer.is_error:
                        await answer.aread()
                        self._note(answer)
                        return
                    async for line in answer.aiter_lines():
                        if line.startswith("data:"):
                            yield line[5:].strip()
            except httpx.HTTPError as error:
                self.tally.errors[type(error).__name__] += 1
                return

    # HTTP

    async def _post(self, path: str, body: object, headers: Mapping[str, str]) -> dict[str, Any]:
        """The ticket or counter in the answer. Refused, and counted, if there is none."""
        url = f"/v1/kecamatan/{CODE}/{path}"
        try:
            answer = await self._http.post(url, json=body, headers=dict(headers))
        except httpx.HTTPError as error:
            self.tally.errors[type(error).__name__] += 1
            raise Refused from None
        if answer.is_error:
            self._note(answer)
            raise Refused
        (resource,) = answer.json().values()
        return dict(resource)

    def _note(self, answer: httpx.Response) -> None:
        try:
            reason = str(answer.json()["reason"])
        except (ValueError, KeyError, TypeError):
            reason = "without a reason"
        self.tally.errors[f"{answer.status_code} {reason}"] += 1

    def _bearer(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[name]}"}

    def _real_seconds(self, minute: float) -> float:
        return self._clock.real_seconds_until(demo_day.epoch_ms(minute))


_STREAM = httpx.Timeout(10.0, read=60.0)  # a comment comes at least every 15 s
