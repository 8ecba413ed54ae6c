"""A day in figures, and the record for later forecasts."""

from __future__ import annotations

import json
from random import Random

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st

from services.queue import commands as do
from services.queue.days import Desks, figures, nearest_rank, record, statistics, summarise
from services.queue.fold import apply, fresh_day
from services.queue.model import Channel, Lane
from services.queue.policy import canonical, hours_ms
from services.queue.rates import Rates
from tests.queue.days import MINUTE, Office, document, random_day
from tunggu.queue.v1 import queue_pb2

HOUR = 60 * MINUTE
NOTHING = figures([])


def summary(office):
    return summarise(office.policy, office.date, office.events)


def service(stats, code):
    return next(entry for entry in stats["services"] if entry["service"] == code)


def desk(stats, counter):
    return next(entry for entry in stats["counters"] if entry["counter"] == counter)


# Quantiles


def test_the_nearest_rank_is_one_of_the_values():
    assert nearest_rank([], 50) == 0
    assert nearest_rank([7], 90) == 7
    assert [nearest_rank([1, 2, 3, 4], percent) for percent in (50, 90)] == [2, 4]
    assert [nearest_rank(list(range(1, 11)), percent) for percent in (50, 90)] == [5, 9]
    assert [nearest_rank(list(range(1, 12)), percent) for percent in (50, 90)] == [6, 10]


def test_waits_run_from_issue_to_the_first_call_and_services_from_the_last_start():
    office = Office().opened("1")
    office.take()
    office.skip("1", office.call("1", after=10 * MINUTE))
    office.do(do.ReturnTicket("A001"), MINUTE)
    office.call("1", after=MINUTE)
    office.do(do.StartTicket("1", "A001"), 500)
    office.do(do.CompleteTicket("1", "A001"), 3 * MINUTE + 499)
    total = summary(office)[0]["total"]
    assert (total["wait_p50_seconds"], total["wait_p90_seconds"]) == (600, 600)
    assert (total["service_p50_seconds"], total["service_p90_seconds"]) == (180, 180)
    assert (total["issued"], total["calls"], total["completed"], total["no_shows"]) == (1, 1, 1, 0)


def test_half_a_second_is_rounded_up():
    office = Office().opened("1")
    office.take()
    office.call("1", after=1500)
    assert summary(office)[0]["total"]["wait_p50_seconds"] == 2


# What counts where


def test_a_day_without_events_is_all_zeros():
    stats, past = summarise(Office().policy, "2026-03-02", [])
    assert stats["events"] == 0
    assert stats["closed"] is False
    assert stats["total"] == NOTHING
    assert [entry["service"] for entry in stats["services"]] == ["A", "B"]
    assert past["services"]["A"] == {"busy_seconds": 0, "calls": 0}


def test_a_transferred_ticket_counts_for_the_service_and_lane_it_ends_in():
    office = Office().opened("1")
    number = office.take("A")
    office.do(do.SetTicketLane(number))
    office.call("1")
    office.do(do.StartTicket("1", number))
    office.do(do.TransferTicket("1", number, "B"))
    stats = summary(office)[0]
    assert service(stats, "A")["total"] == NOTHING
    assert service(stats, "B")["total"]["issued"] == 1
    lanes = {entry["lane"]: entry["figures"]["issued"] for entry in service(stats, "B")["lanes"]}
    assert lanes == {"LANE_REGULAR": 0, "LANE_PRIORITY": 1}


def test_tickets_are_grouped_by_the_local_hour_of_issue():
    office = Office(document(timezone="Europe/Warsaw")).opened("1")
    office.take()
    office.at = 29 * MINUTE
    office.take()
    office.at = 30 * MINUTE
    office.take()
    hours = service(summary(office)[0], "A")["hours"]
    assert [(entry["hour"], entry["figures"]["issued"]) for entry in hours] == [(7, 2), (8, 1)]


def test_only_channels_that_were_used_are_listed():
    office = Office()
    for channel in (Channel.KIOSK, Channel.WEB, Channel.KIOSK):
        office.take(channel=channel)
    channels = service(summary(office)[0], "A")["channels"]
    assert [(c["channel"], c["figures"]["issued"]) for c in channels] == [
        ("CHANNEL_WEB", 1),
        ("CHANNEL_KIOSK", 2),
    ]


def test_nobody_has_lapsed_before_the_day_closes():
    office = Office().opened("1")
    for _ in range(3):
        office.take()
    office.do(do.CancelTicket("A003", "holder"))
    assert summary(office)[0]["total"]["lapsed"] == 0
    office.close()
    stats = summary(office)[0]
    assert stats["closed"] is True
    assert stats["events"] == len(office.events)
    assert (stats["total"]["lapsed"], stats["total"]["cancelled"]) == (2, 1)


# Counters


def test_a_counter_counts_calls_without_recalls_and_each_no_show_there():
    office = Office().opened("1", "2")
    for _ in range(3):
        office.take()
    office.skip("1", office.call("1"))
    office.do(do.ReturnTicket("A001"))
    office.serve("1")
    office.serve("2")
    stats = summary(office)[0]
    one, two = desk(stats, "1"), desk(stats, "2")
    assert (one["calls"], one["completed"], one["no_shows"]) == (2, 1, 1)
    assert (two["calls"], two["completed"], two["no_shows"]) == (1, 1, 0)


def test_open_seconds_add_up_over_openings_and_run_on_while_open():
    office = Office().opened("1")
    office.do(do.CloseCounter("1"), HOUR)
    office.do(do.OpenCounter("1"), HOUR)
    office.at += HOUR
    office.take()
    assert desk(summary(office)[0], "1")["open_seconds"] == 2 * 3600
    assert desk(summary(office)[0], "2")["open_seconds"] == 0


def test_the_close_of_the_day_closes_the_counters():
    office = Office(document(hours=(("08:00", "10:00"),))).opened("1")
    office.close()
    assert desk(summary(office)[0], "1")["open_seconds"] == 4 * 3600


def test_a_day_that_is_closed_days_later_has_counters_that_worked_until_its_last_moment():
    office = Office().opened("1")
    office.read(do.CloseDay(), office.opening + 50 * HOUR)
    assert desk(summary(office)[0], "1")["open_seconds"] == 10 * 3600


def test_counters_stand_in_natural_order():
    office = Office(document({"10": "A", "2": "A", "1": "B"}))
    assert [entry["counter"] for entry in summary(office)[0]["counters"]] == ["1", "2", "10"]


# The record


def test_the_record_holds_calls_and_busy_counter_seconds_in_canonical_order():
    office = Office(document({"1": "A", "2": "AB"}, "BA")).opened("1", "2")
    for _ in range(2):
        office.take("A")
    office.call("1", after=MINUTE)
    office.call("2", after=MINUTE)
    office.close()
    _, past = summary(office)
    opening, last = hours_ms(office.policy, office.date)[0][0], 7 * HOUR
    assert office.events[0].t == opening
    assert past["services"]["A"] == {"busy_seconds": 2 * last // 1000, "calls": 2}
    assert past["services"]["B"] == {"busy_seconds": 0, "calls": 0}
    assert json.dumps(past, separators=(",", ":")).encode() == canonical(past)


# Random days


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_on_random_days_every_sum_agrees(seed, closed):
    office = random_day(Random(seed), 250, closed).office
    stats, _ = summary(office)
    total = stats["total"]
    for key in ("issued", "completed", "no_shows", "cancelled", "lapsed", "calls"):
        for entry in stats["services"]:
            for part in ("hours", "lanes", "channels"):
                parts = sum(item["figures"][key] for item in entry[part])
                assert parts == entry["total"][key]
        assert sum(entry["total"][key] for entry in stats["services"]) == total[key]
    assert sum(entry["completed"] for entry in stats["counters"]) == total["completed"]
    calls = [event for event in office.events if event.e == "call"]
    assert sum(entry["calls"] for entry in stats["counters"]) == len(calls)
    tally = office.day.tally
    if tally:
        ends = ("issued", "completed", "no_shows", "cancelled", "lapsed")
        claimed = (tally.issued, tally.done, tally.noshow, tally.cancel, tally.lapsed)
        assert tuple(total[key] for key in ends) == claimed


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_on_random_days_a_running_summary_is_that_of_the_events_so_far(seed):
    office = random_day(Random(seed), 120).office
    day, rates, desks = (
        fresh_day(office.policy, office.date),
        Rates(office.policy, office.date),
        Desks(),
    )
    for count, event in enumerate(office.events, 1):
        apply(day, event)
        rates.observe(day, event)
        desks.observe(day, event)
        if count % 17 == 0:
            running = statistics(day, desks), record(day, rates)
            assert running == summarise(office.policy, office.date, office.events[:count])


@pytest.mark.parametrize("seed", range(5))
def test_protobuf_takes_the_figures_as_they_are(seed):
    stats, _ = summary(random_day(Random(seed), 200).office)
    message = ParseDict(stats, queue_pb2.Day())
    assert message == queue_pb2.Day(**stats)
    assert message.total.issued == stats["total"]["issued"]
    assert {field.name for field in message.DESCRIPTOR.fields} == set(stats)
    figures_fields = {field.name for field in message.total.DESCRIPTOR.fields}
    assert figures_fields == set(stats["total"])
    assert message.services[0].lanes[1].lane == list(Lane).index(Lane.PRIORITY) + 1
