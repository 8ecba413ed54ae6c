"""What each event does to the day."""

from random import Random

from services.queue import commands as verb
from services.queue.fold import apply, fresh_day, number_of, tally_of
from services.queue.journal import parse
from services.queue.model import Channel, CounterState, Lane, State, Tally
from services.queue.policy import close_at_ms
from tests.queue.days import MINUTE, Office, document, random_day


def test_a_fresh_day_has_closed_counters_with_the_policys_sets():
    day = Office().day
    assert (day.n, day.opened, day.closed, day.hours_on, day.office_on) == (-1, *[False] * 3, True)
    assert {c.id: c.services for c in day.counters.values()} == {"1": ("A", "B"), "2": ("A",)}
    assert all(c.state is CounterState.CLOSED and c.credit == 2 for c in day.counters.values())


def test_numbers_have_at_least_three_digits():
    assert [number_of("A", n) for n in (1, 999, 1000)] == ["A001", "A999", "A1000"]


def test_the_path_of_a_ticket_leaves_its_moments():
    office = Office().opened("1")
    number = office.take(channel=Channel.KIOSK)
    ticket = office.day.tickets[number]
    issued = office.day.t
    assert (ticket.state, ticket.issued_at, ticket.called_at) == (State.WAITING, issued, None)
    office.call("1", after=5 * MINUTE)
    called = office.day.t
    assert (ticket.state, ticket.called_at, ticket.counter) == (State.CALLED, called, "1")
    office.do(verb.RecallTicket("1", number), 20_000)
    assert (ticket.calls, ticket.first_call, ticket.last_call) == (2, called, called + 20_000)
    office.do(verb.StartTicket("1", number), 1000)
    assert (ticket.state, ticket.started_at) == (State.SERVING, called + 21_000)
    office.do(verb.CompleteTicket("1", number), MINUTE)
    assert (ticket.state, ticket.closed_at) == (State.COMPLETED, office.day.t)
    assert (ticket.counter, ticket.event, ticket.since) == ("1", office.day.n, office.day.t)
    counter = office.day.counters["1"]
    assert (counter.ticket, counter.last_completed) == (None, number)
    assert office.day.completed == {"A": 1, "B": 0}


def test_calls_and_time_restart_at_each_call_but_the_first_call_ever_is_kept():
    office = Office().opened("1")
    number = office.take()
    office.call("1")
    first = office.day.t
    office.do(verb.RecallTicket("1", number), 20_000)
    office.do(verb.RequeueTicket(number))
    ticket = office.day.tickets[number]
    assert (ticket.state, ticket.counter) == (State.WAITING, None)
    office.call("1", after=MINUTE)
    assert (ticket.calls, ticket.first_call, ticket.called_at) == (1, office.day.t, first)


def test_a_call_counts_for_every_service_of_the_counters_set():
    office = Office().opened("1", "2")
    office.take("A")
    office.take("A")
    office.call("1")
    assert office.day.cs == {"A": 1, "B": 1}
    office.call("2")
    assert office.day.cs == {"A": 2, "B": 1}


def test_credit_rises_to_the_ratio_and_falls_to_nothing_after_priority():
    office = Office().opened("1")
    counter = office.day.counters["1"]
    office.take(lane=Lane.PRIORITY)
    for _ in range(4):
        office.take()
    levels = []
    for _ in range(5):
        office.serve("1")
        levels.append(counter.credit)
    assert levels == [0, 1, 2, 2, 2]


def test_recalls_requeues_and_new_sets_leave_the_calls_counted():
    office = Office().opened("1")
    number = office.take("A")
    office.call("1")
    office.do(verb.RecallTicket("1", number), 20_000)
    office.do(verb.RequeueTicket(number))
    office.do(verb.CloseCounter("1"))
    credit = office.day.counters["1"].credit
    office.do(verb.SetCounterServices("1", ("B",)))
    office.do(verb.OpenCounter("1"))
    assert office.day.cs == {"A": 1, "B": 1}
    assert office.day.counters["1"].credit == credit


def test_a_cancelled_ticket_frees_quota_but_never_its_number():
    office = Office().opened("1")
    number = office.take(channel=Channel.WEB)
    assert (office.day.used["A"], office.day.web["A"]) == (1, 1)
    office.do(verb.CancelTicket(number))
    assert (office.day.used["A"], office.day.web["A"], office.day.issued["A"]) == (0, 0, 1)
    assert office.take(channel=Channel.DESK) == "A002"
    assert (office.day.used["A"], office.day.web["A"]) == (1, 0)


def test_a_transfer_keeps_number_order_and_remaining_calls():
    office = Office().opened("1", "2")
    number = office.take("A")
    office.call("2")
    office.skip("2", number)
    office.do(verb.ReturnTicket(number))
    ticket = office.day.tickets[number]
    assert (ticket.nb, ticket.returns) == (4, 1)
    office.call("2")
    office.do(verb.StartTicket("2", number))
    office.do(verb.TransferTicket("2", number, "B"))
    assert (ticket.service, ticket.issued_for, ticket.number) == ("B", "A", number)
    assert (ticket.nb, ticket.transfers) == (2, 1)
    office.do(verb.CancelTicket(number))
    assert office.day.used == {"A": 0, "B": 0}


def test_a_held_ticket_returns_ripe():
    office = Office().opened("1")
    number = office.take()
    office.call("1")
    office.do(verb.StartTicket("1", number))
    office.do(verb.HoldTicket("1", number))
    ticket = office.day.tickets[number]
    assert (ticket.state, ticket.holds, ticket.counter) == (State.ON_HOLD, 1, None)
    office.do(verb.ReturnTicket(number))
    assert (ticket.nb, ticket.returns) == (office.day.cs["A"], 0)


def test_the_board_keeps_the_last_ten_calls_and_recalls_newest_first():
    office = Office().opened("1")
    numbers = [office.take() for _ in range(11)]
    for _ in numbers[:-1]:
        office.serve("1")
    office.call("1")
    office.do(verb.RecallTicket("1", numbers[-1]), 20_000)
    shown = office.day.calls
    assert [call.number for call in shown] == [numbers[-1], *reversed(numbers[2:])]
    assert (shown[0].counter, shown[0].event, shown[0].t) == ("1", office.day.n, office.day.t)


def test_lines_tell_which_services_changed():
    office = Office().opened("1")
    a = office.take("A")
    assert office.day.lines == {"A": office.day.n, "B": -1}
    office.take("B")
    before = dict(office.day.lines)
    office.do(verb.CheckInTicket(a))
    assert office.day.lines == before
    office.call("1")
    assert office.day.lines == {"A": office.day.n, "B": before["B"]}
    office.do(verb.StartTicket("1", a))
    assert office.day.lines["A"] < office.day.n
    office.do(verb.TransferTicket("1", a, "B"))
    assert office.day.lines["B"] == office.day.n


def test_at_the_close_every_state_ends_as_the_rules_say():
    office = Office(document({"1": "A", "2": "A", "3": "A"}, "A")).opened("1", "2", "3")
    names = ["done", "noshow", "hold", "cancel", "called", "serving", "waiting"]
    numbers = {name: office.take() for name in names}
    office.serve("1")
    office.call("1")
    office.skip("1", numbers["noshow"])
    office.call("1")
    office.do(verb.StartTicket("1", numbers["hold"]))
    office.do(verb.HoldTicket("1", numbers["hold"]))
    office.do(verb.CancelTicket(numbers["cancel"]))
    office.call("1")
    office.call("2")
    office.do(verb.StartTicket("2", numbers["serving"]))
    office.close()
    states = {name: office.day.tickets[numbers[name]].state for name in names}
    lapsed = dict.fromkeys(["hold", "called", "serving", "waiting"], State.LAPSED)
    ended = {"done": State.COMPLETED, "noshow": State.NO_SHOW, "cancel": State.CANCELLED}
    assert states == ended | lapsed
    assert office.day.tally == tally_of(office.day) == Tally(7, 1, 1, 1, 4)
    assert office.day.closed
    assert all(c.state is CounterState.CLOSED for c in office.day.counters.values())
    assert not any(line for lanes in office.day.waiting.values() for line in lanes.values())
    assert office.day.t == close_at_ms(office.policy, office.date)


def _check_lines(office: Office) -> None:
    day = office.day
    for service, lanes in day.waiting.items():
        for lane, line in lanes.items():
            assert line == sorted(
                (ticket.ord, number)
                for number, ticket in day.tickets.items()
                if ticket.state is State.WAITING
                and ticket.service == service
                and ticket.lane is lane
            )
    at_counters = {c.ticket: c.id for c in day.counters.values() if c.ticket}
    active = (State.CALLED, State.SERVING)
    assert at_counters == {k: t.counter for k, t in day.tickets.items() if t.state in active}


def test_lines_and_counters_agree_with_the_tickets_on_random_days():
    for seed in range(40):
        office = random_day(Random(seed), steps=150, close=seed % 2 == 0).office
        _check_lines(office)


def test_the_leaves_alone_rebuild_the_day():
    for seed in range(20):
        office = random_day(Random(seed), steps=200).office
        again = fresh_day(office.policy, office.date)
        for leaf in office.leaves:
            apply(again, parse(leaf))
        assert again == office.day
