"""What a stranger reads of a day, and what it proves."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from services.queue.journal import Event, parse
from services.queue.replay import Verdict
from services.queue.verify import verify
from tests.e2e.offices import Way
from tests.e2e.processes import DATE
from tunggu.queue.v1 import queue_pb2

PAGE = 5000


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
