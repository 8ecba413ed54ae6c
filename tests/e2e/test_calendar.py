"""Weeks, seasons, exceptions, and the days on which the clocks change."""

import pytest

from tests.e2e.mapped_office import AFTERNOON, MORNING, intervals, ms, week
from tests.e2e.replica import refusal
from tunggu.queue.v1 import queue_pb2

FRIDAY = "2027-02-12"
RAMADAN = {
    "name": "Ramadan",
    "from": "2027-02-08",
    "to": "2027-03-09",
    "weekly": week(("08:00", "15:00"), fri=[("08:00", "11:00"), ("12:30", "14:30")], sat=[]),
}
WEEKLY = week(MORNING, AFTERNOON, fri=[("07:30", "11:30"), AFTERNOON], sat=[], sun=[])
CLOSED = {"date": FRIDAY, "closed": True, "reason": "Cuti bersama"}
SHORT = {"date": FRIDAY, "hours": intervals(("09:00", "10:00"))}


async def test_an_exception_beats_a_season_and_a_season_beats_the_week(city):
    await city.at(ms(f"{FRIDAY} 06:00"))
    friday = await city.office("73.71.01", hours={"weekly": WEEKLY})
    fasting = await city.office("73.71.02", hours={"weekly": WEEKLY, "seasons": [RAMADAN]})
    calendar = {"weekly": WEEKLY, "seasons": [RAMADAN]}
    holiday = await city.office("73.71.03", hours={**calendar, "exceptions": [CLOSED]})
    short = await city.office("73.71.04", hours={**calendar, "exceptions": [SHORT]})
    offices = {"friday": friday, "fasting": fasting, "holiday": holiday, "short": short}

    issuing = {
        "07:29:59.999": [],
        "07:30": ["friday"],
        "08:00": ["friday", "fasting"],
        "09:00": ["friday", "fasting", "short"],
        "10:00": ["friday", "fasting"],
        "11:00": ["friday"],
        "11:30": [],
        "12:30": ["fasting"],
        "13:00": ["friday", "fasting"],
        "14:30": ["friday"],
        "15:30": [],
    }
    for moment, expected in issuing.items():
        await city.at(ms(f"{FRIDAY} {moment}"))
        found = [name for name, office in offices.items() if await office.issues()]
        assert (moment, found) == (moment, expected)
    await city.at(ms(f"{FRIDAY} 17:30"))

    switches = {
        name: [line for line in await office.lines(FRIDAY) if " issue " not in line]
        for name, office in offices.items()
    }
    assert switches == {
        "friday": [
            "07:30 day.open",
            "07:30 issue.go hours",
            "11:30 issue.stop hours",
            "13:00 issue.go hours",
            "15:30 issue.stop hours",
            "17:30 day.close",
        ],
        "fasting": [
            "08:00 day.open",
            "08:00 issue.go hours",
            "11:00 issue.stop hours",
            "12:30 issue.go hours",
            "14:30 issue.stop hours",
            "17:30 day.close",
        ],
        "holiday": [],
        "short": [
            "09:00 day.open",
            "09:00 issue.go hours",
            "10:00 issue.stop hours",
            "12:30 day.close",
        ],
    }
    for office in (friday, fasting, short):
        assert await office.verified() == [FRIDAY]


async def test_on_a_holiday_nothing_opens_whoever_asks(city):
    await city.at(ms(f"{FRIDAY} 10:00"))
    office = await city.office(hours={"weekly": WEEKLY, "exceptions": [CLOSED]})
    await city.rounds()
    stop = office.do("StopIssuing", reason=queue_pb2.STOP_REASON_POWER)
    for asked in (office.take(), office.open("1"), office.call(), stop):
        assert await refusal(asked) == "OFFICE_CLOSED"
    assert not list((await office.seen()).hours_today)
    assert await refusal(office.do("GetDay", day=FRIDAY)) == "DAY_NOT_FOUND"
    assert (await office.board())["event"] == -1
    assert office.wrote_nothing()


async def test_a_season_holds_on_its_last_day_and_not_on_the_day_after(city):
    hours = {"weekly": WEEKLY, "seasons": [RAMADAN]}
    await city.at(ms("2027-03-09 06:00"))
    office = await city.office(hours=hours)
    today = [(i.open, i.close) for i in (await office.seen()).hours_today]
    assert today == [("08:00", "15:00")]
    await city.at(ms("2027-03-10 06:00"))
    today = [(i.open, i.close) for i in (await office.seen()).hours_today]
    assert today == [MORNING, AFTERNOON]


# Summer time


WARSAW = "Europe/Warsaw"
HOUR = 3_600_000


@pytest.mark.parametrize(("date", "length"), [("2026-03-29", 23), ("2026-10-25", 25)])
async def test_a_day_on_which_the_clocks_change_has_its_local_hours_and_its_own_length(
    city, date, length
):
    start, opening = ms(f"{date} 00:00", WARSAW), ms(f"{date} 08:00", WARSAW)
    assert opening - start == (length - 16) * HOUR
    await city.at(start - 1)
    always = await city.office(
        "73.71.01", timezone=WARSAW, hours={"weekly": week(("00:00", "24:00"))}
    )
    hours = {"weekly": week(("08:00", "12:00"))}
    office = await city.office("73.71.02", timezone=WARSAW, hours=hours)
    assert (await always.take()).service_day < date

    await city.at(start)
    ticket = await always.take()
    assert (ticket.service_day, ticket.number) == (date, "A001")
    await city.at(opening - 1)
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    await city.at(opening)
    assert (await office.take()).number == "A001"
    await city.at(opening + 4 * HOUR)
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    await city.at(opening + 6 * HOUR)
    await city.at(start + length * HOUR - 1)
    assert (await always.take()).service_day == date
    await city.at(start + length * HOUR)
    assert (await always.take()).service_day > date

    assert await office.lines(date, WARSAW) == [
        "08:00 day.open",
        "08:00 issue.go hours",
        "08:00 issue A001",
        "12:00 issue.stop hours",
        "14:00 day.close",
    ]
    day = await always.events(date)
    assert day[0]["t"] == start
    assert (day[-1]["e"], day[-1]["t"]) == ("day.close", start + length * HOUR)
    assert await office.verified() == [date]
    assert len(await always.verified()) == 3
