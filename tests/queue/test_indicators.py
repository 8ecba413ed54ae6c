"""Indicators: questions about lawful days, never breaches."""

from services.queue import commands as verb
from services.queue.journal import Event, encode
from services.queue.model import Channel, Tally
from services.queue.replay import Report, Verdict
from services.queue.verify import verify
from tests.queue.days import MINUTE, Office, document


def asked(office: Office) -> list[tuple[str, dict]]:
    report = report_of(office)
    assert report.verdict is Verdict.CLEAN
    return [(found.code, dict(found.facts)) for found in report.indicators]


def report_of(office: Office) -> Report:
    return verify(office.leaves, office.policy.document)


def two_lines(rule: dict | None = None) -> Office:
    """Two counters, each with its own service."""
    return Office(document({"1": "A", "2": "B"}, "AB", rule=rule)).opened("1", "2")


def serve_for(office: Office, counter: str, duration: int) -> None:
    office.take("A" if counter == "1" else "B")
    number = office.call(counter)
    office.do(verb.StartTicket(counter, number))
    office.do(verb.CompleteTicket(counter, number), duration)


def test_an_ordinary_day_raises_no_question():
    office = two_lines()
    for _ in range(20):
        serve_for(office, "1", 5 * MINUTE)
        serve_for(office, "2", 4 * MINUTE)
    office.close()
    assert asked(office) == []


def test_a_counter_with_many_short_services_is_asked_about():
    office = two_lines()
    for _ in range(20):
        serve_for(office, "1", 29_999)
        serve_for(office, "2", 30_000)
    facts = {"c": "1", "count": 20, "of": 20, "share": 50}
    assert asked(office) == [("SHORT_SERVICES", facts)]


def test_a_short_service_everywhere_is_no_question_about_one_counter():
    office = two_lines()
    for _ in range(20):
        serve_for(office, "1", 1000)
        serve_for(office, "2", 1000)
    assert asked(office) == []


def test_a_counter_with_many_no_shows_is_asked_about():
    office = two_lines()
    for _ in range(15):
        serve_for(office, "2", MINUTE)
        number = office.take("A")
        office.call("1")
        office.skip("1", number)
    facts = {"c": "1", "count": 15, "of": 15, "share": 50}
    assert asked(office) == [("MANY_NO_SHOWS", facts)]


def test_a_counter_with_many_holds_is_asked_about():
    office = two_lines()
    for _ in range(12):
        serve_for(office, "2", MINUTE)
        number = start_at_the_first(office)
        office.do(verb.HoldTicket("1", number), MINUTE)
        office.do(verb.CancelTicket(number))
    facts = {"c": "1", "count": 12, "of": 12, "share": 50}
    assert asked(office) == [("MANY_HOLDS", facts)]


def test_a_counter_with_many_transfers_is_asked_about():
    office = two_lines()
    for _ in range(12):
        number = start_at_the_first(office)
        office.do(verb.TransferTicket("1", number, "B"), MINUTE)
        office.serve("2")
    facts = {"c": "1", "count": 12, "of": 12, "share": 50}
    assert asked(office) == [("MANY_TRANSFERS", facts)]


def start_at_the_first(office: Office) -> str:
    number = office.take("A")
    office.call("1")
    office.do(verb.StartTicket("1", number))
    return number


def test_changing_a_counters_services_often_is_asked_about():
    office = Office()
    for services in ("A", "B"):
        office.do(verb.SetCounterServices("1", (services,)))
    assert asked(office) == []
    office.do(verb.SetCounterServices("1", ("A",)))
    assert asked(office) == [("SET_CHANGES", {"c": "1", "count": 3})]


def test_a_burst_of_numbers_or_cancellations_is_asked_about_by_channel():
    office = Office()
    for _ in range(30):
        office.take(channel=Channel.KIOSK)
        office.at += MINUTE
    burst = [office.take() for _ in range(25)]
    office.at += 60 * MINUTE
    office.take()
    for number in burst[:6]:
        office.do(verb.CancelTicket(number))
    office.at += 60 * MINUTE
    office.do(verb.CancelTicket(burst[7]))
    assert asked(office) == [
        ("CANCEL_BURST", {"ch": "WEB", "count": 6, "mean": 0}),
        ("ISSUE_BURST", {"ch": "WEB", "count": 25, "mean": 0}),
    ]


def test_an_open_counter_that_does_not_call_is_asked_about():
    office = Office().opened("1")
    office.take()
    start = office.day.n
    office.do(verb.CloseCounter("1"), 10 * MINUTE)
    report = report_of(office)
    assert [(found.code, found.event) for found in report.indicators] == [("COUNTER_IDLE", start)]
    assert report.indicators[0].facts == {"c": "1", "minutes": 10}


def test_idle_time_counts_within_the_hours_only():
    office = Office().opened("1")
    office.at = 265 * MINUTE
    office.take()
    office.call("1", after=64 * MINUTE)
    assert asked(office) == []


def test_an_idle_counter_whose_services_nobody_waits_for_is_no_question():
    office = Office().opened("2")
    office.take("B")
    office.do(verb.CloseCounter("2"), 60 * MINUTE)
    assert asked(office) == []


def test_a_day_that_closed_early_is_asked_about():
    office = Office().opened("1")
    day = office.day
    close = Event(day.code, day.day, day.n + 1, day.t, "day.close", tally=Tally(0, 0, 0, 0, 0))
    report = verify([*office.leaves, encode(close)], office.policy.document)
    assert report.verdict is Verdict.CLEAN
    assert [found.code for found in report.indicators] == ["CLOSED_EARLY"]
    assert report.indicators[0].facts == {"minutes": 600}


def test_calls_that_are_requeued_again_and_again_are_asked_about():
    office = Office(document({"1": "A"}, "A")).opened("1")
    for _ in range(5):
        office.take("A")
    for _ in range(2):
        office.do(verb.RequeueTicket(office.call("1")))
    assert ("EMPTY_CALLS", {"c": "1", "count": 2}) in asked(office)


def test_holds_that_end_at_once_are_asked_about_and_long_ones_are_not():
    office = Office(document({"1": "A"}, "A")).opened("1")
    for away in (MINUTE - 1, MINUTE - 1, MINUTE):
        number = office.take("A")
        assert office.call("1") == number
        office.do(verb.StartTicket("1", number))
        office.do(verb.HoldTicket("1", number))
        office.do(verb.ReturnTicket(number), away)
        office.serve("1")
    assert ("EMPTY_CALLS", {"c": "1", "count": 2}) in asked(office)


def test_one_call_that_is_put_back_is_no_question():
    office = Office(document({"1": "A"}, "A")).opened("1")
    number = office.take("A")
    office.do(verb.RequeueTicket(office.call("1")))
    assert office.serve("1") == number
    assert asked(office) == []
