"""What a stranger reads of a day, and what it proves."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from services.queue.journal import Event, parse
from services.queue.replay import Verdict
from services.queue.verify import verify
from tests.e2e.load import Act, Given, Ledger
from tests.e2e.offices import PATIENCE, Create, Way, acting, answered
from tests.e2e.processes import DATE, Town
from tunggu.queue.v1 import queue_pb2

PAGE = 5000
BATCH = 200


@dataclass(frozen=True)
class Account:
    """A day's leaves in order and its policy document."""

    leaves: tuple[bytes, ...]
    policy: bytes

    @cached_property
    def events(self) -> list[Event]:
        return [parse(leaf) for leaf in self.leaves]

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.e == kind]

    @cached_property
    def numbers(self) -> dict[str, list[str]]:
        """The numbers given, by the service they were issued for, in the order of issue."""
        given: dict[str, list[str]] = {}
        for event in self.of("issue"):
            given.setdefault(event.s, []).append(event.k)
        return given


async def read_day(way: Way, code: str) -> Account:
    leaves: list[bytes] = []
    while True:
        request = queue_pb2.ListEventsRequest(
            kecamatan=code, day=DATE, after=len(leaves) - 1, page_size=PAGE
        )
        page = (await way.queue.ListEvents(request)).body.splitlines()
        if not page:
            break
        leaves += page
    digest = parse(leaves[0]).pol
    policy = await way.queue.GetPolicy(queue_pb2.GetPolicyRequest(kecamatan=code, hash=digest))
    return Account(tuple(leaves), policy.body)


def assert_sound(account: Account) -> None:
    """G1, G4, G5: no gap, numbers consecutive from 001, one day.open, the verifier's word."""
    assert [event.n for event in account.events] == list(range(len(account.events)))
    for service, numbers in account.numbers.items():
        assert numbers == [f"{service}{i:03d}" for i in range(1, len(numbers) + 1)]
    assert len(account.of("day.open")) == 1
    report = verify(account.leaves, account.policy)
    assert report.breaches == ()
    assert report.verdict is Verdict.CLEAN


def assert_each_once(things: Iterable[object]) -> None:
    twice = [thing for thing, count in Counter(things).items() if count > 1]
    assert not twice


async def boards(ways: Iterable[Way], code: str) -> set[bytes]:
    """What the replicas show: one board if they agree."""
    request = queue_pb2.GetBoardRequest(kecamatan=code)
    return {(await way.queue.GetBoard(request)).body for way in ways}


async def assert_kept(town: Town, way: Way, offices: Iterable[str], ledger: Ledger) -> None:
    """G1 to G5 after whatever has happened, each word of the ledger held against the journal."""
    accounts = {office: await read_day(way, office) for office in offices}
    for office, account in accounts.items():
        assert_sound(account)
        _assert_tickets_in(account, [t for t in ledger.tickets if t[0].kecamatan == office])
        acts = [act for act in ledger.acts if act.request.kecamatan == office]
        _assert_acts_in(account, acts)
    await _assert_tickets_again(way, ledger)
    await _assert_acts_again(town, way, ledger)
    for office, account in accounts.items():
        assert (await read_day(way, office)).leaves == account.leaves, "a repetition wrote"


def _assert_tickets_in(account: Account, tickets: list[tuple[Create, Given]]) -> None:
    """Acknowledged is in the journal, in the journal is acknowledged: one ticket a request id."""
    issued = {(event.n, event.k, event.s) for event in account.of("issue")}
    assert issued == {(given.event, given.number, wish.service) for wish, given in tickets}
    assert len({wish.request_id for wish, _ in tickets}) == len(tickets) == len(issued)


def _assert_acts_in(account: Account, acts: list[Act]) -> None:
    written = [(e.e, e.n, e.k, e.c) for e in account.events if e.e in ("call", "start", "done")]
    asked = [(act.kind, act.event, act.number, act.request.counter) for act in acts]
    assert sorted(written) == sorted(asked)


async def _assert_tickets_again(way: Way, ledger: Ledger) -> None:
    for first in range(0, len(ledger.tickets), BATCH):
        part = ledger.tickets[first : first + BATCH]
        batch = queue_pb2.BatchCreateTicketsRequest(requests=[wish for wish, _ in part])
        answer = await way.queue.BatchCreateTickets(batch, timeout=PATIENCE)
        again = [(r.ticket.id, r.ticket.number, r.ticket.event) for r in answer.results]
        assert again == [(given.id, given.number, given.event) for _, given in part]


async def _assert_acts_again(town: Town, way: Way, ledger: Ledger) -> None:
    verbs = {
        "call": way.queue.CallNextTicket,
        "start": way.queue.StartTicket,
        "done": way.queue.CompleteTicket,
    }
    for act in ledger.acts:
        with acting(town.token("OFFICER", act.officer)):
            ticket = (await answered(verbs[act.kind], act.request)).ticket
        assert (ticket.number, ticket.event) == (act.number, act.event)


async def assert_boards_agree(ways: Iterable[Way], office: str, event: int) -> None:
    """Every replica comes to the board of the event, and it is the same board."""
    ways = list(ways)
    shown: set[bytes] = set()
    async with asyncio.timeout(PATIENCE):
        while {json.loads(body)["event"] for body in shown} != {event}:
            shown = await boards(ways, office)
    assert len(shown) == 1
