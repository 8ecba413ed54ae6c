"""What a day's events add up to, counted here in another way."""

from collections import Counter
from random import Random

import pytest

from services.queue import commands as do
from services.queue.fold import apply, fresh_day
from services.queue.model import Channel, Lane, State
from services.queue.tallies import MINUTES_OF_WAITING, Tallies, Times
from tests.queue.days import MINUTE, Office, random_day


def tallies_of(office):
    day, tallies = fresh_day(office.policy, office.date), Tallies(office.policy.services)
    for event in office.events:
        apply(day, event)
        tallies.observe(day, event)
    return tallies


def test_a_time_that_is_a_class_s_bound_belongs_to_it():
    times = Times(MINUTES_OF_WAITING)
    for ms in (0, MINUTE, MINUTE + 1, 120 * MINUTE, 120 * MINUTE + 1):
        times.add(ms)
    assert times.counts == [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]
    assert times.ms == 242 * MINUTE + 2


def test_only_the_first_call_ends_a_wait_also_when_the_second_is_in_the_same_millisecond():
    office = Office().opened("1")
    number = office.take()
    office.call("1", after=3 * MINUTE)
    office.do(do.RequeueTicket(number))
    office.call("1", after=0)
    tallies = tallies_of(office).by_service["A"]
    assert (sum(tallies.waits.counts), tallies.waits.ms) == (1, 3 * MINUTE)
    assert tallies.calls == {Lane.REGULAR: 2}


def test_a_transfer_takes_nothing_back_from_the_service_it_leaves():
    office = Office().opened("1")
    number = office.take("A", Lane.PRIORITY, channel=Channel.KIOSK)
    office.call("1")
    office.do(do.StartTicket("1", number))
    before = tallies_of(office).by_service["A"]
    office.do(do.TransferTicket("1", number, "B"))
    office.serve("1")
    after = tallies_of(office).by_service
    assert (after["A"], after["A"].issued) == (before, {(Lane.PRIORITY, Channel.KIOSK): 1})
    assert (after["B"].completed, after["B"].calls.total(), after["B"].issued.total()) == (1, 1, 0)


def test_who_returns_after_a_no_show_has_been_one():
    office = Office().opened("1")
    number = office.take()
    office.skip("1", office.call("1"))
    office.do(do.ReturnTicket(number), 1000)
    assert tallies_of(office).by_service["A"].no_shows == 1


@pytest.mark.parametrize("seed", range(40))
def test_tallies_of_a_random_day_are_what_its_events_and_tickets_say(seed):
    office = random_day(Random(seed)).office
    by_service = tallies_of(office).by_service.values()
    kinds = Counter(event.e for event in office.events)
    tickets = list(office.day.tickets.values())
    states = Counter(ticket.state for ticket in tickets)

    issued = sum((tallies.issued for tallies in by_service), Counter())
    assert issued == Counter((e.l, e.ch) for e in office.events if e.e == "issue")
    assert sum(tallies.calls.total() for tallies in by_service) == kinds["call"]
    assert sum(tallies.recalls for tallies in by_service) == kinds["recall"]
    assert sum(tallies.no_shows for tallies in by_service) == kinds["noshow"]
    assert sum(tallies.cancelled for tallies in by_service) == states[State.CANCELLED]
    assert sum(tallies.lapsed for tallies in by_service) == states[State.LAPSED]
    for code, tallies in tallies_of(office).by_service.items():
        done = [t for t in tickets if t.service == code and t.state is State.COMPLETED]
        assert tallies.completed == sum(tallies.serving.counts) == len(done)
        assert tallies.serving.ms == sum(t.closed_at - t.started_at for t in done)
    waits = [t.called_at - t.issued_at for t in tickets if t.called_at is not None]
    assert sum(tallies.waits.ms for tallies in by_service) == sum(waits)
    counts = [sum(column) for column in zip(*(t.waits.counts for t in by_service), strict=True)]
    expected = [sum(w <= m * MINUTE for w in waits) for m in MINUTES_OF_WAITING]
    assert [sum(counts[: i + 1]) for i in range(len(counts))] == [*expected, len(waits)]
