"""A file that is changed, taken away or brought back while a day runs."""

import json

import pytest

from tests.e2e.mapped_office import (
    AT_ONCE,
    MONDAY,
    TUESDAY,
    Office,
    ms,
    office_file,
    state_of,
    week,
)
from tests.e2e.replica import refusal


async def test_a_changed_policy_waits_for_tomorrow_and_a_changed_name_does_not(city):
    old_services = [
        {"code": "A", "name": "Akta", "quota": {"day": 2}},
        {"code": "B", "name": "Berkas"},
    ]
    await city.at(ms(f"{MONDAY} 12:00"))
    office = await city.office(services=old_services, rule={"transfers": 0, **AT_ONCE})
    await office.open("1")
    before = await office.seen()
    assert not before.change_pending

    new = {
        "name": "Makassar Baru",
        "services": [
            {"code": "A", "name": "Akta kelahiran", "quota": {"day": 1}},
            {"code": "B", "name": "Berkas", "channels": ["CHANNEL_KIOSK"]},
            {"code": "C", "name": "Catatan"},
        ],
        "counters": [{"id": i, "services": ["A", "B", "C"]} for i in ("1", "9")],
        "hours": {"weekly": week(("07:30", "14:00"))},
        "rule": {"transfers": 1, **AT_ONCE},
    }
    applied = await office.apply(**new)
    assert (applied.name, applied.change_pending) == ("Makassar Baru", True)
    assert [s.name for s in applied.services] == ["Akta kelahiran", "Berkas", "Catatan"]
    assert applied.policy == before.policy

    await city.at(ms(f"{MONDAY} 15:00"))
    await the_old_policy_still_decides(office)
    today = await office.seen()
    assert (today.policy, today.change_pending) == (before.policy, True)
    assert [s["name"] for s in (await office.board())["services"]] == ["Akta", "Berkas"]

    await city.at(ms(f"{TUESDAY} 07:30"))
    tomorrow = await office.seen()
    assert (tomorrow.change_pending, tomorrow.service_day) == (False, TUESDAY)
    assert tomorrow.policy != before.policy
    names = [s["name"] for s in (await office.board())["services"]]
    assert names == ["Akta kelahiran", "Berkas", "Catatan"]
    await the_new_policy_decides(office)
    documents = [
        json.loads((await office.do("GetPolicy", hash=digest)).body)
        for digest in (before.policy, tomorrow.policy)
    ]
    assert [[s["code"] for s in d["services"]] for d in documents] == [["A", "B"], ["A", "B", "C"]]
    assert [d["rule"]["transfers"] for d in documents] == [0, 1]
    assert await office.verified() == [MONDAY, TUESDAY]


async def the_old_policy_still_decides(office: Office) -> None:
    """Two numbers of A a day, B for everyone, no C, counters 1 and 2, no transfers, until 15:30."""
    assert [(await office.take(s)).number for s in "AAB"] == ["A001", "A002", "B001"]
    assert await refusal(office.take("A")) == "QUOTA_EXHAUSTED"
    assert await refusal(office.take("C")) == "SERVICE_NOT_FOUND"
    await office.open("2")
    assert await refusal(office.open("9")) == "COUNTER_NOT_FOUND"
    await office.at("2", "Start", await office.call("2"))
    refused = office.at("2", "Transfer", "A001", service="B")
    assert await refusal(refused) == "LIMIT_REACHED"


async def the_new_policy_decides(office: Office) -> None:
    assert (await office.take("A")).number == "A001"
    assert await refusal(office.take("A")) == "QUOTA_EXHAUSTED"
    assert await refusal(office.take("B")) == "CHANNEL_NOT_ADMITTED"
    assert (await office.take("C")).number == "C001"
    assert await refusal(office.open("2")) == "COUNTER_NOT_FOUND"
    await office.open("9")
    await office.at("9", "Start", await office.call("9"))
    await office.at("9", "Transfer", "A001", service="C")


async def test_a_file_that_changes_only_what_citizens_read_leaves_nothing_pending(city):
    await city.at(ms(f"{MONDAY} 10:00"))
    office = await city.office()
    await city.rounds()
    policy = (await office.seen()).policy
    spec = office_file(office.code)["spec"]
    services = [{**s, "typicalMinutes": 3, "standard": {"cost": "Rp 0"}} for s in spec["services"]]
    applied = await office.apply(name="Lain", address="Jalan Lain", services=services)
    assert (applied.change_pending, applied.policy) == (False, policy)
    assert (applied.name, applied.services[0].standard.cost) == ("Lain", "Rp 0")


async def test_a_file_changed_before_the_day_opens_holds_today(city):
    await city.at(ms(f"{MONDAY} 07:00"))
    office = await city.office()
    await city.rounds()
    await office.apply(hours={"weekly": week(("07:00", "09:00"))})
    await city.rounds()
    assert await office.lines(MONDAY) == ["07:00 day.open", "07:00 issue.go hours"]


async def test_an_office_taken_off_the_list_closes_its_day_and_may_come_back_tomorrow(city):
    await city.at(ms(f"{MONDAY} 10:00"))
    office = await city.office()
    ticket = await office.take()
    await office.do("DeleteKecamatan")
    assert await refusal(office.take()) == "KECAMATAN_NOT_FOUND"
    assert await refusal(office.board()) == "KECAMATAN_NOT_FOUND"
    await city.rounds()
    assert (await office.lines(MONDAY))[-1] == "10:00 day.close"
    assert (await office.do("GetDay", day=MONDAY)).day.total.lapsed == 1
    assert state_of(await office.ticket(ticket.id)) == "LAPSED"

    await office.apply()
    await city.rounds()
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    assert (await office.lines(MONDAY))[-1] == "10:00 day.close"
    await city.at(ms(f"{TUESDAY} 10:00"))
    assert (await office.take()).number == "A001"
    assert await office.verified() == [MONDAY, TUESDAY]


@pytest.mark.parametrize(
    ("timezone", "opening"),
    [("Europe/Warsaw", f"{TUESDAY} 14:30"), ("Asia/Jayapura", f"{TUESDAY} 06:30")],
)
async def test_a_changed_time_zone_waits_for_tomorrow_and_makes_no_date_twice(
    city, timezone, opening
):
    await city.at(ms(f"{MONDAY} 10:00"))
    office = await city.office()
    await office.take()
    await office.apply(timezone=timezone)
    await city.at(ms(f"{MONDAY} 15:29:59.999"))
    await office.take()
    await city.at(ms(f"{MONDAY} 15:30"))
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    await city.at(ms(f"{TUESDAY} 00:00"))
    assert (await office.lines(MONDAY))[-1] == "00:00 day.close"
    await city.at(ms(opening) - 1)
    assert await refusal(office.take()) == "OFFICE_CLOSED"
    await city.at(ms(opening))
    assert (await office.take()).service_day == TUESDAY
    assert await office.verified() == [MONDAY, TUESDAY]
