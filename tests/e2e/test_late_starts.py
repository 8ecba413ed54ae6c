"""Queues that start late, and several that look at the clock at once."""

import pytest

from tests.e2e.mapped_office import AFTERNOON, MONDAY, TUESDAY, ms, tally, week
from tests.e2e.replica import refusal


async def test_a_queue_that_starts_late_opens_what_should_be_open_and_nothing_else(city):
    await city.at(ms("2026-02-28 23:00"))
    running = await city.office("73.71.01")
    paused = await city.office("73.71.02", hours={"weekly": week(("07:00", "09:00"), AFTERNOON)})
    over = await city.office("73.71.03", hours={"weekly": week(("05:00", "08:00"))})
    later = await city.office("73.71.04", hours={"weekly": week(("11:00", "12:00"))})
    await city.stop()

    await city.at(ms(f"{MONDAY} 10:17:03"))
    assert await running.lines(MONDAY) == ["10:17:03 day.open", "10:17:03 issue.go hours"]
    assert await paused.lines(MONDAY) == ["10:17:03 day.open"]
    assert await refusal(paused.take()) == "OFFICE_CLOSED"
    for office in (over, later):
        assert office.wrote_nothing()
        assert await refusal(office.take()) == "OFFICE_CLOSED"
    assert await refusal(over.open("1")) == "OFFICE_CLOSED"
    await later.open("1")
    assert (await running.take()).number == "A001"
    await city.stop()

    await city.at(ms(f"{TUESDAY} 07:05"))
    assert (await running.lines(MONDAY))[-1] == "07:05 day.close"
    assert await running.tally(MONDAY) == tally(1, lapsed=1)
    assert await running.lines(TUESDAY) == []
    assert await paused.lines(MONDAY) == ["10:17:03 day.open", "07:05 day.close"]
    assert await paused.lines(TUESDAY) == ["07:05 day.open", "07:05 issue.go hours"]
    assert await over.lines(TUESDAY) == ["07:05 day.open", "07:05 issue.go hours"]
    both = [MONDAY, TUESDAY]
    for office, days in ((running, [MONDAY]), (paused, both), (over, [TUESDAY]), (later, [MONDAY])):
        assert await office.verified() == days


async def test_a_first_citizen_before_any_tick_closes_yesterday_and_opens_today(city):
    await city.at(ms(f"{MONDAY} 10:00"))
    office = await city.office()
    await office.take()
    await city.stop()
    slow = city.start(f"0,{ms(f'{TUESDAY} 10:00')},0", tick=3600)
    city.replicas = [slow]
    assert (await office.take()).number == "A001"
    assert (await office.lines(MONDAY))[-1] == "10:00 day.close"
    assert await office.lines(TUESDAY) == [
        "10:00 day.open",
        "10:00 issue.go hours",
        "10:00 issue A001",
    ]
    assert await office.verified() == [MONDAY, TUESDAY]


@pytest.mark.parametrize("moment", ["07:30", "12:00", "17:30"])
async def test_replicas_that_tick_at_once_write_each_due_event_once(city, moment):
    await city.at(ms(f"{MONDAY} 07:29"))
    offices = [await city.office(f"73.71.{i:02}") for i in range(1, 9)]
    if moment != "07:30":
        for office in offices:
            await office.open("1")
    if moment == "12:00":
        await city.at(ms(f"{MONDAY} 07:30"))
    await city.at(ms(f"{MONDAY} {moment}"), replicas=3)
    expected = {
        "07:30": ["07:30 day.open", "07:30 issue.go hours"],
        "12:00": ["07:30 issue.go hours", "12:00 issue.stop hours"],
        "17:30": ["07:29 counter.open 1", "17:30 day.close"],
    }
    await city.rounds(9)
    for office in offices:
        assert (await office.lines(MONDAY))[-2:] == expected[moment]
        assert await office.verified() == [MONDAY]
