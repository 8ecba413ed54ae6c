"""The journal as anyone may read it: streams, pages, figures, policy documents."""

import asyncio
import hashlib
import json

import pytest

from services.queue.policy import parse_policy
from tests.queue.servicing import MONDAY, at
from tunggu.queue.v1 import queue_pb2 as pb
from tunggu.queue.v1 import ticket_pb2 as tickets

HOUR = 3_600_000


def raw_leaves(office):
    return [fields[b"l"] for _, fields in office.redis.xrange(office.key("journal"))]


async def small_day(office):
    """Four numbers: one served, one passed over, one given back, one waiting."""
    await office.open("1")
    for service, lane in (("A", 1), ("A", 2), ("B", 1)):
        await office.take(service, lane=lane)
    await office.do("CreateTicket", office.kiosk, service="A", channel=tickets.CHANNEL_KIOSK)
    assert (await office.call_next()).number == "A002"
    await office.at_counter("StartTicket", "A002")
    await asyncio.sleep(0.05)
    await office.at_counter("CompleteTicket", "A002")
    assert (await office.call_next()).number == "A001"
    await office.at_counter("SkipTicket", "A001")
    await office.do("CancelTicket", office.officer, number="A003")
    await office.do("CloseCounter", office.officer, counter="1")
    return office.last_leaf()["n"]


# WatchEvents ------------------------------------------------------------------------------------


async def test_watch_events_from_the_start_gives_every_leaf_as_it_is_and_goes_on(office):
    last = await small_day(office)
    async with office.watch("WatchEvents", cursor="start") as stream:
        await stream.until_event(last)
        more = await office.take("A")
        await stream.until_event(more.event)
    assert [m.leaf for m in stream.messages] == raw_leaves(office)
    assert [m.event for m in stream.messages] == list(range(more.event + 1))
    assert {m.day for m in stream.messages} == {MONDAY}
    assert len({m.cursor for m in stream.messages}) == len(stream.messages)


async def test_watch_events_without_a_cursor_begins_with_what_comes(office):
    last = await small_day(office)
    async with office.watch("WatchEvents") as stream:
        await asyncio.sleep(0.1)
        ticket = await office.take("A")
        await stream.until_event(ticket.event)
    assert [m.event for m in stream.messages] == list(range(last + 1, ticket.event + 1))


async def test_watch_events_without_a_cursor_or_a_journal_gives_the_first_event(office):
    async with office.watch("WatchEvents") as stream:
        await asyncio.sleep(0.1)
        await office.take("A")
        await stream.until_event(2)
    assert [m.event for m in stream.messages] == [0, 1, 2]


async def test_watch_events_goes_on_after_any_cursor_on_any_replica(office, replica):
    last = await small_day(office)
    async with office.watch("WatchEvents", cursor="start") as stream:
        await stream.until_event(last)
    async with replica.channel() as channel:
        for message in stream.messages[::4]:
            async with office.on(channel).watch("WatchEvents", cursor=message.cursor) as rest:
                if message.event < last:
                    await rest.until_event(last)
            following = stream.messages[message.event + 1 :]
            assert rest.messages == following[: len(rest.messages)]


@pytest.mark.parametrize(
    "cursor",
    [
        *("x", "START", "start ", "2026-03-02", "2026-03-02.0", "2026-03-02.0.xyz", "\n"),
        *("2026-03-02.-1.aaaaaaaaaaaa", "2026-03-02.9999999999.aaaaaaaaaaaa"),
        *("2026-03-02.0.aaaaaaaaaaaa|", "c" * 5000),
    ],
)
async def test_watch_events_refuses_a_malformed_cursor(office, cursor):
    await office.take("A")
    async with office.watch("WatchEvents", cursor=cursor) as stream:
        problem = await stream.end()
    assert (problem.reason, problem.metadata) == ("INVALID_REQUEST", {"field": "cursor"})


@pytest.mark.parametrize("event", [0, 2, 7])
async def test_watch_events_refuses_a_cursor_of_an_event_that_said_something_else(office, event):
    await office.take("A")
    cursor = f"{MONDAY}.{event}.aaaaaaaaaaaa"
    async with office.watch("WatchEvents", cursor=cursor) as stream:
        assert (await stream.end()).reason == "JOURNAL_REWOUND"


async def test_watch_events_refuses_a_cursor_of_a_day_that_is_no_longer_kept(office):
    await office.take("A")
    async with office.watch("WatchEvents", cursor="2025-01-02.3.aaaaaaaaaaaa") as stream:
        problem = await stream.end()
    assert problem.reason == "EVENTS_EXPIRED"
    async with office.watch("WatchEvents", cursor=problem.metadata["earliest"]) as stream:
        await stream.until_event(2)
        assert stream.messages[0].event == 0


async def test_watch_events_refuses_a_cursor_of_a_day_that_never_came(office):
    await office.take("A")
    for day in ("2030-01-02", "2026-99-99"):
        async with office.watch("WatchEvents", cursor=f"{day}.3.aaaaaaaaaaaa") as stream:
            assert (await stream.end()).reason == "JOURNAL_REWOUND"


async def test_watch_events_refuses_offices_that_are_not_there(office):
    async with office.watch("WatchEvents", kecamatan="99.99.99", cursor="start") as stream:
        assert (await stream.end()).reason == "KECAMATAN_NOT_FOUND"


# ListEvents -------------------------------------------------------------------------------------


async def test_list_events_gives_the_leaves_with_a_line_feed_each(office):
    await small_day(office)
    answer = await office.do("ListEvents", day=MONDAY)
    assert answer.body == b"".join(leaf + b"\n" for leaf in raw_leaves(office))
    assert answer.content_type == "application/x-ndjson"


async def test_list_events_pages_after_an_event_to_an_empty_body(office):
    last = await small_day(office)
    leaves, after = [], -1
    while page := (await office.do("ListEvents", day=MONDAY, after=after, page_size=4)).body:
        lines = page.splitlines()
        assert len(lines) <= 4
        leaves += lines
        after = json.loads(lines[-1])["n"]
    assert (leaves, after) == (raw_leaves(office), last)
    for beyond in (last, last + 1, 2**31 - 1):
        assert (await office.do("ListEvents", day=MONDAY, after=beyond)).body == b""
    from_zero = await office.do("ListEvents", day=MONDAY, after=0)
    assert from_zero.body.splitlines() == raw_leaves(office)[1:]


async def test_list_events_refuses_days_that_are_none_or_never_were(office):
    await office.take("A")
    for day in ("2026-03-01", "2026-02-31", "2030-01-01", "0000-01-01"):
        said = await office.refused("ListEvents", "DAY_NOT_FOUND", day=day)
        assert said["day"] == day
    for day in ("", "20260302", "2026-13-01", "today", "2026-03-02\n", "}"):
        said = await office.refused("ListEvents", "INVALID_REQUEST", day=day)
        assert said == {"field": "day"}
    for fields, field in (
        ({"page_size": -1}, "pageSize"),
        ({"page_size": 5001}, "pageSize"),
        ({"after": -2}, "after"),
    ):
        said = await office.refused("ListEvents", "INVALID_REQUEST", day=MONDAY, **fields)
        assert said == {"field": field}
    elsewhere = pb.ListEventsRequest(kecamatan="99.99.99", day=MONDAY)
    await office.refused_as("ListEvents", elsewhere, "DAY_NOT_FOUND")


# GetDay -----------------------------------------------------------------------------------------


async def test_get_day_has_the_figures_of_a_day_counted_by_hand(office):
    last = await small_day(office)
    await office.board(last)
    day = await office.do("GetDay", day=MONDAY)
    t = {(leaf["e"], leaf.get("k", "")): leaf["t"] for leaf in office.leaves()}
    waits = sorted(t["call", k] - t["issue", k] for k in ("A001", "A002"))
    assert (day.kecamatan, day.service_day, day.closed) == (office.code, MONDAY, False)
    assert (day.events, day.policy) == (last + 1, office.leaves()[0]["pol"])
    total = day.total
    assert (total.issued, total.completed, total.no_shows, total.cancelled) == (4, 1, 1, 1)
    assert (total.lapsed, total.calls) == (0, 2)
    assert (total.wait_p50_seconds, total.wait_p90_seconds) == tuple(map(seconds, waits))
    served = seconds(t["done", "A002"] - t["start", "A002"])
    assert served > 0
    assert (total.service_p50_seconds, total.service_p90_seconds) == (served, served)
    a, b, c = day.services
    assert [s.service for s in (a, b, c)] == ["A", "B", "C"]
    assert (a.total.issued, b.total.issued, c.total.issued) == (3, 1, 0)
    begun = (t["issue", "A001"] - at(f"{MONDAY}T00:00")) // HOUR
    assert [h.hour for h in b.hours] == [begun] or b.hours[0].hour - begun == 1
    assert sum(h.figures.issued for h in a.hours) == 3
    assert [(lane.lane, lane.figures.issued) for lane in a.lanes] == [(1, 2), (2, 1)]
    assert [(ch.channel, ch.figures.issued) for ch in a.channels] == [
        (tickets.CHANNEL_WEB, 2),
        (tickets.CHANNEL_KIOSK, 1),
    ]
    one, two, _ = day.counters
    assert (one.counter, one.calls, one.completed, one.no_shows) == ("1", 2, 1, 1)
    opened = t["counter.close", ""] - t["counter.open", ""]
    assert (one.open_seconds, two.open_seconds) == (seconds(opened), 0)


def seconds(ms):
    return (ms + 500) // 1000


async def test_get_day_counts_a_transferred_ticket_where_it_ends(office):
    await office.ticket_in("SERVING")
    sent = await office.at_counter("TransferTicket", "A001", service="B")
    await office.board(sent.event)
    day = await office.do("GetDay", day=MONDAY)
    assert [s.total.issued for s in day.services] == [0, 1, 0]


async def test_get_day_refuses_days_that_are_none_or_never_were(office):
    await office.take("A")
    assert await office.refused("GetDay", "DAY_NOT_FOUND", day="2026-03-01")
    said = await office.refused("GetDay", "INVALID_REQUEST", day="2026-3-1")
    assert said == {"field": "day"}
    elsewhere = pb.GetDayRequest(kecamatan="99.99.99", day=MONDAY)
    await office.refused_as("GetDay", elsewhere, "DAY_NOT_FOUND")
    malformed = pb.GetDayRequest(kecamatan="x", day=MONDAY)
    await office.refused_as("GetDay", malformed, "KECAMATAN_NOT_FOUND")


# GetPolicy --------------------------------------------------------------------------------------


async def test_get_policy_gives_the_bytes_that_the_days_first_event_names(office):
    await office.apply(
        services=[
            {"code": "B", "name": "B", "quota": {"day": 200, "web": 120}},
            {"code": "A", "name": "A", "channels": ["CHANNEL_WEB", "CHANNEL_DESK"]},
            {"code": "C", "name": "C", "quota": {"day": 7}},
        ],
        counters=[{"id": "1", "services": ["C", "A"]}],
        rule={"priorityAfter": 0, "skip": {"after": "30s"}},
    )
    await office.take("A")
    digest = office.leaves()[0]["pol"]
    answer = await office.do("GetPolicy", hash=digest)
    assert hashlib.sha256(answer.body).hexdigest() == answer.etag == digest
    assert answer.content_type == "application/json"
    assert parse_policy(answer.body).hash == digest
    assert answer.body.decode() == (
        f'{{"code":"{office.code}","counters":[{{"id":"1","services":["A","C"]}}],'
        '"hours":[{"close":"24:00","open":"00:00"}],"rule":{"hold":{"times":2,"within":7200},'
        '"priorityAfter":0,"return":{"afterCalls":3,"times":1,"within":3600},'
        '"skip":{"after":30,"calls":3},"transfers":3},"services":['
        '{"channels":["DESK","KIOSK","WEB","WHATSAPP"],"code":"B","quota":{"day":200,"web":120}},'
        '{"channels":["DESK","WEB"],"code":"A","quota":{"day":9999,"web":9999}},'
        '{"channels":["DESK","KIOSK","WEB","WHATSAPP"],"code":"C","quota":{"day":7,"web":7}}],'
        '"timezone":"Asia/Makassar"}'
    )


async def test_get_policy_refuses_hashes_of_nothing_of_another_office_and_of_no_form(office):
    await office.take("A")
    digest = office.leaves()[0]["pol"]
    for other in ("0" * 64, digest.upper(), digest[:63], "", "}" * 64):
        await office.refused("GetPolicy", "POLICY_NOT_FOUND", hash=other)
    elsewhere = pb.GetPolicyRequest(kecamatan="99.99.99", hash=digest)
    await office.refused_as("GetPolicy", elsewhere, "POLICY_NOT_FOUND")
