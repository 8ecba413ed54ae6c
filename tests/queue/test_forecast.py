"""The forecast's mathematics, its inputs, and what it says in the situations of a day."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betainc  # type: ignore[import-untyped]
from scipy.stats import f  # type: ignore[import-untyped]

from services.queue import commands as do
from services.queue.fold import apply, fresh_day
from services.queue.forecast import (
    SUREST_CALLS,
    Estimate,
    Forecasts,
    Outlook,
    Table,
    positions,
    usual_call_ms,
)
from services.queue.model import Lane
from services.queue.quantile import f_quantile
from services.queue.rates import WINDOW_MS, Rate, Rates, WorkingTime
from tests.queue.days import DATE, MINUTE, Office, document, random_day

ALL_DAY = (("00:00", "24:00"),)
HOUR = 60 * MINUTE


def forecasts_of(office, typical=10, history=()):
    """The folded day and its forecasts after the office's events."""
    day = fresh_day(office.policy, office.date)
    minutes = dict.fromkeys(office.policy.services, typical)
    forecasts = Forecasts(office.policy, office.date, minutes, list(history))
    for event in office.events:
        apply(day, event)
        forecasts.observe(day, event)
    return day, forecasts


def table_of(office, service="A", **inputs):
    day, forecasts = forecasts_of(office, **inputs)
    return forecasts.table(day, service)


def line_of(count, office, service="A"):
    for _ in range(count):
        office.take(service)
    return office


# The quantile


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("calls", [8, 9, 10, 13, 20, 47, 100, 333, SUREST_CALLS])
def test_the_f_quantile_agrees_with_scipy_over_the_whole_range_used(q, calls):
    for position in [*positions(30_000), 4, 6, 7, 10, 40, 100, 1000, 9999]:
        ours = f_quantile(q, position, 4 * calls)
        assert ours == pytest.approx(f.ppf(q, position, 4 * calls), rel=1e-6)


@settings(max_examples=300, deadline=None)
@given(st.floats(0.001, 0.999), st.integers(1, 50_000), st.integers(1, 5_000))
def test_the_f_quantile_inverts_the_distribution_function_for_any_degrees(q, d1, d2):
    x = f_quantile(q, d1, d2)
    assert betainc(d1 / 2, d2 / 2, d1 * x / (d1 * x + d2)) == pytest.approx(q, abs=1e-7)


def test_a_wait_is_the_quantile_of_the_closed_form():
    outlook = Outlook(0, WorkingTime(((0, 10**9),)), counters=3, calls=20, exposure=20 * 600_000)
    expected = 5 / 3 * 600_000 * f.ppf(0.9, 2 * 0.5 * 5, 2 * 2 * 20)
    assert outlook.work_ms(0.9, 5) == pytest.approx(expected, abs=1)


def test_many_calls_sharpen_the_rate_only_up_to_a_limit():
    outlook = Outlook(0, WorkingTime(((0, 10**9),)), 1, SUREST_CALLS, SUREST_CALLS * 1000.0)
    many = replace(outlook, calls=10 * SUREST_CALLS, exposure=10 * SUREST_CALLS * 1000.0)
    assert outlook.entry(40) == many.entry(40)


# The table


def test_positions_are_fibonacci_numbers_up_to_the_first_that_covers_the_line():
    assert list(positions(1)) == [1, 2, 3, 5, 8]
    assert list(positions(8)) == [1, 2, 3, 5, 8]
    assert list(positions(9)) == [1, 2, 3, 5, 8, 13]
    assert list(positions(2001))[-2:] == [1597, 2584]


def test_a_position_between_two_entries_is_interpolated_and_rounded_half_up():
    table = Table(((1, 10, 20), (2, 15, 30), (3, 20, 40), (5, 25, 61)))
    assert table.at(3) == Estimate(20, 40)
    assert table.at(4) == Estimate(23, 51)
    assert table.at(6) is None


@given(st.lists(st.integers(0, 4000), min_size=5, max_size=15), st.integers(1, 700))
def test_columns_say_at_every_position_what_at_says(steps, count):
    entries, total = [], 0
    for position, step in zip(positions(610), steps, strict=False):
        total += step
        entries.append((position, total, 2 * total))
    table = Table(tuple(entries))
    p50, p90 = table.first(count)
    estimates = [table.at(position) for position in range(1, count + 1)]
    assert [Estimate(*pair) for pair in zip(p50, p90, strict=True)] == [e for e in estimates if e]


def test_the_table_covers_everybody_who_waits_and_one_more():
    office = line_of(30, Office(document(hours=ALL_DAY)).opened("1"))
    table = table_of(office)
    assert [entry[0] for entry in table.entries] == [1, 2, 3, 5, 8, 13, 21, 34]
    assert table.at(31) is not None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from(["09:30", "12:00", "24:00"]))
def test_the_estimate_of_one_place_is_the_tables_also_where_closing_cuts_it_off(
    waiting, minutes, closes
):
    office = Office(document({"1": "A"}, "A", (("08:00", closes),))).opened("1")
    day, forecasts = forecasts_of(line_of(waiting, office), typical=minutes)
    table = forecasts.table(day, "A")
    for position in range(1, waiting + 2):
        assert forecasts.estimate(day, "A", position) == table.at(position)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 30))
def test_on_random_days_waits_never_fall_with_the_position_and_p90_is_never_below_p50(
    seed, minutes
):
    office = random_day(Random(seed), 150, close=False).office
    day, forecasts = forecasts_of(office, typical=minutes)
    for service in office.policy.services:
        table = forecasts.table(day, service)
        p50, p90 = table.first(100)
        assert all(low <= high for column in (p50, p90) for low, high in pairwise(column))
        assert all(0 <= low <= high for low, high in zip(p50, p90, strict=True))


# What a forecast says


def test_without_an_open_counter_that_serves_the_service_there_is_no_forecast():
    office = line_of(3, Office(document({"1": "A", "2": "B"}, hours=ALL_DAY)).opened("2"))
    assert table_of(office, "A") == Table()
    assert table_of(office, "B").entries


def test_the_first_guess_is_the_typical_time_of_the_service():
    office = Office(document({"1": "A"}, "A", ALL_DAY)).opened("1")
    median = table_of(office, typical=12).at(8).p50_seconds / 60
    assert median == pytest.approx(8 * 12, rel=0.15)


def test_a_service_without_typical_minutes_is_guessed_at_ten():
    office = Office(document({"1": "A"}, "A", ALL_DAY)).opened("1")
    assert table_of(office, typical=0) == table_of(office, typical=10)


def test_a_second_counter_halves_the_wait_at_once_and_closing_it_restores_it():
    office = line_of(20, Office(document({"1": "A", "2": "A"}, "A", ALL_DAY)).opened("1"))
    alone = table_of(office).at(20).p50_seconds
    office.do(do.OpenCounter("2"))
    assert table_of(office).at(20).p50_seconds == pytest.approx(alone / 2, abs=1)
    office.do(do.CloseCounter("2"))
    assert table_of(office).at(20).p50_seconds == alone


def test_quick_calls_shorten_the_forecast():
    office = line_of(60, Office(document({"1": "A"}, "A", ALL_DAY)).opened("1"))
    before = table_of(office).at(20)
    for _ in range(30):
        office.serve("1")
    after = table_of(office).at(20)
    assert after.p50_seconds < before.p50_seconds / 3
    spread = [estimate.p90_seconds / estimate.p50_seconds for estimate in (after, before)]
    assert spread[0] < spread[1]


def test_an_idle_office_does_not_look_slow():
    office = Office(document({"1": "A", "2": "A", "3": "A"}, "A", ALL_DAY)).opened("1", "2", "3")
    office.take()
    before = table_of(office)
    office.serve("1", after=0)
    office.do(do.OpenCounter("1"), 3 * HOUR)
    office.take()
    after = table_of(office)
    assert after.at(5).p50_seconds <= before.at(5).p50_seconds


def test_a_no_show_is_a_call_that_frees_the_counter():
    office = line_of(3, Office(document({"1": "A"}, "A", ALL_DAY)).opened("1"))
    office.skip("1", office.call("1"))
    _, forecasts = forecasts_of(office)
    assert forecasts.rates.services["A"].calls == 1


def test_a_wait_that_crosses_the_break_is_longer_by_the_break():
    office = Office(document({"1": "A"}, "A", (("08:00", "12:00"), ("13:00", "20:00"))))
    office.opened("1").at = 3 * HOUR + 50 * MINUTE
    with_break = table_of(line_of(8, office))
    office = Office(document({"1": "A"}, "A", (("08:00", "20:00"),)))
    office.opened("1").at = 3 * HOUR + 50 * MINUTE
    without = table_of(line_of(8, office))
    for (_, *crossed), (_, *plain) in zip(with_break.entries, without.entries, strict=True):
        for longer, wait in zip(crossed, plain, strict=True):
            assert longer == wait + (3600 if wait > 600 else 0)


def test_a_wait_that_begins_before_the_opening_begins_with_the_opening():
    office = Office(document({"1": "A"}, "A", (("08:00", "20:00"),)), at=-HOUR).opened("1")
    early = table_of(office).at(1)
    office = Office(document({"1": "A"}, "A", (("08:00", "20:00"),))).opened("1")
    assert early.p50_seconds == table_of(office).at(1).p50_seconds + 3600


def test_positions_that_closing_may_cut_off_have_no_number():
    office = line_of(60, Office(document({"1": "A"}, "A", (("08:00", "11:00"),))).opened("1"))
    table = table_of(office)
    last = table.entries[-1][0]
    _, forecasts = forecasts_of(office)
    assert table.beyond_closing
    assert table.entries[-1][2] <= 3 * 3600
    assert table.at(last) is not None
    assert table.at(last + 1) is None
    assert forecasts._outlook("A").work_ms(0.9, last + 1) > 3 * HOUR
    assert len(table.first(60)[0]) == last


def test_after_the_last_closing_only_the_flag_is_left():
    office = line_of(5, Office(document({"1": "A"}, "A", (("08:00", "11:00"),))).opened("1"))
    office.at = 3 * HOUR
    office.do(do.CallNextTicket("1"))
    assert table_of(office) == Table((), beyond_closing=True)


def test_a_closed_day_has_no_forecast():
    office = line_of(5, Office().opened("1"))
    office.close()
    assert table_of(office) == Table()


def test_an_event_of_another_service_leaves_the_forecast_alone():
    office = line_of(9, Office(document({"1": "A", "2": "B"}, hours=ALL_DAY)).opened("1", "2"))
    before = table_of(office, "A")
    office.at += 30 * MINUTE
    office.take("B")
    assert table_of(office, "A") == before
    office.take("A")
    assert table_of(office, "A").at(1).p50_seconds > before.at(1).p50_seconds


# Calls and exposure


def test_exposure_counts_every_open_counter_while_somebody_waits():
    office = line_of(2, Office(document({"1": "A", "2": "A"}, "A", ALL_DAY)).opened("1", "2"))
    office.call("1", after=MINUTE)
    _, forecasts = forecasts_of(office)
    assert forecasts.rates.services["A"].exposure == 2 * MINUTE


def test_with_nobody_waiting_only_counters_with_a_ticket_of_the_service_are_exposed():
    office = line_of(1, Office(document({"1": "AB", "2": "AB"}, hours=ALL_DAY)).opened("1", "2"))
    office.serve("1", after=0)
    day, forecasts = forecasts_of(office)
    assert forecasts.rates.exposure("A", day.t) == MINUTE
    assert forecasts.rates.exposure("A", day.t + HOUR) == MINUTE
    assert forecasts.rates.exposure("B", day.t) == 0


def test_breaks_and_overtime_are_no_exposure_and_their_calls_do_not_count():
    office = Office(document({"1": "A"}, "A", (("08:00", "12:00"), ("13:00", "16:00"))))
    line_of(9, office.opened("1"))
    office.at = 4 * HOUR + 10 * MINUTE
    office.serve("1", after=0)
    office.at = 8 * HOUR + 30 * MINUTE
    office.serve("1", after=0)
    day, forecasts = forecasts_of(office)
    assert forecasts.rates.exposure("A", day.t) == 7 * HOUR
    assert forecasts.rates.services["A"].calls == 0


def test_only_the_last_busy_hour_counts_and_idle_time_does_not_age_it():
    rate = Rate()
    rate.expose(2, 0)
    rate.call(10 * MINUTE)
    rate.call(50 * MINUTE)
    rate.expose(0, 50 * MINUTE)
    rate.expose(1, 500 * MINUTE)
    rate.advance(510 * MINUTE)
    assert (rate.recent_calls, rate.recent_exposure) == (2, 110 * MINUTE)
    rate.advance(521 * MINUTE)
    assert (rate.recent_calls, rate.recent_exposure) == (1, (2 * 39 + 21) * MINUTE)
    rate.advance(900 * MINUTE)
    assert (rate.recent_calls, rate.recent_exposure) == (0, WINDOW_MS)
    assert (rate.calls, rate.exposure) == (2, (2 * 50 + 400) * MINUTE)


@given(st.lists(st.tuples(st.integers(0, 40 * MINUTE), st.integers(0, 3)), max_size=30), st.data())
def test_asking_for_a_rate_in_between_changes_nothing(changes, data):
    asked, plain, now = Rate(), Rate(), 0
    for passed, counters in changes:
        asked.advance(now + data.draw(st.integers(0, passed)))
        now += passed
        for rate in (asked, plain):
            rate.expose(counters, now)
            rate.call(now)
    seen = [
        (rate.recent_calls, rate.recent_exposure, rate.calls, rate.exposure, rate.busy)
        for rate in (asked, plain)
    ]
    assert seen[0] == seen[1]


def test_the_rate_of_a_transferred_ticket_goes_with_its_service():
    office = line_of(1, Office(document({"1": "AB"}, hours=ALL_DAY)).opened("1"))
    number = office.call("1", after=0)
    office.do(do.StartTicket("1", number))
    office.do(do.TransferTicket("1", number, "B"), MINUTE)
    office.call("1", after=2 * MINUTE)
    _, forecasts = forecasts_of(office)
    rates = forecasts.rates.services
    assert (rates["A"].calls, rates["A"].exposure) == (1, MINUTE)
    assert (rates["B"].calls, rates["B"].exposure) == (1, 2 * MINUTE)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_on_random_days_exposed_is_what_a_recount_from_the_day_says(seed):
    office = random_day(Random(seed), 200).office
    day, rates = fresh_day(office.policy, office.date), Rates(office.policy, office.date)
    for event in office.events:
        apply(day, event)
        rates.observe(day, event)
        for service in office.policy.services:
            serving = [
                c for c in day.counters.values() if c.state == "OPEN" and service in c.services
            ]
            held = [c for c in serving if c.ticket and day.tickets[c.ticket].service == service]
            waits = any(day.waiting[service][lane] for lane in Lane)
            assert rates.services[service].exposed == len(serving if waits else held)


# Working time


def test_working_time_skips_the_hours_between():
    time = WorkingTime(((100, 200), (300, 400)))
    assert [time.worked(t) for t in (50, 150, 250, 350, 900)] == [0, 50, 100, 150, 200]
    assert [time.left(t) for t in (50, 150, 250, 350, 900)] == [200, 150, 100, 50, 0]
    assert [time.after(150, work) for work in (1, 50, 51, 150)] == [151, 200, 301, 400]
    with pytest.raises(ValueError, match="beyond"):
        time.after(150, 151)


# Previous days


def past(day, **services):
    return {
        "day": day,
        "services": {
            code: {"calls": calls, "busy_seconds": seconds}
            for code, (calls, seconds) in services.items()
        },
    }


def test_without_history_a_call_takes_its_typical_minutes():
    assert usual_call_ms({"A": 10, "B": 4}, []) == {"A": 600_000, "B": 240_000}


def test_much_history_of_a_service_outweighs_its_typical_minutes():
    history = [past("2026-03-01", A=(100_000, 100_000 * 240))]
    assert usual_call_ms({"A": 10}, history)["A"] == pytest.approx(240_000, rel=0.01)


def test_a_service_without_a_past_takes_over_the_pace_of_its_office():
    history = [past("2026-03-01", A=(1000, 1000 * 300))]
    assert usual_call_ms({"A": 10, "B": 20}, history)["B"] == pytest.approx(600_000, rel=0.05)


def test_a_little_history_moves_the_guess_a_little():
    usual = usual_call_ms({"A": 10}, [past("2026-03-01", A=(5, 5 * 120))])["A"]
    assert 400_000 < usual < 600_000


def test_services_that_the_policy_no_longer_has_are_left_out():
    history = [past("2026-03-01", Z=(1000, 1000))]
    assert usual_call_ms({"A": 10}, history) == {"A": 600_000}


def test_only_the_last_twenty_days_count():
    old = [past("2026-01-01", A=(1000, 1000))]
    recent = [past(f"2026-02-{day:02d}", A=(100, 60_000)) for day in range(1, 21)]
    office = Office(document({"1": "A"}, "A", ALL_DAY), DATE).opened("1")
    assert table_of(office, history=old + recent) == table_of(office, history=recent)
