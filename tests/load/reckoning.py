"""What a soak is held against: memory, the journals, and what a repetition is told."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from services.queue.journal import Event, parse
from tests.e2e.books import DUE
from tests.e2e.processes import DATE
from tests.e2e.proof import Account, assert_sound
from tests.load.city import City
from tests.load.people import Ledger
from tests.load.weights import MB, Sample, Weights, growth
from tests.load.wire import request

# Redis and the queue hold the day, the gateway the tickets of offices that are watched: they may
# grow with its events by so many bytes each, and not otherwise.
PER_EVENT = {"redis": 2000, "queue": 1000, "gateway": 1200}
SPARE = 8 * MB  # what a process may gain besides
UNTOLD = 1  # events of an office that the soak itself wrote to see who hears of it


def tell(ledger: Ledger, weights: Weights, every: float) -> None:
    """What was done, and memory each `every` seconds."""
    print(f"\nacknowledged, {ledger.size:,}: {_counted(ledger.verbs)}")
    print(f"refused: {_counted(ledger.refused)}")
    print(f"repeated after: {_counted(ledger.unanswered)}\n")
    print(f"MB of memory by process\n{weights.table(max(1.0, every))}\n")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common()) or "none"


def weight_faults(calm: Sequence[Sample]) -> list[str]:
    """Of a time in which nothing was killed."""
    faults = []
    for name in sorted(calm[-1].bytes):
        minute, event = growth(calm, name)
        print(f"{name}: {minute / MB:+.2f} MB a minute, {event:+.0f} bytes an event, while calm")
        gained = minute / 60 * (calm[-1].at - calm[0].at)
        admitted = PER_EVENT[name.partition("-")[0]]
        if gained > SPARE and event > admitted:
            faults.append(f"{name} grows by {event:.0f} bytes an event: more than {admitted}")
    return faults


async def book_faults(city: City, ledger: Ledger, offices: Sequence[str]) -> list[str]:
    """What the journals say against what was acknowledged, and what a repetition is told."""
    faults = [f"acknowledged to two requests: {event}" for event in ledger.twice]
    before = {code: await _account(city, code) for code in offices}
    for code, account in before.items():
        faults += unsound(code, account) + unbalanced(code, account, ledger.written.get(code, {}))
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


def unsound(code: str, account: Account) -> list[str]:
    try:
        assert_sound(account)
    except AssertionError as error:
        return [f"{code}: {str(error)[:500] or 'not sound'}"]
    return []


def unbalanced(code: str, account: Account, told: dict[int, tuple[str, str]]) -> list[str]:
    """Acknowledged and not written, or written and acknowledged to nobody."""
    written = {event.n: event for event in account.events}
    lost = [n for n, (kind, number) in told.items() if not _is(written.get(n), kind, number)]
    extra = [n for n, event in written.items() if n not in told and event.e not in DUE]
    faults = [f"{code}: acknowledged and not there: {_few(lost)}"] if lost else []
    if len(extra) > UNTOLD:
        faults.append(f"{code}: acknowledged to nobody: {_few(extra)}")
    return faults


def _is(event: Event | None, kind: str, number: str) -> bool:
    """Counters and offices have no number."""
    return event is not None and event.e == kind and number in ("", event.k)


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
