"""The policy document, the date's hours, and who is next."""

import hashlib
import json
from copy import deepcopy
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.queue import commands as verb
from services.queue.fold import apply
from services.queue.journal import Event
from services.queue.model import Channel, Counter, Lane, State
from services.queue.policy import (
    canonical,
    close_at_ms,
    day_bounds_ms,
    hours_ms,
    is_live,
    next_ticket,
    parse_policy,
    virtual_order,
    within_hours,
)
from tests.queue.days import DATE, Office, document, random_day, rule_entry, service_entry

PUBLISHED = (
    b'{"code":"73.71.03","counters":[{"id":"1","services":["A","B"]}],'
    b'"hours":[{"close":"12:00","open":"07:30"}],"rule":{"hold":{"times":2,"within":7200},'
    b'"priorityAfter":2,"return":{"afterCalls":3,"times":1,"within":3600},'
    b'"skip":{"after":90,"calls":3},"transfers":3},"services":['
    b'{"channels":["DESK","KIOSK","WEB","WHATSAPP"],"code":"A","quota":{"day":200,"web":120}},'
    b'{"channels":["DESK"],"code":"B","quota":{"day":9999,"web":9999}}],'
    b'"timezone":"Asia/Makassar"}'
)


def test_a_published_document_is_read_field_by_field():
    policy = parse_policy(PUBLISHED)
    assert policy.code == "73.71.03"
    assert policy.timezone == "Asia/Makassar"
    assert policy.hours == (("07:30", "12:00"),)
    assert policy.counters == {"1": ("A", "B")}
    assert policy.services["A"].channels == frozenset(Channel)
    assert policy.services["B"].channels == frozenset({Channel.DESK})
    assert (policy.services["A"].quota_day, policy.services["A"].quota_web) == (200, 120)
    rule = policy.rule
    assert (rule.priority_after, rule.transfers) == (2, 3)
    assert (rule.skip_calls, rule.skip_after) == (3, 90)
    assert (rule.return_after_calls, rule.return_within, rule.return_times) == (3, 3600, 1)
    assert (rule.hold_times, rule.hold_within) == (2, 7200)
    assert policy.document == PUBLISHED
    assert policy.hash == hashlib.sha256(PUBLISHED).hexdigest()


def test_canonical_json_is_sorted_tight_and_ascii():
    assert canonical({"b": [1, 2], "a": "é"}) == b'{"a":"\\u00e9","b":[1,2]}'
    assert canonical(json.loads(PUBLISHED)) == PUBLISHED


def _changed(path: str, value: object) -> bytes:
    mapping = json.loads(PUBLISHED)
    *way, last = path.split(".")
    place = mapping
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    if value is None:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = value
    return canonical(mapping)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("code", "73.71"),
        ("code", 7371),
        ("code", None),
        ("extra", 1),
        ("timezone", "Mars/Base"),
        ("timezone", ""),
        ("timezone", "../../etc/passwd"),
        ("timezone", 8),
        ("hours", {}),
        ("hours.0.open", "7:30"),
        ("hours.0.open", "12:00"),
        ("hours.0.open", "24:00"),
        ("hours.0.close", "24:01"),
        ("hours.0.close", "12:00\n"),
        ("hours.0.note", "x"),
        (
            "hours",
            [{"close": "12:00", "open": "07:30"}, {"close": "15:00", "open": "11:59"}],
        ),
        ("services", []),
        ("services.0.code", "a"),
        ("services.0.code", "B"),
        ("services.0.channels", []),
        ("services.0.channels", ["WEB", "DESK"]),
        ("services.0.channels", ["DESK", "DESK"]),
        ("services.0.channels", ["FAX"]),
        ("services.0.channels", [["DESK"]]),
        ("services.0.quota", 200),
        ("services.0.quota.day", -1),
        ("services.0.quota.day", 1.5),
        ("services.0.quota.web", True),
        ("services.0.quota.web", None),
        ("counters", []),
        ("counters.0.id", ""),
        ("counters.0.id", "loket satu"),
        ("counters.0.services", []),
        ("counters.0.services", ["B", "A"]),
        ("counters.0.services", ["Z"]),
        ("counters", [{"id": "1", "services": ["A"]}, {"id": "1", "services": ["B"]}]),
        ("rule.hold", None),
        ("rule.skip.after", "90s"),
        ("rule.skip.after", 90_000_000),
        ("rule.return.times", -1),
        ("rule.priorityAfter", 2.0),
        ("rule.priorityAfter", float("nan")),
    ],
)
def test_a_document_with_a_wrong_field_is_refused_with_a_clause(path, value):
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        parse_policy(_changed(path, value))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[]",
        b"{",
        b"[" * 100_000,
        PUBLISHED + b"\n",
        PUBLISHED.replace(b'":', b'": ', 1),
        PUBLISHED.replace(b'{"code":"73.71.03",', b'{"code":"73.71.03","code":"73.71.03",'),
        PUBLISHED.replace(b"7200", b"7.2e3"),
    ],
)
def test_bytes_that_are_not_canonical_json_are_refused(text):
    with pytest.raises(ValueError, match="policy"):
        parse_policy(text)


def test_hours_around_the_clock_and_no_hours_at_all_are_documents_too():
    always = parse_policy(_changed("hours", [{"close": "24:00", "open": "00:00"}]))
    assert hours_ms(always, DATE) == (day_bounds_ms(always, DATE),)
    assert close_at_ms(always, DATE) == day_bounds_ms(always, DATE)[1]
    never = parse_policy(_changed("hours", []))
    assert hours_ms(never, DATE) == ()
    assert close_at_ms(never, DATE) == day_bounds_ms(never, DATE)[0]


def _ms(text: str, zone: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def test_hours_are_local_time_and_the_day_closes_two_hours_after_the_last():
    policy = parse_policy(PUBLISHED)
    opens, closes = _ms("2026-03-02T07:30", "Asia/Makassar"), 1772424000000
    assert hours_ms(policy, DATE) == ((opens, closes),)
    assert close_at_ms(policy, DATE) == closes + 2 * 3600_000
    assert within_hours(policy, DATE, opens)
    assert within_hours(policy, DATE, closes - 1)
    assert not within_hours(policy, DATE, closes)
    assert not within_hours(policy, DATE, opens - 1)


def test_a_late_closing_is_cut_at_midnight():
    policy = parse_policy(document(hours=[("13:00", "23:30")]))
    assert close_at_ms(policy, DATE) == _ms("2026-03-03T00:00", "Asia/Makassar")


def test_a_date_with_a_clock_change_has_its_true_length():
    policy = parse_policy(document(timezone="Europe/Warsaw"))
    start, end = day_bounds_ms(policy, "2026-03-29")
    assert end - start == 23 * 3600_000


# Who is next


def test_arrival_order_holds_over_all_services_of_a_counter():
    office = Office().opened("1")
    taken = [office.take("B"), office.take("A"), office.take("B")]
    assert [office.serve("1") for _ in taken] == taken
    assert next_ticket(office.day, "1") is None


def test_a_counter_does_not_call_for_services_it_does_not_serve():
    office = Office().opened("2")
    office.take("B")
    assert next_ticket(office.day, "2") is None


def test_after_two_regular_numbers_comes_a_priority_number():
    office = Office().opened("1")
    regular = [office.take() for _ in range(6)]
    priority = [office.take(lane=Lane.PRIORITY) for _ in range(2)]
    called = [office.serve("1") for _ in range(8)]
    assert called == [priority[0], *regular[:2], priority[1], *regular[2:]]


def test_strict_priority_with_zero():
    office = Office(document(rule=rule_entry(priority_after=0))).opened("1")
    regular = [office.take() for _ in range(2)]
    priority = [office.take(lane=Lane.PRIORITY) for _ in range(2)]
    assert [office.serve("1") for _ in range(4)] == priority + regular


def test_an_earlier_priority_number_does_not_wait_for_the_ratio():
    office = Office(document(rule=rule_entry(priority_after=9))).opened("1")
    first, second = office.take(lane=Lane.PRIORITY), office.take(lane=Lane.PRIORITY)
    third = office.take()
    assert [office.serve("1") for _ in range(3)] == [first, second, third]


def test_credit_belongs_to_the_counter():
    office = Office().opened("1", "2")
    office.take()
    late = office.take(lane=Lane.PRIORITY)
    assert office.call("1") == late
    second = office.take(lane=Lane.PRIORITY)
    assert office.call("2") == second


def test_with_nobody_ripe_the_least_remaining_calls_come_first_then_priority_then_order():
    office = Office(document({"1": "A"}, "A")).opened("1")
    a, b = office.take(), office.take()
    for number in (a, b):
        office.call("1")
        office.skip("1", number)
    office.do(verb.ReturnTicket(b))
    office.do(verb.ReturnTicket(a))
    assert office.day.tickets[a].nb == office.day.tickets[b].nb == 5
    assert next_ticket(office.day, "1") == a
    office.do(verb.SetTicketLane(b))
    assert next_ticket(office.day, "1") == b


def _by_hand(office: Office, service: str) -> list[str]:
    """The virtual order, by running next() on a copy."""
    day = deepcopy(office.day)
    day.counters["virtual"] = Counter("virtual", (service,), 0)
    order: list[str] = []
    while (number := next_ticket(day, "virtual")) is not None:
        apply(day, Event(day.code, day.day, day.n + 1, day.t, "call", k=number, c="virtual"))
        day.counters["virtual"].ticket = None
        order.append(number)
    return order


@given(st.integers(0, 2**32), st.integers(20, 250))
@settings(max_examples=60, deadline=None)
def test_the_virtual_order_is_next_run_on_a_copy(seed, steps):
    office = random_day(Random(seed), steps, close=False).office
    for service in office.policy.services:
        assert virtual_order(office.day, service) == _by_hand(office, service)


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_the_virtual_order_holds_among_many_who_returned(seed):
    rng = Random(seed)
    rule = rule_entry(rng.randint(0, 3), skip=(1, 0), back=(rng.randint(1, 12), 3600, 99))
    office = Office(document(rule=rule)).opened("1", "2")
    for _ in range(rng.randint(1, 12)):
        office.take(rng.choice("AB"), rng.choice(list(Lane)))
    for _ in range(20):
        counter = rng.choice("12")
        if next_ticket(office.day, counter) is None:
            break
        number = office.call(counter)
        office.skip(counter, number)
        if rng.random() < 0.8:
            office.do(verb.ReturnTicket(number))
        for service in "AB":
            assert virtual_order(office.day, service) == _by_hand(office, service)


def test_a_returned_ticket_stands_three_calls_back_in_the_virtual_order():
    office = Office(document({"1": "A"}, "A")).opened("1")
    absent = office.take()
    office.call("1")
    office.skip("1", absent)
    others = [office.take() for _ in range(5)]
    office.do(verb.ReturnTicket(absent))
    assert virtual_order(office.day, "A") == [*others[:3], absent, *others[3:]]
    office.do(verb.CancelTicket(others[0]))
    for number in others[2:]:
        office.do(verb.CancelTicket(number))
    assert virtual_order(office.day, "A") == [others[1], absent]


def test_the_virtual_order_ignores_other_services_of_the_line():
    office = Office().opened("1")
    a, b, c = office.take("A"), office.take("B"), office.take("A")
    assert virtual_order(office.day, "A") == [a, c]
    assert virtual_order(office.day, "B") == [b]


# Live


@pytest.mark.parametrize(
    ("after", "live"), [(3_600_000, True), (3_600_001, False)], ids=["in time", "too late"]
)
def test_a_no_show_is_live_while_a_return_is_allowed(after, live):
    office = Office().opened("1")
    number = office.take()
    office.call("1")
    office.skip("1", number)
    ticket = office.day.tickets[number]
    assert ticket.state is State.NO_SHOW
    assert is_live(office.day, ticket, ticket.since + after) is live


def test_a_no_show_that_used_its_returns_is_not_live():
    office = Office(document(rule=rule_entry(back=(3, 3600, 0)))).opened("1")
    number = office.take()
    office.call("1")
    office.skip("1", number)
    assert not is_live(office.day, office.day.tickets[number], office.day.t)


@pytest.mark.parametrize(("after", "live"), [(7_200_000, True), (7_200_001, False)])
def test_a_held_ticket_is_live_until_the_hold_expires(after, live):
    office = Office().opened("1")
    number = office.take()
    office.call("1")
    office.do(verb.StartTicket("1", number))
    office.do(verb.HoldTicket("1", number))
    assert is_live(office.day, office.day.tickets[number], office.day.t + after) is live


def test_a_service_may_be_reached_by_transfer_alone():
    services = [service_entry("A"), service_entry("B", 0)]
    office = Office(document(services=services)).opened("1")
    number = office.take("A")
    office.call("1")
    office.do(verb.StartTicket("1", number))
    office.do(verb.TransferTicket("1", number, "B"))
    assert virtual_order(office.day, "B") == [number]
