"""Nobody is forgotten and nothing but the rule moves a number: FAIRNESS A2 as tests."""

from collections import Counter as Count
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.queue import commands as verb
from services.queue.fold import apply, fresh_day
from services.queue.model import Day, Lane, State, Ticket
from services.queue.policy import next_ticket, virtual_order
from services.queue.verbs import Refused
from tests.queue.days import MINUTE, Office, document, random_day, rule_entry

SEEDS = st.integers(0, 2**32)


# Cases that were found before the rule was written


def test_a_returned_lone_ticket_at_a_shared_counter_is_called_after_three_more():
    office = Office(document({"1": "AB"})).opened("1")
    lone = office.take("A")
    office.call("1")
    office.skip("1", lone)
    office.take("B")
    office.do(verb.ReturnTicket(lone))
    called = []
    while lone not in called:
        office.take("B")
        called.append(office.serve("1"))
        assert len(called) < 10
    assert called.index(lone) == 3


def test_a_returned_ticket_is_called_at_once_when_nobody_else_waits():
    office = Office().opened("1")
    lone = office.take("A")
    office.call("1")
    office.skip("1", lone)
    office.do(verb.ReturnTicket(lone))
    assert next_ticket(office.day, "1") == lone


def test_calls_of_other_services_at_other_counters_do_not_ripen_a_ticket():
    office = Office(document({"1": "A", "2": "B"})).opened("1", "2")
    absent = office.take("A")
    office.call("1")
    office.skip("1", absent)
    office.do(verb.ReturnTicket(absent))
    others = [office.take("A") for _ in range(4)]
    for _ in range(5):
        office.take("B")
        office.serve("2")
    assert [office.serve("1") for _ in range(5)] == [*others[:3], absent, others[3]]


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("after", [0, 1, 2, 5])
def test_the_priority_lane_is_never_slower_than_arrival_order(share, after):
    rng = Random(f"{share} {after}")
    office = Office(document({"1": "A"}, "A", rule=rule_entry(after))).opened("1")
    lanes = [Lane.PRIORITY if rng.random() < share else Lane.REGULAR for _ in range(60)]
    numbers = [office.take("A", lane) for lane in lanes]
    order = virtual_order(office.day, "A")
    for place, (number, lane) in enumerate(zip(numbers, lanes, strict=True)):
        if lane is Lane.PRIORITY:
            assert order.index(number) <= place


@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_flood_of_priority_numbers_does_not_starve_a_regular_one(after):
    office = Office(document({"1": "A"}, "A", rule=rule_entry(after))).opened("1")
    regular = office.take()
    called = []
    while regular not in called:
        office.take(lane=Lane.PRIORITY)
        office.take(lane=Lane.PRIORITY)
        called.append(office.serve("1"))
        assert len(called) < 10
    assert len(called) <= 2


# Overtaking on random days


@dataclass
class Overtaking:
    """Reads a day's events; counts, for the present wait of each ticket, by whom it was passed."""

    day: Day
    passed: Count[str] = field(default_factory=Count)
    regular_calls: Count[str] = field(default_factory=Count)
    had_priority: set[str] = field(default_factory=set)

    def see(self, event) -> None:
        if event.e == "call":
            self._call(event)
        apply(self.day, event)
        if event.e in ("return", "xfer", "requeue"):
            self.passed[event.k] = 0

    def _call(self, event) -> None:
        called, counter = self.day.tickets[event.k], self.day.counters[event.c]
        for service in counter.services:
            for line in self.day.waiting[service].values():
                for order, number in line:
                    if order < called.ord:
                        self._passes(called, self.day.tickets[number], event.c)
        if called.lane is Lane.PRIORITY:
            self.regular_calls[event.c] = 0
            self.had_priority.add(event.c)
        else:
            self.regular_calls[event.c] += 1

    def _passes(self, called: Ticket, earlier: Ticket, counter: str) -> None:
        """`called` goes before `earlier`, who came first and could be called here too."""
        rule = self.day.policy.rule
        if earlier.nb > self.day.cs[earlier.service]:
            self.passed[earlier.number] += 1
            assert self.passed[earlier.number] <= rule.return_after_calls
            return
        assert (called.lane, earlier.lane) == (Lane.PRIORITY, Lane.REGULAR)
        assert (
            counter not in self.had_priority or self.regular_calls[counter] >= rule.priority_after
        )


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_nobody_is_passed_but_by_the_ratio_or_for_the_calls_of_a_return(seed):
    office = random_day(Random(seed), 400, close=False).office
    watched = Overtaking(fresh_day(office.policy, office.date))
    for event in office.events:
        watched.see(event)


def crowd(rng: Random, after: int) -> Office:
    """Forty who wait for two services at shared and own counters."""
    counters = {"1": "AB", "2": "A", "3": "AB"}
    rule = rule_entry(after, skip=(1, 0), back=(3, 3600, 5), hold=(5, 7200), transfers=5)
    office = Office(document(counters, rule=rule)).opened("1", "2", "3")
    for _ in range(40):
        office.take(rng.choice("AB"), rng.choice(list(Lane)))
    return office


def misbehave(office: Office, rng: Random, counter: str) -> None:
    """Call the next and do anything with it but serve it, or serve it; others come back."""
    number = office.call(counter)
    game = rng.choice(["serve", "serve", "skip", "hold", "transfer", "requeue", "lane"])
    if game in ("serve", "hold", "transfer"):
        office.do(verb.StartTicket(counter, number))
    service = office.day.tickets[number].service
    ends: dict[str, verb.Command] = {
        "serve": verb.CompleteTicket(counter, number),
        "hold": verb.HoldTicket(counter, number),
        "transfer": verb.TransferTicket(counter, number, "B" if service == "A" else "A"),
        "skip": verb.SkipTicket(counter, number),
    }
    try:
        office.do(ends.get(game, verb.RequeueTicket(number)))
        if game == "lane":
            office.do(verb.SetTicketLane(number))
    except Refused:
        if office.day.tickets[number].state is State.SERVING:
            office.do(verb.CompleteTicket(counter, number))


def come_back(office: Office, rng: Random) -> None:
    for number, ticket in office.day.tickets.items():
        away = ticket.state in (State.NO_SHOW, State.ON_HOLD)
        if away and rng.random() < 0.3:
            try:
                office.do(verb.ReturnTicket(number))
            except Refused:
                continue


@given(SEEDS, st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_a_crowd_that_games_is_passed_no_more_than_the_rule_says(seed, after):
    rng = Random(seed)
    office = crowd(rng, after)
    for _ in range(150):
        counter = rng.choice("123")
        if next_ticket(office.day, counter) is None:
            break
        misbehave(office, rng, counter)
        come_back(office, rng)
    watched = Overtaking(fresh_day(office.policy, office.date))
    for event in office.events:
        watched.see(event)


@given(SEEDS, st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_everyone_who_waits_is_called_however_others_game(seed, after):
    rng = Random(seed)
    office = crowd(rng, after)
    patient = {k for k in office.day.tickets if rng.random() < 0.5}
    for _ in range(2000):
        waiting = [c for c in "123" if next_ticket(office.day, c)]
        if not waiting:
            break
        counter = rng.choice(waiting)
        if next_ticket(office.day, counter) in patient:
            patient.discard(office.serve(counter))
        else:
            misbehave(office, rng, counter)
            come_back(office, rng)
    assert not patient


# Gaming: the same day twice, once with a trick


@dataclass
class Hall:
    """People come at given times; free counters call at once and serve for a minute.

    `tricks[who]` acts once, when that person would be served for the first time. `called[who]`
    has all moments of call.
    """

    office: Office
    tricks: dict[int, str] = field(default_factory=dict)
    late_lane: dict[int, int] = field(default_factory=dict)
    reopen: bool = False
    person: dict[str, int] = field(default_factory=dict)
    called: dict[int, list[int]] = field(default_factory=dict)
    until: dict[str, int] = field(default_factory=dict)
    back: list[tuple[int, str]] = field(default_factory=list)

    def run(self, people: list[tuple[int, str, Lane]], steps: int) -> "Hall":
        coming = sorted(enumerate(people), key=lambda entry: (entry[1][0], entry[0]))
        for step in range(steps):
            while coming and coming[0][1][0] <= step:
                who, (_, service, lane) = coming.pop(0)
                self.person[self.office.take(service, lane)] = who
            self._step(step)
            self.office.at += 10_000
        return self

    def _step(self, step: int) -> None:
        for entry in [entry for entry in self.back if entry[0] <= step]:
            self.back.remove(entry)
            self.office.do(verb.ReturnTicket(entry[1]))
        for number, who in self.person.items():
            if self.late_lane.get(who) == step:
                ticket = self.office.day.tickets[number]
                if ticket.state is State.WAITING and ticket.lane is Lane.REGULAR:
                    self.office.do(verb.SetTicketLane(number))
        for counter in self.office.day.counters:
            self._serve(counter, step)

    def _serve(self, counter: str, step: int) -> None:
        number = self.office.day.counters[counter].ticket
        if number and step >= self.until[counter]:
            self._finish(counter, number, step)
            number = None
        if number is None and next_ticket(self.office.day, counter):
            if self.reopen:
                self.office.do(verb.CloseCounter(counter))
                services = self.office.day.counters[counter].services
                self.office.do(verb.SetCounterServices(counter, services))
                self.office.do(verb.OpenCounter(counter))
            number = self.office.call(counter, after=0)
            self.called.setdefault(self.person[number], []).append(step)
            self.until[counter] = step + 6

    def _finish(self, counter: str, number: str, step: int) -> None:
        trick = self.tricks.pop(self.person[number], "")
        if trick == "absent":
            self.office.do(verb.SkipTicket(counter, number))
        else:
            self.office.do(verb.StartTicket(counter, number))
            service = self.office.day.tickets[number].service
            other = "B" if service == "A" else "A"
            tricks: dict[str, verb.Command] = {
                "hold": verb.HoldTicket(counter, number),
                "transfer": verb.TransferTicket(counter, number, other),
            }
            self.office.do(tricks.get(trick, verb.CompleteTicket(counter, number)))
        if trick in ("absent", "hold"):
            self.back.append((step + 3, number))


STEPS = 400


def hall(counters: dict[str, str], after: int, **more) -> Hall:
    rule = rule_entry(after, skip=(1, 0))
    office = Office(document(counters, rule=rule)).opened(*counters)
    return Hall(office, **more)


def people(rng: Random, services: str = "AB") -> list[tuple[int, str, Lane]]:
    return [(rng.randint(0, 60), rng.choice(services), rng.choice(list(Lane))) for _ in range(25)]


@given(SEEDS, st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_a_detour_through_another_service_is_never_faster_than_the_straight_way(seed, after):
    rng = Random(seed)
    who, crowd = rng.randrange(25), people(rng)
    come, _, lane = crowd[who]
    counters = {"1": "A", "2": "B"}
    crowd[who] = (come, "A", lane)
    detour = hall(counters, after, tricks={who: "transfer"}).run(crowd, STEPS)
    crowd[who] = (come, "B", lane)
    straight = hall(counters, after).run(crowd, STEPS)
    assert detour.called[who][-1] >= straight.called[who][-1]


@given(SEEDS, st.integers(0, 3), st.sampled_from(["hold", "absent"]))
@settings(max_examples=60, deadline=None)
def test_a_hold_or_absence_never_brings_anyone_to_the_counter_earlier(seed, after, trick):
    rng = Random(seed)
    who, crowd = rng.randrange(25), people(rng)
    counters = rng.choice([{"1": "AB"}, {"1": "AB", "2": "A"}, {"1": "A", "2": "B"}])
    games = hall(counters, after, tricks={who: trick}).run(crowd, STEPS)
    plain = hall(counters, after).run(crowd, STEPS)
    assert games.called[who][0] == plain.called[who][0]
    assert games.called[who][-1] > plain.called[who][-1]
    others = set(plain.called) - {who}
    assert all(games.called[other] for other in others)


@given(SEEDS, st.integers(0, 3), st.integers(0, 100))
@settings(max_examples=80, deadline=None)
def test_asking_for_priority_late_is_never_faster_than_asking_at_once(seed, after, step):
    rng = Random(seed)
    who, crowd = rng.randrange(25), people(rng)
    come, service, _ = crowd[who]
    counters = rng.choice([{"1": "AB"}, {"1": "A", "2": "B"}])
    crowd[who] = (come, service, Lane.REGULAR)
    late = hall(counters, after, late_lane={who: come + step}).run(crowd, STEPS)
    crowd[who] = (come, service, Lane.PRIORITY)
    at_once = hall(counters, after).run(crowd, STEPS)
    assert late.called[who] >= at_once.called[who]


@given(SEEDS, st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_closing_and_reopening_counters_changes_no_call(seed, after):
    crowd = people(Random(seed))
    counters = {"1": "AB", "2": "A", "3": "B"}
    once = hall(counters, after).run(crowd, STEPS)
    often = hall(counters, after, reopen=True).run(crowd, STEPS)
    assert often.called == once.called


def test_a_requeued_priority_number_does_not_win_its_turn_again():
    office = Office().opened("1")
    regular = office.take()
    urgent = office.take(lane=Lane.PRIORITY)
    assert office.call("1") == urgent
    office.do(verb.RequeueTicket(urgent), MINUTE)
    assert office.call("1") == regular


def test_a_requeued_ticket_stands_where_it_stood():
    office = Office().opened("1", "2")
    first, second = office.take(), office.take()
    assert office.call("1") == first
    office.do(verb.RequeueTicket(first), MINUTE)
    assert [office.call("1"), office.call("2")] == [first, second]


def test_a_cancelled_number_taken_again_stands_at_the_end():
    office = Office().opened("1")
    first, second = office.take(), office.take()
    office.do(verb.CancelTicket(first))
    again = office.take()
    assert [office.serve("1"), office.serve("1")] == [second, again]
