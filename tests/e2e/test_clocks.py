"""Replicas whose clocks disagree: time never runs back."""

from tests.e2e.mapped_office import MONDAY, TUESDAY, ms, week


async def test_time_never_runs_back_and_a_clock_far_behind_is_written_once_while_it_is_held(city):
    noon = ms(f"{MONDAY} 11:00")
    await city.at(noon)
    office = await city.office()
    assert (await office.take()).number == "A001"
    await city.at(noon - 3_000)
    assert (await office.take()).number == "A002"
    await city.at(noon - 5_000)
    assert (await office.take()).number == "A003"
    await city.at(noon - 60_000)
    assert (await office.take()).number == "A004"
    assert (await office.take()).number == "A005"
    await city.rounds(5)
    await city.at(noon + 1_000)
    assert (await office.take()).number == "A006"
    await city.at(noon - 60_000)
    assert (await office.take()).number == "A007"
    await city.rounds(5)
    assert await office.lines(MONDAY) == [
        "11:00 day.open",
        "11:00 issue.go hours",
        "11:00 issue A001",
        "11:00 issue A002",
        "11:00 issue A003",
        "11:00 clock 60000",
        "11:00 issue A004",
        "11:00 issue A005",
        "11:00:01 issue A006",
        "11:00:01 clock 61000",
        "11:00:01 issue A007",
    ]
    assert await office.verified() == [MONDAY]


async def test_replicas_whose_clocks_disagree_write_one_journal_without_a_step_back(city):
    await city.at(ms(f"{MONDAY} 11:00"), speed=1.0)
    office = await city.office()
    behind = [
        city.start(f"0,{ms(f'{MONDAY} 10:59')},0"),
        city.start(f"0,{ms(f'{MONDAY} 10:58')},0"),
    ]
    city.replicas += behind
    for _ in range(20):
        for replica in city.replicas:
            await office.do("CreateTicket", to=replica, service="B")
    times = [event["t"] for event in await office.events(MONDAY)]
    assert times == sorted(times)
    issued = [e["k"] for e in await office.events(MONDAY) if e["e"] == "issue" and e["s"] == "B"]
    assert issued == [f"B{n:03}" for n in range(1, 61)]
    assert await office.verified() == [MONDAY]


async def test_a_clock_behind_midnight_neither_reopens_yesterday_nor_writes_into_it(city):
    await city.at(ms(f"{MONDAY} 23:59"))
    office = await city.office(hours={"weekly": week(("00:00", "24:00"))})
    await office.take()
    await city.at(ms(f"{TUESDAY} 00:00:00.001"))
    yesterday = await office.leaves(MONDAY)
    await city.at(ms(f"{MONDAY} 23:59:58"))
    ticket = await office.take()
    assert (ticket.number, ticket.service_day) == ("A001", TUESDAY)
    assert await office.leaves(MONDAY) == yesterday
    assert await office.verified() == [MONDAY, TUESDAY]
