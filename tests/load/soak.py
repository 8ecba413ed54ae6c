"""`make soak MINUTES=10`: all verbs at half of what the machine bears, with kills in it.

For 60 % of the time Redis, the queue's replicas, the gateway, and now and then everything is
killed and started again; the rest is calm, and there memory is weighed. At the end nothing that
was acknowledged is lost, nothing was done twice, and the verifier is clean for every office; else
the exit code is 1.

Redis and the queue hold the day, the gateway the tickets of offices that are watched: they may
grow by at most PER_EVENT, and not otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.queue.journal import parse
from tests.e2e.books import DUE
from tests.e2e.processes import DATE
from tests.e2e.proof import Account, assert_sound
from tests.load.city import City, at_rest
from tests.load.people import Ledger, People
from tests.load.weights import MB, Weights, growth
from tests.load.wire import request
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
PER_EVENT = {"redis": 2000, "queue": 1000, "gateway": 2500}  # bytes
SPARE = 8 * MB  # what a process may gain besides


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
        _tell(people.ledger, weights, plan)
        return faults + _weight_faults(weights, plan) + await _book_faults(city, people)


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


# The reckoning -----------------------------------------------------------------------------------


def _tell(ledger: Ledger, weights: Weights, plan: Plan) -> None:
    print(f"\nacknowledged, {ledger.size:,}: {_counted(ledger.verbs)}")
    print(f"refused: {_counted(ledger.refused)}")
    print(f"repeated after: {_counted(ledger.unanswered)}\n")
    print(f"MB of memory by process\n{weights.table(max(1.0, plan.whole / 10))}\n")


def _counted(counts: Any) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common()) or "none"


def _weight_faults(weights: Weights, plan: Plan) -> list[str]:
    """Of the calm time, without its first fifth, in which caches fill after the last start."""
    end = weights.samples[-1].at
    calm = weights.since(end - 0.8 * (plan.whole - plan.storm))
    faults = []
    for name in sorted(calm[-1].bytes):
        minute, event = growth(calm, name)
        print(f"{name}: {minute / MB:+.2f} MB a minute, {event:+.0f} bytes an event, while calm")
        gained = minute / 60 * (calm[-1].at - calm[0].at)
        admitted = PER_EVENT[name.partition("-")[0]]
        if plan.weighs and gained > SPARE and event > admitted:
            faults.append(f"{name} grows by {event:.0f} bytes an event: more than {admitted}")
    return faults


async def _book_faults(city: City, people: People) -> list[str]:
    """What the journals say against what was acknowledged, and what a repetition is told."""
    ledger = people.ledger
    faults = [f"acknowledged to two requests: {event}" for event in ledger.twice]
    before = {code: await _account(city, code) for code in OFFICES}
    for code, account in before.items():
        faults += _unsound(code, account) + _unbalanced(code, account, ledger.written.get(code, {}))
    faults += await _repeated(city, ledger)
    for code, account in before.items():
        if (await _account(city, code)).leaves != account.leaves:
            faults.append(f"{code}: a repetition wrote")
    print(f"{sum(len(account.leaves) for account in before.values()):,} events read and verified")
    return faults


async def _account(city: City, code: str) -> Account:
    """The day as a stranger reads it."""
    leaves: list[bytes] = []
    at = f"/v1/kecamatan/{code}"
    while True:
        page = await _bytes(city, f"{at}/days/{DATE}/events?after={len(leaves) - 1}")
        if not page:
            break
        leaves += page.splitlines()
    return Account(tuple(leaves), await _bytes(city, f"{at}/policies/{parse(leaves[0]).pol}"))


async def _bytes(city: City, path: str) -> bytes:
    status, body = await city.phone.fetch(request("GET", path))
    assert status == 200, (path, body)
    return body


def _unsound(code: str, account: Account) -> list[str]:
    try:
        assert_sound(account)
    except AssertionError as error:
        return [f"{code}: {str(error)[:500] or 'not sound'}"]
    return []


def _unbalanced(code: str, account: Account, told: dict[int, tuple[str, str]]) -> list[str]:
    """Acknowledged and not written, or written and acknowledged to nobody."""
    written = {event.n: event for event in account.events}
    lost = [n for n, (kind, _) in told.items() if n not in written or written[n].e != kind]
    extra = [n for n, event in written.items() if n not in told and event.e not in DUE]
    faults = [f"{code}: acknowledged and not there: {_few(lost)}"] if lost else []
    # The last number of each office was taken by faults() of the crowd.
    return faults + ([f"{code}: acknowledged to nobody: {_few(extra)}"] if len(extra) > 1 else [])


def _few(numbers: list[int]) -> str:
    return f"{len(numbers)}, the first {numbers[:5]}"


async def _repeated(city: City, ledger: Ledger) -> list[str]:
    """The same ticket and event for who asks again."""
    faults = []
    names = ("id", "number", "event")
    for asked, answer in random.Random(1).sample(ledger.kept, min(500, len(ledger.kept))):
        again = (await city.phone.do(asked))["ticket"]
        if any(again[name] != answer["ticket"][name] for name in names):
            faults.append(f"repeated, {answer['ticket']} became {again}")
    return faults


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
