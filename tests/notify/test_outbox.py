"""The outbox on a real Redis: shared, each delivery one replica's, none lost with it."""

import asyncio
import json

import pytest_asyncio

from services.notify.outbox import Outbox
from services.notify.store import Store
from tests.notify.kept import CODE, DAY, N, called, moved, near, outbox, step, subscribe

ACCEPTED = {"state": "ACCEPTED", "done": 5}


def replica(redis, takeover=20.0):
    return Outbox(redis, takeover)


@pytest_asyncio.fixture
async def box(redis):
    made = replica(redis)
    await made.open(CODE)
    return made


async def due(redis, count=1):
    """So many deliveries."""
    store = Store(redis)
    for place in range(count):
        await subscribe(store, f"A{place + 1:03d}")
        await near(store, f"A{place + 1:03d}", 5)


async def kept(redis, log="A001.0"):
    return json.loads(await redis.hget(f"{N}:20260302:deliveries", log))


async def test_what_became_due_before_anybody_looked_is_there(redis):
    await due(redis)
    box = replica(redis)
    assert await box.take(CODE, 10) == []  # the group is made
    (taken,) = await box.take(CODE, 10)
    assert (taken.entry.number, taken.entry.ahead, taken.entry.tries) == ("A001", 5, 0)


async def test_replicas_share_the_work_and_none_gets_what_another_has(redis, box):
    await due(redis, 40)
    others = [replica(redis) for _ in range(3)]
    found = await asyncio.gather(*(each.take(CODE, 7) for each in (box, *others) * 2))
    ids = [taken.id for some in found for taken in some]
    assert len(ids) == len(set(ids)) == 40


async def test_what_is_settled_is_gone_from_the_outbox_and_told(redis, box):
    await due(redis)
    (taken,) = await box.take(CODE, 1)
    assert await box.settle(CODE, taken, ACCEPTED)
    assert not await box.settle(CODE, taken, ACCEPTED)
    assert await outbox(redis) == []
    assert (await redis.xpending(f"{N}:outbox", "senders"))["pending"] == 0
    told = await kept(redis)
    assert (told["state"], told["tries"], told["done"]) == ("ACCEPTED", 1, 5)


async def test_a_silent_replicas_deliveries_go_to_another_and_not_before(redis, box):
    await due(redis, 3)
    taken = await box.take(CODE, 3)
    slow, quick = replica(redis, 60), replica(redis, 0.05)
    assert await slow.take_over(CODE, 10) == []
    await asyncio.sleep(0.1)
    assert await quick.take_over(CODE, 10) == taken
    assert not (await box.look(CODE, taken[0], renew=True)).ours
    assert (await quick.look(CODE, taken[0], renew=True)).ours


async def test_who_is_still_at_it_keeps_it(redis, box):
    await due(redis)
    (taken,) = await box.take(CODE, 1)
    for _ in range(6):
        await asyncio.sleep(0.05)
        assert (await box.look(CODE, taken, renew=True)).ours
        assert await replica(redis, 0.2).take_over(CODE, 10) == []


async def test_what_failed_comes_back_when_its_time_has_come_with_its_attempts(redis, box):
    await due(redis)
    (taken,) = await box.take(CODE, 1)
    queued = {"state": "QUEUED", "reason": "SERVER_ERROR"}
    assert await box.settle(CODE, taken, queued, wait=0.2)
    assert (await kept(redis))["reason"] == "SERVER_ERROR"
    soon = await box.wake(CODE)
    assert soon is not None
    assert 0 < soon <= 0.2
    assert await box.take(CODE, 1) == []
    await asyncio.sleep(0.25)
    assert await box.wake(CODE) is None
    (again,) = await box.take(CODE, 1)
    assert (again.entry.tries, again.entry.message) == (1, taken.entry.message)


async def test_what_waits_for_its_time_survives_redis(own_redis):
    from services.redis_link.link import redis_connection

    client = redis_connection(own_redis.url)
    await due(client, 2)
    box = replica(client)
    await box.open(CODE)
    first, second = await box.take(CODE, 2)
    await box.settle(CODE, first, {"state": "QUEUED"}, wait=0.01)
    own_redis.kill()
    own_redis.start()
    await client.aclose()
    client = redis_connection(own_redis.url)
    after = replica(client, 0.01)
    await after.wake(CODE)
    assert [taken.entry.number for taken in await after.take(CODE, 5)] == [first.entry.number]
    assert await after.take_over(CODE, 5)
    assert (await after.look(CODE, second, renew=False)).ours
    await client.aclose()


async def test_a_target_that_is_gone_ends_its_subscription(redis, box):
    await due(redis)
    (taken,) = await box.take(CODE, 1)
    await box.settle(CODE, taken, {"state": "FAILED", "reason": "GONE"}, gone=True)
    assert await redis.hlen(f"{N}:20260302:targets") == 0
    assert await near(Store(redis), "A001", 1) == 0
    assert (await kept(redis))["reason"] == "GONE"


async def test_what_is_given_up_is_kept_without_a_word_of_whose_it_was(redis, box):
    await due(redis)
    (taken,) = await box.take(CODE, 1)
    await box.settle(CODE, taken, {"state": "FAILED", "reason": "REJECTED"}, dead=True)
    ((_, fields),) = await redis.xrange(f"{N}:dead")
    letter = json.loads(fields[b"e"])
    assert (letter["kind"], letter["channel"], letter["reason"]) == ("NEAR", "webhook", "REJECTED")
    assert b"A001" not in fields[b"e"]
    assert 0 < await redis.pttl(f"{N}:dead") <= 86_400_000


async def test_a_closed_days_deliveries_leave_no_record_when_they_are_settled(redis, box):
    await due(redis)
    (taken,) = await box.take(CODE, 1)
    await Store(redis).close_day(step(9))
    case = await box.look(CODE, taken, renew=False)
    assert (case.ours, case.record, case.target) == (True, None, None)
    await box.settle(CODE, taken, {"state": "EXPIRED"}, tried=False)
    assert await redis.exists(f"{N}:20260302:deliveries") == 0


async def test_a_case_says_all_that_decides(redis, box):
    store = Store(redis)
    await subscribe(store, "A001")
    await near(store, "A001", 2)
    (taken,) = await box.take(CODE, 1)
    await store.move_ticket(step(3), called("A001", 3))
    await store.move_ticket(step(4), moved("A001", 4, "S"))
    case = await box.look(CODE, taken, renew=False)
    assert case.record.state == "S"
    assert case.target.address == "https://sms.example/A001/webhook-1"
    assert case.stop == ""


async def test_how_full_it_is_counts_what_is_to_be_tried_again(redis, box):
    await due(redis, 3)
    taken = await box.take(CODE, 2)
    await box.settle(CODE, taken[0], {"state": "QUEUED"}, wait=60)
    await box.settle(CODE, taken[1], ACCEPTED)
    depth = await box.depth(CODE, DAY)
    assert (depth.waiting, depth.later, depth.subscriptions) == (1, 1, 3)
    assert depth.oldest >= 0
    assert (await box.depth("73.71.01", DAY)).oldest == 0


async def test_replicas_that_are_long_gone_are_forgotten(redis, box, monkeypatch):
    await due(redis)
    await replica(redis).take(CODE, 1)
    idle = replica(redis)
    await idle.take(CODE, 1)
    monkeypatch.setattr("services.notify.outbox.OLD_MS", -1)
    await replica(redis).open(CODE)
    names = [each["name"] for each in await redis.xinfo_consumers(f"{N}:outbox", "senders")]
    assert len(names) == 1, "one that has a delivery stays until it is taken over"


async def test_a_group_that_is_lost_is_made_again(redis, box):
    await redis.delete(f"{N}:outbox")
    assert await box.take(CODE, 1) == []
    await due(redis)
    assert len(await box.take(CODE, 1)) == 1
