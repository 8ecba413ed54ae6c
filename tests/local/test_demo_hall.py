"""The people of the demonstration keep the rules, and are honest about refusals."""

from collections import Counter

import pytest

from services.local import demo_day
from services.local.demo_day import CODE, POOLS
from services.local.demo_hall import BOARD_WATCHERS, WATCHED, Hall
from tests.local.fake_office import Office
from tests.local.virtual_time import VirtualClock, live

TOKENS = {"kiosk": "k"} | {c: f"officer-{c}" for pool in POOLS for c in pool.counters}
COUNTERS = {c: pool.services for pool in POOLS for c in pool.counters}


def an_office(minute, break_verb=""):
    """At that minute of the day, in virtual time."""
    clock = VirtualClock(0, int(demo_day.epoch_ms(minute)), 300)
    return Office(clock, COUNTERS, break_verb)


def lived(office, day):
    async def it():
        async with office.client() as http:
            hall = Hall(http, office.clock, TOKENS)
            await hall.live(day)
            return hall.tally

    return live(it())


@pytest.fixture(scope="module")
def day():
    return demo_day.read_day()


@pytest.fixture(scope="module")
def whole(day):
    """The office after the whole day, and the tally."""
    office = an_office(demo_day.OPENS)
    return office, lived(office, day)


def test_a_whole_day_is_served_without_one_refusal(whole, day):
    office, tally = whole
    assert (office.refused, dict(tally.errors)) == ([], {})
    assert tally.issued == tally.called == tally.served + tally.absent == len(day)
    assert office.issued == Counter(ticket.service for ticket in day)
    assert set(office.state.values()) == {"COMPLETED", "NO_SHOW"}
    assert office.open == set()
    assert tally.open == 0


def test_boards_are_counted_and_watched_tickets_seen_to_their_end(whole, day):
    _, tally = whole
    assert tally.boards == BOARD_WATCHERS
    assert tally.pages == tally.pages_ended == -(-len(day) // WATCHED)


def test_the_absent_are_called_three_times_and_everyone_else_once(whole):
    office, _ = whole
    absent = {number for number in office.state if demo_day.encounter(number).absent}
    assert absent
    assert {n for n, state in office.state.items() if state == "NO_SHOW"} == absent
    assert all(len(calls) == (3 if n in absent else 1) for n, calls in office.calls.items())


def test_each_citizen_and_each_officer_has_a_key_of_their_own(whole, day):
    office, _ = whole
    assert len(set(office.holders.values())) == len(day)
    assert office.bearers == {c: {f"Bearer officer-{c}"} for c in COUNTERS}


def test_a_refusal_is_counted_and_who_is_refused_goes_home(day):
    first = [ticket for ticket in day if ticket.service == "B"][:3]
    office = an_office(demo_day.OPENS, break_verb="callNext")
    tally = lived(office, first)
    assert dict(tally.errors) == {"409 BROKEN": 1}
    assert (tally.issued, tally.called, tally.open) == (3, 0, 0)


def test_a_day_that_is_over_before_everyone_was_served_is_an_error(day):
    last = [ticket for ticket in day if ticket.service == "B"][-1:]
    office = an_office(demo_day.DAY_ENDS)
    tally = lived(office, last)
    assert sum(tally.errors.values()) == 1
    assert tally.served == 0


def test_the_office_of_the_demonstration_is_no_real_kecamatan():
    assert CODE == "99.99.01"
