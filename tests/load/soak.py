"""`make soak MINUTES=10`: all verbs at half of what the machine bears, with kills in it.

For 60 % of the time Redis, the queue's replicas, the gateway, and now and then everything is
killed and started again; the rest is calm, and there memory is weighed. At the end nothing that
was acknowledged is lost, nothing was done twice, and the verifier is clean for every office; else
the exit code is 1.

How that is found out is `reckoning`'s.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.load.city import City, at_rest
from tests.load.people import People
from tests.load.reckoning import book_faults, tell, weight_faults
from tests.load.weights import Weights
from tests.load.worker import Worker, working

OFFICES = [f"73.71.{number:02}" for number in range(1, 9)]
SERVICES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # so many numbers a day of each
COUNTERS = 4  # of each office that call all the time; two more do other things
RULE = {"skip": {"calls": 1, "after": "0s"}, "return": {"times": 3}}
AT_ONCE = 48  # visits at a time while capacity is measured
WATCHERS = 25  # of each office
KILLED: tuple[tuple[str, ...], ...] = (
    ("redis",),
    ("queue-1",),
    ("gateway-1",),
    ("queue-2",),
    (),
)  # () = everything


@dataclass(frozen=True)
class Plan:
    """In seconds. A short one is for the test of it."""

    whole: float
    measure: float = 5.0
    weighs: bool = True

    @property
    def storm(self) -> float:
        return self.whole * 0.6

    @property
    def calm(self) -> float:
        """The end of it; the first fifth is not weighed: caches fill after the last start."""
        return self.whole - self.storm

    @property
    def every(self) -> float:
        """Between two kills: at least three, at most one a minute."""
        return min(60.0, self.storm / 4)


async def soak(plan: Plan, folder: Path) -> list[str]:
    """What went wrong, in words; prints how it went."""
    with City(folder, replicas=2, gateways=(("queue-1", "queue-2"),)) as city:
        await city.start()
        for code in OFFICES:
            await city.apply(code, services=SERVICES, counters=COUNTERS + 2, rule=RULE)
        people = People(city, OFFICES, SERVICES, COUNTERS)
        weights = Weights(city.pids, lambda: people.ledger.size)
        async with working("watchers") as worker:
            crowd = Crowd(city, worker)
            async with weights.kept(), people.at_work():
                rate = await _capacity(people, plan) / 2
                await _lived(city, people, crowd, rate, plan)
            people.close()
            faults = await crowd.faults()
        tell(people.ledger, weights, plan.whole / 10)
        calm = weights.since(weights.samples[-1].at - 0.8 * plan.calm)
        grown = weight_faults(calm) if plan.weighs else []
        return faults + grown + await book_faults(city, people.ledger, OFFICES)


async def _capacity(people: People, plan: Plan) -> float:
    """Visits a second when the next one begins as soon as one is over."""
    until = time.monotonic() + plan.measure
    visits = itertools.count()

    async def one_after_the_other() -> None:
        while time.monotonic() < until:
            await people.visit()
            next(visits)

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
    found = next(visits) / plan.measure
    print(f"capacity: {found:.0f} visits/s, {people.served / plan.measure:.0f} requests/s")
    return found


async def _lived(city: City, people: People, crowd: Crowd, rate: float, plan: Plan) -> None:
    """Visits at the rate, watchers, and the storm."""
    print(f"soak: {plan.whole:.0f} s at {rate:.0f} visits/s", flush=True)
    begun, served = time.monotonic(), people.served
    async with asyncio.TaskGroup() as group:
        group.create_task(crowd.stays(begun + plan.whole))
        group.create_task(_storm(city, begun, plan))
        for number in itertools.count():
            due = begun + number / rate
            if due >= begun + plan.whole:
                break
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            group.create_task(people.visit())
    print(f"{(people.served - served) / (time.monotonic() - begun):.0f} requests/s answered")


async def _storm(city: City, begun: float, plan: Plan) -> None:
    victims = itertools.cycle(KILLED)
    for number in itertools.count(1):
        at = begun + number * plan.every
        if at >= begun + plan.storm:
            return
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        names = next(victims)
        city.kill(*names)
        await city.start(*names)
        took = time.monotonic() - max(at, begun)
        said = "+".join(names) or "everything"
        print(f"{at - begun:6.0f} s: {said} killed, up after {took:.1f} s", flush=True)


class Crowd:
    """People who watch the boards, and come back when they have been left alone."""

    def __init__(self, city: City, worker: Worker) -> None:
        self._city, self._worker = city, worker

    async def stays(self, until: float) -> None:
        while time.monotonic() < until:
            await self._come()
            await asyncio.sleep(2)

    async def _come(self) -> int:
        """How many watch now."""
        ((host, port),) = self._city.at()
        answer: dict[str, Any] = {"open": 0}
        for code in OFFICES:
            path = f"/v1/streams/kecamatan/{code}/board"
            ask = {"host": host, "port": port, "path": path, "upto": WATCHERS}
            answer = await self._worker.ask(do="open", **ask)
        return int(answer["open"])

    async def faults(self) -> list[str]:
        """After the load: each watcher is there and hears of the next event."""
        there = await self._come()
        await at_rest()
        await self._worker.ask(do="seen", forget=True)
        for code in OFFICES:
            await self._city.act(code, "/counters/1:open")  # writes nothing: it is open
            await self._city.fill(code, 1, SERVICES)
        await at_rest(3)
        seen = (await self._worker.ask(do="seen"))["events"]
        heard = sum(count for count, _, _ in seen.values())
        wanted = len(OFFICES) * WATCHERS
        print(f"{there} watchers, {heard} heard the last events")
        good = there == wanted and heard >= wanted
        return [] if good else [f"{heard} of {wanted} watchers heard the last events"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        faults = asyncio.run(soak(Plan(minutes * 60), Path(folder)))
    for fault in faults:
        print("FAULT:", fault)
    print("soak:", "failed" if faults else "nothing lost, nothing doubled, memory flat, verified")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
