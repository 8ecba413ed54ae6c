"""Each verb's checks in the order of `docs/RULES.md`, and the events it writes."""

from collections import Counter
from random import Random

import pytest

from services.queue import commands as verb
from services.queue.journal import WHYS
from services.queue.model import Channel, CounterState, Lane
from services.queue.policy import close_at_ms, parse_policy
from services.queue.verbs import Refused, decide
from tests.queue.days import (
    CHANNELS,
    DATE,
    MINUTE,
    Office,
    document,
    random_day,
    rule_entry,
    service_entry,
)

HOUR = 60 * MINUTE


def types(events):
    return [event.e for event in events]


def refusal(office: Office, command: verb.Command, after: int = 0) -> Refused:
    with pytest.raises(Refused) as refused:
        office.do(command, after)
    return refused.value


def called(office: Office, counter: str = "1") -> str:
    office.take()
    return office.call(counter)


def serving(office: Office, counter: str = "1") -> str:
    number = called(office, counter)
    office.do(verb.StartTicket(counter, number))
    return number


@pytest.fixture
def office() -> Office:
    return Office().opened("1")


# Before every verb


def test_the_first_verb_opens_the_day_and_tells_the_hours(office):
    fresh = Office()
    events = fresh.do(verb.OpenCounter("1"))
    assert types(events) == ["day.open", "issue.go", "counter.open"]
    assert [event.n for event in events] == [0, 1, 2]
    assert {event.t for event in events} == {fresh.opening}
    assert events[0].pol == fresh.policy.hash


def test_before_the_first_opening_a_verb_opens_the_day_with_issuing_off():
    office = Office(at=-HOUR)
    assert types(office.do(verb.OpenCounter("1"))) == ["day.open", "counter.open"]
    assert not office.day.hours_on


def test_a_refused_verb_writes_nothing_not_even_the_opening():
    office = Office()
    assert office.refuses(verb.CallNextTicket("1")) == "COUNTER_CLOSED"
    assert office.events == []


def test_the_break_is_written_before_the_next_verb(office):
    events = office.do(verb.CloseCounter("1"), 5 * HOUR)
    assert [(e.e, e.why) for e in events] == [("issue.stop", "hours"), ("counter.close", "")]


def test_a_clock_that_went_back_more_than_five_seconds_is_told(office):
    at = office.day.t
    assert types(office.read(verb.CloseCounter("1"), at - 5000)) == ["counter.close"]
    events = office.read(verb.OpenCounter("1"), at - 5001)
    assert [(e.e, e.t, e.ms) for e in events] == [
        ("clock", at, 5001),
        ("counter.open", at, 0),
    ]


def test_the_clock_event_comes_after_the_opening():
    office = Office()
    events = decide(office.day, verb.OpenCounter("1"), office.opening, clamp=9000)
    assert types(events) == ["day.open", "clock", "issue.go", "counter.open"]


def test_a_time_before_the_last_event_is_the_callers_mistake(office):
    with pytest.raises(ValueError, match="before"):
        decide(office.day, verb.Tick(), office.day.t - 1)


@pytest.mark.parametrize("at", [-24 * HOUR, 24 * HOUR], ids=["yesterday", "tomorrow"])
def test_another_date_is_closed(at):
    assert Office(at=at).refuses(verb.OpenCounter("1")) == "OFFICE_CLOSED"


def test_a_date_without_hours_is_closed():
    assert Office(document(hours=[])).refuses(verb.OpenCounter("1")) == "OFFICE_CLOSED"


def test_from_close_at_on_every_verb_is_refused_and_before_it_none(office):
    office.at = close_at_ms(office.policy, DATE) - office.opening - 1
    office.do(verb.CloseCounter("1"))
    assert office.refuses(verb.OpenCounter("1"), 1) == "OFFICE_CLOSED"


def test_a_closed_day_stays_closed():
    office = Office().opened("1")
    office.close()
    for command in (verb.CreateTicket("A"), verb.OpenCounter("1"), verb.ResumeIssuing()):
        assert refusal(office, command).reason == "OFFICE_CLOSED"
    assert office.do(verb.Tick()) == office.do(verb.CloseDay()) == ()


# By the clock


def test_the_tick_opens_the_day_at_its_first_opening_time():
    office = Office(at=-1)
    assert office.do(verb.Tick()) == ()
    assert types(office.do(verb.Tick(), 1)) == ["day.open", "issue.go"]
    assert office.do(verb.Tick(), 1) == ()


def test_the_tick_writes_each_change_of_the_hours_once(office):
    changes = []
    while office.opening + office.at < close_at_ms(office.policy, DATE):
        changes += [(e.e, (e.t - office.opening) // MINUTE) for e in office.do(verb.Tick(), MINUTE)]
    assert changes == [("issue.stop", 270), ("issue.go", 330), ("issue.stop", 480)]


def test_the_day_closes_at_close_at_and_only_once_opened(office):
    close_at = close_at_ms(office.policy, DATE)
    assert Office().read(verb.CloseDay(), close_at) == ()
    assert office.read(verb.CloseDay(), close_at - 1) == ()
    assert types(office.read(verb.CloseDay(), close_at)) == ["day.close"]


def test_a_day_that_nobody_closed_in_time_is_closed_later(office):
    events = office.read(verb.CloseDay(), close_at_ms(office.policy, DATE) + 40 * HOUR)
    assert types(events) == ["day.close"]


# CreateTicket


def test_create_ticket_writes_what_was_asked(office):
    asked = verb.CreateTicket("B", Lane.PRIORITY, Channel.WHATSAPP, "0a" * 16)
    (event,) = office.do(asked)
    assert (event.e, event.k, event.s) == ("issue", "B001", "B")
    assert (event.l, event.ch, event.h) == (Lane.PRIORITY, Channel.WHATSAPP, "0a" * 16)
    assert office.day.tickets["B001"].ord == event.n


def test_numbers_are_consecutive_for_each_service(office):
    assert [office.take(s) for s in "ABAAB"] == ["A001", "B001", "A002", "A003", "B002"]


def test_create_ticket_checks_in_the_order_of_the_rules():
    services = [service_entry("A", 1, 1, ["DESK", "WEB"])]
    office = Office(document({"1": "A"}, services)).opened("1")
    office.do(verb.CreateTicket("A", holder="0a" * 16))
    office.do(verb.StopIssuing("full"))
    office.at += 5 * HOUR
    kiosk, again = Channel.KIOSK, verb.CreateTicket("A", holder="0a" * 16)
    assert office.refuses(verb.CreateTicket("Z", channel=kiosk)) == "SERVICE_NOT_FOUND"
    assert office.refuses(verb.CreateTicket("A", channel=kiosk)) == "CHANNEL_NOT_ADMITTED"
    assert office.refuses(again) == "ISSUING_STOPPED"
    office.do(verb.ResumeIssuing())
    assert office.refuses(again) == "OFFICE_CLOSED"
    office.at += HOUR
    live = refusal(office, again)
    assert (live.reason, live.metadata) == ("LIVE_TICKET_EXISTS", {"number": "A001"})
    assert office.refuses(verb.CreateTicket("A", holder="0b" * 16)) == "QUOTA_EXHAUSTED"


def test_the_web_quota_leaves_the_rest_for_people_who_walk_in():
    services = [service_entry("A", 3, 2, CHANNELS)]
    office = Office(document({"1": "A"}, services))
    office.take(channel=Channel.WEB)
    number = office.take(channel=Channel.WHATSAPP)
    assert office.refuses(verb.CreateTicket("A")) == "QUOTA_EXHAUSTED"
    office.take(channel=Channel.DESK)
    assert office.refuses(verb.CreateTicket("A", channel=Channel.DESK)) == "QUOTA_EXHAUSTED"
    office.do(verb.CancelTicket(number))
    assert office.take(channel=Channel.WEB) == "A004"


def test_a_transferred_ticket_counts_where_it_was_issued():
    services = [service_entry("A", 1), service_entry("B", 0)]
    office = Office(document(services=services)).opened("1")
    number = serving(office)
    office.do(verb.TransferTicket("1", number, "B"))
    assert office.refuses(verb.CreateTicket("A")) == "QUOTA_EXHAUSTED"
    office.do(verb.CancelTicket(number))
    assert office.take("A") == "A002"
    assert office.refuses(verb.CreateTicket("B")) == "QUOTA_EXHAUSTED"


def test_a_holder_may_take_another_number_once_the_last_is_not_live(office):
    asked = verb.CreateTicket("A", holder="0a" * 16)
    number = office.do(asked)[-1].k
    office.call()
    office.skip("1", number)
    assert office.refuses(asked, 60 * MINUTE) == "LIVE_TICKET_EXISTS"
    assert office.do(asked, 1)[-1].k == "A002"


# Counters


def test_open_counter_writes_nothing_when_it_is_open(office):
    assert office.refuses(verb.OpenCounter("9")) == "COUNTER_NOT_FOUND"
    assert office.do(verb.OpenCounter("1"), 5 * HOUR) == ()


def test_close_counter_is_refused_while_it_has_a_ticket(office):
    assert office.refuses(verb.CloseCounter("9")) == "COUNTER_NOT_FOUND"
    assert office.refuses(verb.CloseCounter("2")) == "COUNTER_CLOSED"
    number = called(office)
    assert office.refuses(verb.CloseCounter("1")) == "COUNTER_BUSY"
    office.do(verb.StartTicket("1", number))
    assert office.refuses(verb.CloseCounter("1")) == "COUNTER_BUSY"
    office.do(verb.CompleteTicket("1", number))
    assert types(office.do(verb.CloseCounter("1"))) == ["counter.close"]


def test_set_counter_services_sorts_and_needs_a_closed_counter(office):
    assert office.refuses(verb.SetCounterServices("9", ("Z",))) == "COUNTER_NOT_FOUND"
    assert office.refuses(verb.SetCounterServices("1", ("A", "Z"))) == "SERVICE_NOT_FOUND"
    assert office.refuses(verb.SetCounterServices("1", ("A",))) == "COUNTER_OPEN"
    (event,) = office.do(verb.SetCounterServices("2", ("B", "A", "B")))
    assert (event.c, event.services) == ("2", ("A", "B"))


def test_call_next_ticket_checks_the_desk_then_the_line(office):
    assert office.refuses(verb.CallNextTicket("9")) == "COUNTER_NOT_FOUND"
    assert office.refuses(verb.CallNextTicket("2")) == "COUNTER_CLOSED"
    nobody = refusal(office, verb.CallNextTicket("1"))
    assert (nobody.reason, nobody.metadata) == ("NOBODY_WAITING", {})
    called(office)
    assert office.refuses(verb.CallNextTicket("1")) == "COUNTER_BUSY"


# At the counter

AT_COUNTER = [
    (verb.RecallTicket, ()),
    (verb.StartTicket, ()),
    (verb.CompleteTicket, ()),
    (verb.SkipTicket, ()),
    (verb.HoldTicket, ()),
    (verb.TransferTicket, ("B",)),
]


@pytest.mark.parametrize(("command", "more"), AT_COUNTER)
def test_a_verb_at_the_counter_checks_desk_then_number_then_whose_it_is(office, command, more):
    number = called(office)
    other = office.take()
    assert office.refuses(command("9", "A999", *more)) == "COUNTER_NOT_FOUND"
    assert office.refuses(command("2", "A999", *more)) == "COUNTER_CLOSED"
    assert office.refuses(command("1", "A999", *more)) == "TICKET_NOT_FOUND"
    assert office.refuses(command("1", other, *more)) == "TICKET_CHANGED"
    office.do(verb.OpenCounter("2"))
    assert office.refuses(command("2", number, *more)) == "TICKET_CHANGED"


@pytest.mark.parametrize(
    ("command", "more"), [pair for pair in AT_COUNTER if pair[0] is not verb.SkipTicket]
)
def test_recall_and_start_need_called_and_the_rest_needs_serving(office, command, more):
    number = called(office)
    needs_called = command in (verb.RecallTicket, verb.StartTicket)
    if needs_called:
        office.do(verb.StartTicket("1", number))
    assert office.refuses(command("1", number, *more)) == "WRONG_STATE"


def test_recalls_are_twenty_seconds_apart(office):
    number = called(office)
    early = refusal(office, verb.RecallTicket("1", number), 19_999)
    assert (early.reason, early.metadata) == ("TOO_EARLY", {"when": office.day.t + 20_000})
    office.do(verb.RecallTicket("1", number), 1)
    assert office.refuses(verb.RecallTicket("1", number), 19_999) == "TOO_EARLY"
    office.do(verb.RecallTicket("1", number), 1)


def test_a_skip_needs_calls_and_time_and_says_when(office):
    number = called(office)
    at = office.day.t
    early = refusal(office, verb.SkipTicket("1", number))
    assert (early.reason, early.metadata) == ("TOO_EARLY", {"when": at + 90_000})
    assert refusal(office, verb.SkipTicket("1", number), 85_000).metadata["when"] == at + 105_000
    office.do(verb.RecallTicket("1", number))
    assert refusal(office, verb.SkipTicket("1", number), 10_000).metadata["when"] == at + 105_000
    office.do(verb.RecallTicket("1", number), 10_000)
    assert types(office.do(verb.SkipTicket("1", number))) == ["noshow"]


def test_a_skip_with_all_calls_waits_for_the_time(office):
    number = called(office)
    for _ in range(2):
        office.do(verb.RecallTicket("1", number), 20_000)
    early = refusal(office, verb.SkipTicket("1", number), 49_999)
    assert early.metadata["when"] == office.day.tickets[number].first_call + 90_000
    assert types(office.do(verb.SkipTicket("1", number), 1)) == ["noshow"]


def test_time_alone_is_not_enough_for_a_skip(office):
    number = called(office)
    early = refusal(office, verb.SkipTicket("1", number), HOUR)
    assert early.reason == "TOO_EARLY"
    assert early.metadata["when"] == office.opening + office.at + 20_000


def test_a_skip_of_a_served_ticket_is_the_wrong_state(office):
    assert office.refuses(verb.SkipTicket("1", serving(office))) == "WRONG_STATE"


def test_hold_has_a_limit(office):
    number = serving(office)
    for _ in range(2):
        office.do(verb.HoldTicket("1", number))
        office.do(verb.ReturnTicket(number))
        assert office.call() == number
        office.do(verb.StartTicket("1", number))
    assert office.refuses(verb.HoldTicket("1", number)) == "LIMIT_REACHED"


def test_transfer_checks_the_target_then_the_limit():
    office = Office(document(rule=rule_entry(transfers=1))).opened("1")
    number = serving(office)
    (event,) = office.do(verb.TransferTicket("1", number, "B"))
    assert (event.e, event.k, event.c, event.s) == ("xfer", number, "1", "B")
    office.call()
    assert office.refuses(verb.TransferTicket("1", number, "A")) == "WRONG_STATE"
    office.do(verb.StartTicket("1", number))
    assert office.refuses(verb.TransferTicket("1", number, "Z")) == "SERVICE_NOT_FOUND"
    assert office.refuses(verb.TransferTicket("1", number, "B")) == "SAME_SERVICE"
    assert office.refuses(verb.TransferTicket("1", number, "A")) == "LIMIT_REACHED"


# Tickets


def test_a_no_show_returns_once_and_in_time(office):
    number = called(office)
    assert office.refuses(verb.ReturnTicket("A999")) == "TICKET_NOT_FOUND"
    assert office.refuses(verb.ReturnTicket(number)) == "WRONG_STATE"
    office.skip("1", number)
    office.do(verb.ReturnTicket(number), HOUR)
    office.call()
    office.skip("1", number)
    assert office.refuses(verb.ReturnTicket(number), 2 * HOUR) == "LIMIT_REACHED"


@pytest.mark.parametrize("held", [False, True])
def test_a_return_after_the_limit_is_expired(office, held):
    number = serving(office) if held else called(office)
    if held:
        office.do(verb.HoldTicket("1", number))
    else:
        office.skip("1", number)
    limit = 2 * HOUR if held else HOUR
    assert office.refuses(verb.ReturnTicket(number), limit + 1) == "RETURN_EXPIRED"


def test_cancel_is_for_those_who_wait_or_are_away(office):
    assert office.refuses(verb.CancelTicket("A999")) == "TICKET_NOT_FOUND"
    number = called(office)
    assert office.refuses(verb.CancelTicket(number)) == "WRONG_STATE"
    office.do(verb.StartTicket("1", number))
    assert office.refuses(verb.CancelTicket(number)) == "WRONG_STATE"
    office.do(verb.HoldTicket("1", number))
    (event,) = office.do(verb.CancelTicket(number, "desk"))
    assert (event.e, event.by) == ("cancel", "desk")
    assert office.refuses(verb.CancelTicket(number)) == "WRONG_STATE"


def test_an_expired_no_show_can_still_be_cancelled(office):
    number = called(office)
    office.skip("1", number)
    assert types(office.do(verb.CancelTicket(number), 2 * HOUR)) == ["cancel"]


def test_check_in_happens_once(office):
    number = office.take()
    assert office.refuses(verb.CheckInTicket("A999")) == "TICKET_NOT_FOUND"
    office.do(verb.CheckInTicket(number))
    assert office.refuses(verb.CheckInTicket(number)) == "ALREADY_PRESENT"
    office.call()
    assert office.refuses(verb.CheckInTicket(number)) == "WRONG_STATE"


def test_the_lane_changes_once_and_only_before_the_call(office):
    assert office.refuses(verb.SetTicketLane("A999")) == "TICKET_NOT_FOUND"
    number = office.take()
    (event,) = office.do(verb.SetTicketLane(number))
    assert (event.e, event.l) == ("lane", Lane.PRIORITY)
    assert office.refuses(verb.SetTicketLane(number)) == "WRONG_STATE"
    other = office.take()
    office.serve()
    office.call()
    assert office.refuses(verb.SetTicketLane(other)) == "WRONG_STATE"


def test_requeue_names_the_counter_and_frees_it(office):
    assert office.refuses(verb.RequeueTicket("A999")) == "TICKET_NOT_FOUND"
    number = office.take()
    assert office.refuses(verb.RequeueTicket(number)) == "WRONG_STATE"
    office.call()
    (event,) = office.do(verb.RequeueTicket(number))
    assert (event.e, event.c) == ("requeue", "1")
    assert office.day.counters["1"].ticket is None
    assert office.call() == number


# Issuing


@pytest.mark.parametrize("why", [why for why in WHYS if why != "hours"])
def test_a_stop_and_its_resume_carry_the_same_reason(office, why):
    assert office.refuses(verb.ResumeIssuing()) == "NOT_STOPPED"
    (stop,) = office.do(verb.StopIssuing(why))
    assert (stop.e, stop.why) == ("issue.stop", why)
    assert office.refuses(verb.StopIssuing("other")) == "ALREADY_STOPPED"
    (go,) = office.do(verb.ResumeIssuing())
    assert (go.e, go.why) == ("issue.go", why)


def test_hours_and_stops_bind_issuing_alone(office):
    number = office.take()
    office.do(verb.StopIssuing("power"))
    office.at += 5 * HOUR
    assert office.call() == number
    office.do(verb.StartTicket("1", number))
    office.do(verb.CompleteTicket("1", number))
    assert office.day.counters["1"].state is CounterState.OPEN


# All together


def test_random_days_meet_every_refusal_and_every_event():
    reasons: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for seed in range(60):
        for answer in random_day(Random(seed)).answers:
            if isinstance(answer, Refused):
                reasons[answer.reason] += 1
            else:
                kinds.update(types(answer))
    assert set(reasons) == {
        *("SERVICE_NOT_FOUND", "CHANNEL_NOT_ADMITTED", "ISSUING_STOPPED", "OFFICE_CLOSED"),
        *("LIVE_TICKET_EXISTS", "QUOTA_EXHAUSTED", "COUNTER_NOT_FOUND", "COUNTER_CLOSED"),
        *("COUNTER_BUSY", "COUNTER_OPEN", "NOBODY_WAITING", "TICKET_NOT_FOUND"),
        *("TICKET_CHANGED", "WRONG_STATE", "TOO_EARLY", "LIMIT_REACHED", "SAME_SERVICE"),
        *("RETURN_EXPIRED", "ALREADY_PRESENT", "ALREADY_STOPPED", "NOT_STOPPED"),
    }
    assert len(kinds) == 21


def test_the_policy_of_a_random_day_is_a_published_document():
    for seed in range(30):
        policy = random_day(Random(seed), steps=1).office.policy
        assert parse_policy(policy.document) == policy
