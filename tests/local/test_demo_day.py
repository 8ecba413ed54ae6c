"""The record is whole, and the plan follows it."""

import gzip
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from services.local import demo_day
from services.local.demo_day import POOLS, Recorded, Shift
from services.local.demo_report import quantile
from services.local.office_file import read

TICKETS = {"B": 63, "C": 147, "F": 58, "G": 240, "L": 170, "P": 225, "T": 92}
WHOLE = Path(__file__).parents[3] / "shared" / "data" / "warsaw_tickets.csv.gz"


@pytest.fixture(scope="module")
def day():
    return demo_day.read_day()


@pytest.fixture(scope="module")
def office():
    (found,) = read(demo_day.DATA / "bemowo.yaml")
    return found["spec"]


def of(day, service):
    return [ticket for ticket in day if ticket.service == service]


def test_the_record_has_995_tickets_of_seven_services_numbered_from_1(day):
    assert Counter(ticket.service for ticket in day) == TICKETS
    assert sum(TICKETS.values()) == 995
    for service, count in TICKETS.items():
        assert [ticket.ticket for ticket in of(day, service)] == list(range(1, count + 1))


def test_every_bracket_is_a_few_minutes_and_brackets_ascend(day):
    for low, high in (bracket for ticket in day for bracket in (ticket.arrived, ticket.called)):
        assert 4 <= high - low <= 10
    for service in TICKETS:
        for earlier, later in pairwise(of(day, service)):
            assert earlier.arrived <= later.arrived
            assert earlier.called <= later.called


def test_nobody_was_called_before_arriving(day):
    assert all(ticket.called[1] >= ticket.arrived[0] for ticket in day)


def test_the_notice_names_source_licence_and_upstream():
    notice = (demo_day.DATA / "NOTICE").read_text("utf-8")
    assert "https://github.com/HaZdula/kolejkeR" in notice
    assert "MIT License, Copyright (c) 2019 Hanna Zdulska" in notice
    assert "Dane pochodzą z serwisu api.um.warszawa.pl" in notice


def test_the_excerpt_equals_the_whole_record():
    if not WHOLE.exists():
        pytest.skip(
            "the whole record (../shared/data/warsaw_tickets.csv.gz) is not on this machine"
        )
    with gzip.open(WHOLE, "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split(",") for line in file]
    whole = sorted(
        (row[2][0], int(row[4]), *(value.removesuffix(".0") for value in row[5:]))
        for row in rows
        if row[0] == "UD_Bemowo" and row[3] == "2020-01-13"
    )
    lines = (demo_day.DATA / "bemowo_2020-01-13.csv").read_text().splitlines()[1:]
    ours = [(row[0], int(row[1]), *row[2:]) for row in (line.split(",") for line in lines)]
    assert ours == whole


def test_everybody_arrives_within_the_bracket_and_in_the_record_s_order(day):
    visits = demo_day.visits(day)
    assert visits == sorted(visits, key=lambda visit: visit.at)
    for service in TICKETS:
        planned = [visit for visit in visits if visit.service == service]
        for visit, ticket in zip(planned, of(day, service), strict=True):
            assert ticket.arrived[0] <= visit.at <= ticket.arrived[1]


def test_the_same_seed_plans_the_same_day_and_another_another(day):
    assert demo_day.visits(day) == demo_day.visits(day)
    assert demo_day.visits(day) != demo_day.visits(day, seed=1)
    assert demo_day.encounter("B012") == demo_day.encounter("B012")
    assert demo_day.encounter("B012") != demo_day.encounter("B012", seed=1)


def test_every_citizen_has_a_key_of_their_own_and_both_channels_are_used(day):
    visits = demo_day.visits(day)
    assert len({visit.holder for visit in visits}) == len(visits)
    assert {visit.channel for visit in visits} == {"WEB", "KIOSK"}


def test_a_few_are_absent_and_service_times_have_the_chosen_means():
    for letter, mean in demo_day.MEAN_MINUTES.items():
        drawn = [demo_day.encounter(f"{letter}{i:03}") for i in range(1, 4001)]
        share = sum(encounter.absent for encounter in drawn) / len(drawn)
        assert share == pytest.approx(demo_day.ABSENT_SHARE, abs=0.01)
        minutes = [encounter.minutes for encounter in drawn]
        assert sum(minutes) / len(minutes) == pytest.approx(mean, rel=0.05)
        assert min(minutes) >= demo_day.SHORTEST


def test_counters_open_as_the_record_says(day):
    plan = {pool.services: demo_day.open_counters(day, pool) for pool in POOLS}
    assert plan["B"] == [(475, 0), (480, 1)]
    assert plan["FG"] == [(480, 3), (519, 2), (544, 3), (954, 2)]
    assert plan["C"][:4] == [(584, 0), (599, 3), (604, 2), (609, 3)]


def test_two_services_that_share_counters_never_have_more_than_were_open(day):
    lorries, plates = (pool for pool in POOLS if pool.seen == "LT")
    both = [
        sum(_at(demo_day.open_counters(day, pool), minute) for pool in (lorries, plates))
        for minute in range(481, 1050)
    ]
    recorded = [_at(demo_day.open_counters(day, _all_of("LT", 6)), m) for m in range(481, 1050)]
    assert both == recorded


def test_shifts_follow_the_steps_and_the_first_counter_stays_to_the_end():
    steps = [(475.0, 0), (480.0, 2), (500.0, 1), (520.0, 2), (540.0, 0)]
    assert demo_day.shifts(steps, 0) == [Shift(480, 540), Shift(540, None)]
    assert demo_day.shifts(steps, 1) == [Shift(480, 500), Shift(520, 540)]
    assert demo_day.shifts(steps, 2) == []
    assert demo_day.shifts(steps[:2], 1) == [Shift(480, None)]


def test_without_a_lower_bound_an_arrival_lies_in_the_five_minutes_before(day):
    assert of(day, "B")[0] == Recorded("B", 1, (475, 480), (480, 485), 0)


def test_the_office_file_has_the_counters_of_the_plan(office):
    planned = {counter: list(pool.services) for pool in POOLS for counter in pool.counters}
    assert {counter["id"]: counter["services"] for counter in office["counters"]} == planned


def test_the_office_file_admits_the_whole_day(office, day):
    visits = demo_day.visits(day)
    quotas = {service["code"]: service["quota"] for service in office["services"]}
    assert set(quotas) == set(TICKETS)
    for service, quota in quotas.items():
        taken = [visit for visit in visits if visit.service == service]
        assert len(taken) <= quota["day"]
        assert sum(visit.channel == "WEB" for visit in taken) <= quota["web"]
    (hours,) = office["hours"]["weekly"]["mon"]
    opens, closes = (int(t[:2]) * 60 + int(t[3:]) for t in (hours["open"], hours["close"]))
    assert (opens, closes) == (demo_day.OPENS, demo_day.CLOSES)
    assert opens < visits[0].at
    assert visits[-1].at < closes
    assert office["code"] == demo_day.CODE
    assert office["timezone"] == demo_day.TIMEZONE.key


def test_the_plan_s_waits_come_near_the_recorded_ones_and_all_are_served_before_the_day_ends(day):
    for pool in POOLS:
        waits, last = _simulated(day, pool)
        assert last < demo_day.DAY_ENDS - 30
        for service, ours in waits.items():
            recorded = [ticket.wait for ticket in of(day, service)]
            assert quantile(ours, 0.5) == pytest.approx(quantile(recorded, 0.5), abs=10)
            assert sum(ours) / len(ours) == pytest.approx(sum(recorded) / len(recorded), abs=10)


def test_minutes_are_local_time_of_warsaw_in_winter():
    assert demo_day.epoch_ms(470) == 1578898200000  # 2020-01-13T06:50:00Z
    assert demo_day.minute_of(1578898200000) == 470


def _at(steps, minute):
    return next((count for since, count in reversed(steps) if since < minute), 0)


def _all_of(seen, count):
    return demo_day.Pool(seen, tuple(map(str, range(count))), seen)


def _simulated(day, pool):
    """Waits by service and the last minute, if HTTP took no time."""
    steps = demo_day.open_counters(day, pool)
    rosters = [demo_day.shifts(steps, rank) for rank in range(len(pool.counters))]
    free = [0.0] * len(rosters)
    waits = {}
    for visit in demo_day.visits(day):
        if visit.service not in pool.services:
            continue
        ready = [_from(roster, max(visit.at, free[i])) for i, roster in enumerate(rosters)]
        called = min(ready)
        line = waits.setdefault(visit.service, [])
        line.append(called - visit.at)
        encounter = demo_day.encounter(f"{visit.service}{len(line):03}")
        free[ready.index(called)] = called + (1.6 if encounter.absent else encounter.minutes)
    return waits, max(free)


def _from(roster, minute):
    """The first minute, not before the given one, in which a counter would call."""
    for shift in roster:
        start = max(minute, shift.start)
        if shift.end is None or start < shift.end:
            return start
    return float("inf")
