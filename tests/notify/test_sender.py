"""The sender: retries, expiry, bounds, hosts that rest; a channel that answers as bid, a real
Redis."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.chassis.errors import Problem
from services.notify import pace
from services.notify.bounds import Lanes, Slots
from services.notify.channels import ACCEPTED, gone, refused, retry
from services.notify.config import NotifyConfig
from services.notify.outbox import Outbox
from services.notify.sender import Sender, insist
from services.notify.store import Store, facts
from tests.notify.kept import CODE, DAY, N, called, hook, moved, near, outbox, step, subscribe
from tunggu.queue.v1.kecamatan_pb2 import Office

SETTINGS = NotifyConfig(env="development", backoff=0.02, send_timeout=0.5, site="https://a.example")


@dataclass
class Asked:
    """A channel that gives these outcomes in turn, then ACCEPTED; an exception is raised."""

    outcomes: list[Any] = field(default_factory=list)
    name: str = "webhook"
    sent: list[Any] = field(default_factory=list)
    running: int = 0
    most: int = 0
    lag: float = 0.0

    async def send(self, target, message):
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.lag)
            self.sent.append((target, message))
            outcome = self.outcomes.pop(0) if self.outcomes else ACCEPTED
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
        finally:
            self.running -= 1


class Queue:
    """Knows the office, after `failures` times not being there."""

    failures = 0

    async def office(self, code):
        if self.failures:
            self.failures -= 1
            raise Problem("SERVICE_UNAVAILABLE")
        return Office(code=code, name="Makassar", timezone="Asia/Makassar")


@pytest.fixture
def sending(redis):
    """Runs a sender of a channel while the test looks."""

    @contextlib.asynccontextmanager
    async def run(channel, settings=SETTINGS, queue=None):
        sender = Sender(
            Outbox(redis, settings.takeover), queue or Queue(), {channel.name: channel}, settings
        )
        woken = asyncio.Event()
        task = asyncio.create_task(sender.serve(CODE, lambda: DAY, woken))
        try:
            yield woken
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await sender.finish()

    return run


async def until(condition):
    async with asyncio.timeout(20):
        while not (await condition() if asyncio.iscoroutinefunction(condition) else condition()):
            await asyncio.sleep(0.01)


def empty(redis):
    async def look():
        outbox, later = f"{N}:outbox", f"{N}:later"
        # Together, else one could move between two looks.
        return await redis.whole(outbox, ("XLEN", outbox), ("ZCARD", later)) == [0, 0]

    return look


async def states(redis):
    import json

    kept = await redis.hgetall(f"{N}:20260302:deliveries")
    return {key.decode(): json.loads(text) for key, text in kept.items()}


async def due(redis, count=1, host="sms.example"):
    store = Store(redis)
    for place in range(count):
        number = f"A{place + 1:03d}"
        await subscribe(store, number, target=hook(f"https://{host}/{number}"))
        await near(store, number, 5)


async def test_a_message_says_what_is_due_and_leads_to_the_ticket(redis, sending):
    channel = Asked()
    await due(redis)
    async with sending(channel):
        await until(empty(redis))
    ((target, message),) = channel.sent
    assert target.address == "https://sms.example/A001"
    assert message.title == "A001: 5 nomor lagi"
    assert (message.path, message.url) == ("/t/id-of-A001", "https://a.example/t/id-of-A001")
    assert message.topic == "737103-260302-A001"
    assert (message.ahead, message.kecamatan, message.service_day) == (5, CODE, DAY)
    (told,) = (await states(redis)).values()
    assert (told["state"], told["tries"]) == ("ACCEPTED", 1)


async def test_what_fails_is_tried_again_with_the_same_id_until_it_is_taken(redis, sending):
    channel = Asked([retry("SERVER_ERROR"), retry("TIMEOUT"), RuntimeError("a bug")])
    await due(redis)
    async with sending(channel):
        await until(empty(redis))
    assert len(channel.sent) == 4
    assert len({message.id for _, message in channel.sent}) == 1
    (told,) = (await states(redis)).values()
    assert (told["state"], told["tries"]) == ("ACCEPTED", 4)


async def test_who_asks_to_wait_is_left_in_peace_that_long(redis, sending):
    channel = Asked([retry("BUSY", 0.6)])
    await due(redis)
    async with sending(channel):
        begun = asyncio.get_running_loop().time()
        await until(lambda: len(channel.sent) == 1)
        await until(lambda: len(channel.sent) == 2)
        assert asyncio.get_running_loop().time() - begun >= 0.6


async def test_what_is_refused_or_fails_too_often_is_a_dead_letter(redis, sending):
    from dataclasses import replace

    settings = replace(SETTINGS, attempts=3)
    channel = Asked([refused("TOO_LARGE"), *[retry("SERVER_ERROR")] * 9])
    await due(redis, 2)
    async with sending(channel, settings):
        await until(empty(redis))
    assert len(channel.sent) == 4
    told = await states(redis)
    assert {each["reason"] for each in told.values()} == {"TOO_LARGE", "SERVER_ERROR"}
    assert {each["state"] for each in told.values()} == {"FAILED"}
    assert await redis.xlen(f"{N}:dead") == 2


async def test_a_wait_beyond_the_messages_use_ends_it(redis, sending):
    channel = Asked([retry("BUSY", 100_000)])
    await due(redis)
    async with sending(channel):
        await until(empty(redis))
    assert len(channel.sent) == 1
    assert (await states(redis))["A001.0"]["reason"] == "BUSY"


async def test_an_endpoint_that_is_gone_loses_its_subscription_and_no_other(redis, sending):
    channel = Asked([gone("GONE")])
    await due(redis, 2)
    async with sending(channel):
        await until(empty(redis))
    assert await redis.hlen(f"{N}:20260302:targets") == 1
    assert await redis.xlen(f"{N}:dead") == 0


async def test_what_is_of_no_use_any_more_is_not_sent(redis, sending):
    store, channel = Store(redis), Asked()
    await due(redis, 3)
    await store.move_ticket(step(3), called("A001", 3))
    await store.move_ticket(step(4), moved("A001", 4, "X"))
    await store.move_ticket(step(5), called("A002", 5))
    async with sending(channel):
        await until(empty(redis))
    assert {message.number for _, message in channel.sent} == {"A002", "A003"}
    told = await states(redis)
    assert (
        told["A001.0"]["state"] == told["A001.1"]["state"] == told["A002.0"]["state"] == "EXPIRED"
    )


async def test_a_channel_that_is_no_longer_offered_fails_its_messages(redis, sending):
    await due(redis)
    async with sending(Asked(name="web_push")):
        await until(empty(redis))
    assert (await states(redis))["A001.0"]["reason"] == "CHANNEL_NOT_OFFERED"


async def test_a_channel_that_hangs_is_given_up_after_a_while_and_tried_again(redis, sending):
    channel = Asked(lag=5)
    await due(redis)
    async with sending(channel):
        await until(lambda: channel.most == 1)
        await asyncio.sleep(0.3)
        channel.lag = 0
        await until(empty(redis))
    told = (await states(redis))["A001.0"]
    assert (told["state"], told["tries"]) == ("ACCEPTED", 2)


async def test_so_many_at_once_in_all_and_to_one_host(redis, sending):
    from dataclasses import replace

    channel = Asked(lag=0.02)
    await due(redis, 40)
    async with sending(channel, replace(SETTINGS, at_once=12, at_once_host=5)):
        await until(empty(redis))
    assert len(channel.sent) == 40
    assert channel.most <= 5


async def test_a_host_that_fails_again_and_again_is_left_alone_and_then_gets_everything(
    redis, sending, monkeypatch
):
    monkeypatch.setattr(pace, "REST_S", 0.3)
    channel = Asked([retry("SERVER_ERROR")] * pace.FAILURES)
    await due(redis, 30)
    async with sending(channel):
        await until(empty(redis))
    assert all(each["state"] == "ACCEPTED" for each in (await states(redis)).values())
    failed = sum(each["tries"] > 1 for each in (await states(redis)).values())
    assert failed <= pace.FAILURES + 1, "resting costs nobody an attempt"


async def test_the_queue_may_be_away_for_a_moment(redis, sending):
    queue, channel = Queue(), Asked()
    queue.failures = 3
    await due(redis)
    async with sending(channel, queue=queue):
        await until(empty(redis))
    assert len(channel.sent) == 1


async def test_what_has_begun_is_finished_when_the_process_is_told_to_end(redis, sending):
    channel = Asked(lag=0.2)
    await due(redis)
    async with sending(channel):
        await until(lambda: channel.running)
    assert (await states(redis))["A001.0"]["state"] == "ACCEPTED"
    assert await outbox(redis) == []


async def test_what_becomes_due_is_sent_at_once_when_woken(redis, sending):
    channel = Asked()
    async with sending(channel) as woken:
        await asyncio.sleep(0.1)
        store = Store(redis)
        await subscribe(store)
        await store.stop_issuing(step(4), facts(due=1, why="power"))
        woken.set()
        await until(empty(redis))
    assert channel.sent[0][1].kind == "ISSUING_STOPPED"


# --- bounds -----------------------------------------------------------------------


async def test_slots_are_given_as_they_are_free():
    slots = Slots(3)
    assert await slots.reserve(16) == 3
    waiting = asyncio.create_task(slots.reserve(2))
    await asyncio.sleep(0)
    assert not waiting.done()
    await slots.release()
    assert await waiting == 1


async def test_a_lane_holds_so_many_and_is_forgotten_when_it_is_empty():
    lanes, inside, most = Lanes(2), 0, 0

    async def pass_through():
        nonlocal inside, most
        async with lanes.lane("h"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            inside -= 1

    await asyncio.gather(*(pass_through() for _ in range(9)))
    assert most == 2
    assert lanes._lanes == {}


async def test_insisting_ends_with_another_kind_of_refusal_or_in_time():
    async def never():
        raise Problem("REDIS_UNAVAILABLE")

    async def wrong():
        raise Problem("TICKET_NOT_FOUND")

    for ask, reason in ((never, "REDIS_UNAVAILABLE"), (wrong, "TICKET_NOT_FOUND")):
        with pytest.raises(Problem) as caught:
            await insist(ask, 0.05)
        assert caught.value.reason == reason
