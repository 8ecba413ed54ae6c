"""The order that is kept for newcomers is the reference's, at every moment of any day."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.queue import commands as do
from services.queue.fold import apply, fresh_day
from services.queue.model import Lane
from services.queue.policy import virtual_order
from services.queue.standing import Standing
from tests.queue.days import Office, document, random_day, rule_entry


def check(standing, day, service):
    order = virtual_order(day, service)
    assert standing.numbers() == tuple(order)
    assert [standing.ahead(day.tickets[number]) for number in order] == [*range(len(order))]
    assert len(standing) == len(order)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_it_is_the_virtual_order_after_every_event_made_anew_or_joined_by_newcomers(seed):
    office = random_day(Random(seed), 250).office
    day = fresh_day(office.policy, office.date)
    kept = {code: Standing(day, code) for code in office.policy.services}
    moments = {}
    for event in office.events:
        apply(day, event)
        for code in office.policy.services:
            check(Standing(day, code), day, code)
            moment = day.lines[code], day.cs[code]
            if event.e == "issue" and event.s == code:
                stays = kept[code].join(day.tickets[event.k])
            else:
                stays = moment == moments.get(code)
            if not stays:
                kept[code] = Standing(day, code)
            moments[code] = moment
            check(kept[code], day, code)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4), st.lists(st.booleans(), max_size=40), st.integers(0, 40))
def test_a_rush_of_newcomers_joins_without_ever_being_made_anew(after, lanes, kept_from):
    office = Office(document({"1": "A"}, "A", rule=rule_entry(after)))
    standing = Standing(office.day, "A")
    for count, priority in enumerate(lanes):
        number = office.take("A", Lane.PRIORITY if priority else Lane.REGULAR)
        if count < kept_from:
            standing = Standing(office.day, "A")
        else:
            assert standing.join(office.day.tickets[number])
        check(standing, office.day, "A")


def test_a_regular_newcomer_joins_behind_one_who_came_back_and_is_not_ripe():
    office = Office(document({"1": "A"}, "A", rule=rule_entry(2, (1, 0), (3, 3600, 1)))).opened("1")
    for _ in range(8):
        office.take()
    number = office.call()
    office.skip("1", number)
    office.do(do.ReturnTicket(number))
    standing = Standing(office.day, "A")
    assert standing.ahead(office.day.tickets[number]) == 3
    newcomer = office.take()
    assert standing.join(office.day.tickets[newcomer])
    check(standing, office.day, "A")


def test_a_newcomer_who_would_be_called_among_the_unripe_does_not_join():
    office = Office(document({"1": "A"}, "A", rule=rule_entry(2, (1, 0), (3, 3600, 1)))).opened("1")
    number = office.take()
    office.call()
    office.skip("1", number)
    office.do(do.ReturnTicket(number))
    standing = Standing(office.day, "A")
    assert not standing.join(office.day.tickets[office.take()])
    check(Standing(office.day, "A"), office.day, "A")
