"""Lua in a real Redis and the pure policy, driven with the same days, answer alike to the byte."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from services.chassis.errors import Problem
from services.queue import commands as do
from services.queue import store as store_module
from services.queue.agenda import Agenda, running
from services.queue.archive import Archive
from services.queue.journal import encode
from services.queue.keys import Keys
from services.queue.policy import day_bounds_ms
from services.queue.request import Request
from services.queue.rows import Done
from services.queue.store import Store
from services.queue.verbs import Refused
from services.redis_link.clock import Clock
from tests.queue.days import RandomDay, Step, random_day

CODE = "73.71.03"


class Driver:
    """A store whose agenda is the random day's policy, and whose clock is each step's."""

    def __init__(self, redis: Any, day: RandomDay, code: str) -> None:
        self.code = code
        self.store = Store(redis)
        self.policy = day.office.policy
        self.date = day.office.date
        self.store._fresh_agenda = self._fresh_agenda  # type: ignore[method-assign]

    async def _fresh_agenda(self, code: str) -> Agenda:
        agenda = running(self.date, self.policy.document, "salt")
        return replace(agenda, document=self.policy.document, names=b"{}", generation="1")

    async def take(self, step: Step) -> Done | Problem | None:
        self.store.clock = Clock(0, step.clock, 0.0, mapped=True)
        try:
            return await self._do(step.command)
        except Problem as problem:
            return problem

    async def _do(self, command: do.Command) -> Done | None:  # noqa: C901 - a case a verb
        store = self.store
        ask = Request(self.code, type(command).__name__, supervisor=True, subject="s")
        match command:
            case do.CreateTicket(service, lane, channel, holder):
                return await self._create(ask, service, lane, channel, holder)
            case do.OpenCounter(c):
                return await store.open_counter(ask, c)
            case do.CloseCounter(c):
                return await store.close_counter(ask, c)
            case do.SetCounterServices(c, services):
                return await store.set_counter_services(ask, c, services)
            case do.CallNextTicket(c):
                return await store.call_next_ticket(ask, c)
            case do.RecallTicket(c, k):
                return await store.recall_ticket(ask, c, k)
            case do.StartTicket(c, k):
                return await store.start_ticket(ask, c, k)
            case do.CompleteTicket(c, k):
                return await store.complete_ticket(ask, c, k)
            case do.SkipTicket(c, k):
                return await store.skip_ticket(ask, c, k)
            case do.HoldTicket(c, k):
                return await store.hold_ticket(ask, c, k)
            case do.TransferTicket(c, k, s):
                return await store.transfer_ticket(ask, c, k, s)
            case do.ReturnTicket(k):
                return await store.return_ticket(ask, "", k)
            case do.CancelTicket(k, by):
                return await store.cancel_ticket(ask, "", k, by)
            case do.CheckInTicket(k):
                return await store.check_in_ticket(ask, "", k)
            case do.SetTicketLane(k):
                return await store.set_ticket_lane(ask, k)
            case do.RequeueTicket(k):
                return await store.requeue_ticket(ask, k)
            case do.StopIssuing(why):
                return await store.stop_issuing(ask, why)
            case do.ResumeIssuing():
                return await store.resume_issuing(ask)
            case do.Tick():
                await self._tick()
                return None
            case do.CloseDay():
                await self._close()
                return None

    async def _create(
        self, ask: Request, service: str, lane: Any, channel: Any, holder: str
    ) -> Done:
        """The day's holders are hashes already; a store hashes them once more."""
        build = store_module._new_ticket(service, lane, channel, "")

        def exact(agenda: Agenda) -> list[Any]:
            args = build(agenda)
            args[5] = holder
            return args

        return await self.store._step(ask, "create_ticket", exact)

    async def _tick(self) -> None:
        """Only its writes matter, and not the close that production's tick goes on to."""
        agenda = await self._fresh_agenda(self.code)
        call = self.store._call(Request(self.code, "Tick"), agenda, [agenda.hours[0][0]])
        await self.store._run("tick", *call)

    async def _close(self) -> None:
        agenda = await self._fresh_agenda(self.code)
        call = self.store._call(Request(self.code, "CloseDay"), agenda, ["0"])
        await self.store._run("close_day", *call)


async def assert_same(redis: Any, seed: int, code: str) -> None:
    """A random day of the office, each step done here and there."""

    def moved(leaf: bytes) -> bytes:
        return leaf.replace(CODE.encode(), code.encode())

    day = random_day(Random(seed), steps=250)
    await redis.hset(Keys(code, "").of("file"), mapping={"generation": "1", "deleted": "0"})
    driver, archive, written = Driver(redis, day, code), Archive(redis), 0
    midnight, next_midnight = day_bounds_ms(day.office.policy, day.office.date)
    for step, expected in zip(day.steps, day.answers, strict=True):
        today = midnight <= step.clock < next_midnight
        if not today and not isinstance(step.command, do.CloseDay):
            continue  # another date's: production would look at that one
        answer = await driver.take(step)
        where = f"seed {seed}, {step}: {expected} but {answer}"
        if isinstance(expected, Refused):
            assert isinstance(answer, Problem), where
            assert answer.reason == expected.reason, where
        else:
            assert not isinstance(answer, Problem), where
            leaves = await archive.leaves(code, day.office.date, written - 1) if expected else []
            assert leaves == [moved(encode(e)) for e in expected], where
            written += len(expected)
    assert await archive.all_leaves(code, day.office.date) == [*map(moved, day.office.leaves)]


@pytest.mark.parametrize("seed", range(60))
async def test_lua_and_python_accept_refuse_and_write_the_same(redis: Any, seed: int) -> None:
    await assert_same(redis, seed, CODE)
