"""A batch writes and answers what CreateTicket would have, one person after another."""

from __future__ import annotations

from random import Random

import pytest

from services.chassis.errors import Problem
from services.queue import kecamatan
from services.queue import store as store_module
from services.queue.archive import Archive
from services.queue.keys import Keys
from services.queue.model import Channel, Lane
from services.queue.request import Request
from services.queue.store import TOGETHER, Store
from services.redis_link.clock import Clock
from tests.e2e.offices import office_file

TOGETHER_AT, ALONE_AT, OTHER = "73.71.01", "73.71.02", "73.71.03"
NOW = 1_772_416_800_000


async def open_store(redis, *, quota=9999):
    store = Store(redis, Clock(0, NOW, 0.0, mapped=True), always_open=True)
    for code in (TOGETHER_AT, ALONE_AT, OTHER):
        file = kecamatan.dump(office_file(code, quota=quota))
        await store.apply_kecamatan(Request(code, "ApplyKecamatan"), file)
    return store


def wish(code, service="A", holder="", id="", payload=b"p", lane=Lane.REGULAR, channel=Channel.WEB):
    return Request(code, "CreateTicket", id, holder, payload), service, lane, channel, holder


def random_wishes(rng, count):
    """Of few holders and ids, so that some repeat others and some are refused."""
    for _ in range(count):
        holder = f"holder-number-{rng.randint(1, 30):03d}" if rng.random() < 0.5 else ""
        id = f"request-with-a-long-id-{rng.randint(1, 60)}" if rng.random() < 0.5 else ""
        yield {
            "service": rng.choice("AABCZ"),
            "holder": holder,
            "id": id,
            "payload": b"p%d" % rng.randint(1, 2) if id else b"",
            "lane": rng.choice(list(Lane)),
            "channel": rng.choice(list(Channel)),
        }


async def outcome(awaitable):
    try:
        return shown(await awaitable)
    except Problem as problem:
        return shown(problem)


def shown(answer):
    if isinstance(answer, Problem):
        named = {k: v for k, v in answer.metadata.items() if k not in ("kecamatan", "ticketId")}
        return answer.reason, named
    row = answer.ticket
    return answer.event, row.number, row.lane, row.channel, row.state, row.event, row.issued_at


async def state_of(redis, code):
    """What Redis has of an office, ids and codes apart."""
    archive, keys = Archive(redis), Keys(code, "2026-03-02")
    leaves = [
        leaf.replace(code.encode(), b"-") for leaf in await archive.all_leaves(code, keys.day)
    ]
    office = await redis.hgetall(keys.of("office"))
    tickets = await redis.hgetall(keys.of_day("tickets"))
    return {
        "leaves": [leaf.replace(code.encode(), b"-") for leaf in leaves],
        "office": {k: v for k, v in office.items() if k not in (b"salt", b"policy")},
        "tickets": {k: v.split(b"|")[1:] for k, v in tickets.items()},
        "counts": await redis.hgetall(keys.of_day("counts")),
        "ripe": await redis.zrange(keys.of_day("ripe"), 0, -1),
        "holders": sorted((await redis.hgetall(keys.of_day("holders"))).values()),
        "ids": sorted((await redis.hgetall(keys.of_day("ids"))).values()),
    }


@pytest.mark.parametrize("seed", range(12))
async def test_together_and_one_by_one_come_to_the_same(redis, monkeypatch, seed):
    monkeypatch.setattr(store_module, "holder_hash", lambda salt, service, holder: holder)
    rng = Random(seed)
    store = await open_store(redis, quota=20)
    wishes = list(random_wishes(rng, 2 * TOGETHER + 20))
    alone = [await outcome(store.create_ticket(*wish(ALONE_AT, **one))) for one in wishes]
    cut = rng.randrange(len(wishes))
    together = []
    for part in (wishes[:cut], wishes[cut:]):
        answers = await store.batch_create_tickets([wish(TOGETHER_AT, **one) for one in part])
        together += [shown(answer) for answer in answers]
    assert together == alone
    assert any(isinstance(answer[0], str) for answer in alone)
    one, other = await state_of(redis, TOGETHER_AT), await state_of(redis, ALONE_AT)
    assert one.pop("leaves")[1:] == other.pop("leaves")[1:]  # the first names its office's policy
    assert one == other


async def test_a_batch_of_several_offices_is_answered_in_its_own_order(redis):
    store = await open_store(redis)
    codes = [TOGETHER_AT, OTHER, "73.71.99", ALONE_AT] * 20
    answers = await store.batch_create_tickets([wish(code) for code in codes])
    numbers = dict.fromkeys(codes, 0)
    for code, answer in zip(codes, answers, strict=True):
        if code == "73.71.99":
            assert answer.reason == "KECAMATAN_NOT_FOUND"
            continue
        numbers[code] += 1
        assert answer.ticket.number == f"A{numbers[code]:03d}"


async def test_a_refused_batch_writes_nothing_and_does_not_open_the_day(redis):
    store = await open_store(redis)
    answers = await store.batch_create_tickets([wish(TOGETHER_AT, "Z") for _ in range(3)])
    assert {answer.reason for answer in answers} == {"SERVICE_NOT_FOUND"}
    assert not await redis.exists(Keys(TOGETHER_AT, "").of("office"))
    assert await Archive(redis).newest(TOGETHER_AT) is None


async def test_an_item_that_nobody_may_ask_for_is_refused_for_itself(redis):
    store = await open_store(redis)
    short = wish(TOGETHER_AT, id="too-short")
    refused, done = await store.batch_create_tickets([short, wish(TOGETHER_AT)])
    assert refused.reason == "REQUEST_ID_TOO_SHORT"
    assert done.ticket.number == "A001"


async def test_a_batch_with_yesterdays_agenda_goes_on_today(redis):
    store = await open_store(redis)
    await store.batch_create_tickets([wish(TOGETHER_AT) for _ in range(3)])
    store.clock = Clock(0, NOW + 86_400_000, 0.0, mapped=True)
    answers = await store.batch_create_tickets([wish(TOGETHER_AT) for _ in range(3)])
    assert [(done.day, done.ticket.number) for done in answers] == [
        ("2026-03-03", f"A{i:03d}") for i in (1, 2, 3)
    ]
