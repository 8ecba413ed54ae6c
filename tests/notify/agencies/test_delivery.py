"""An office's events reach an agency: all, in order, at least once, from where it stopped."""

import asyncio
import json

import pytest
from aiohttp import web

from services.chassis.errors import Problem
from services.notify import signing
from services.notify.agencies import courier, deliverer, model
from services.notify.agencies.deliverer import Deliverer
from services.notify.agencies.model import State, Webhook
from services.notify.agencies.store import WebhookStore
from services.notify.outgoing.destinations import Policy
from services.notify.outgoing.posting import Outgoing
from tests.notify.agencies.agency import agency
from tests.notify.agencies.fake_journal import CODE, MONDAY, TUESDAY, FakeJournal

ID = "wh_0123456789abcdef"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """What is seconds in life is less here."""
    monkeypatch.setattr(deliverer, "LOOK_S", 0.05)
    monkeypatch.setattr(courier, "PAUSE_S", 0.01)
    monkeypatch.setattr(courier, "LINGER_S", 0.01)
    monkeypatch.setattr(model, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(model, "LONGEST_WAIT_S", 0.05)


@pytest.fixture
def journal():
    return FakeJournal()


@pytest.fixture
async def store(redis):
    return WebhookStore(redis)


@pytest.fixture
async def city():
    async with agency() as found:
        yield found


@pytest.fixture
async def replicas(store, journal):
    """Starts replicas; each can be cut off like a process that is killed."""
    tasks = []
    async with Outgoing(Policy(loopback=True), seconds=2) as out:

        def start(patience=3600.0):
            replica = Deliverer(store, journal, out, patience)
            tasks.append(asyncio.create_task(replica.run()))
            return tasks[-1]

        yield start
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def register(store, city, start="start", id=ID):
    secret = city.secret = city.secret or signing.new_secret()
    webhook = Webhook(id, city.url, "", secret, start, 1)
    return await store.create_webhook(CODE, webhook, "camat")


async def until(condition):
    async with asyncio.timeout(30):
        while not (await found if asyncio.iscoroutine(found := condition()) else found):
            await asyncio.sleep(0.01)


def monday(count):
    return [(MONDAY, n) for n in range(count)]


async def test_events_arrive_in_order_across_days_signed(store, city, journal, replicas):
    journal.write(MONDAY, 450)
    await register(store, city)
    replicas()
    await until(lambda: len(city.taken) == 450)
    journal.write(MONDAY, 3)
    journal.write(TUESDAY, 2)
    await until(lambda: len(city.taken) == 455)
    assert city.taken == [*monday(453), (TUESDAY, 0), (TUESDAY, 1)]
    assert len(city.posts) == len(set(city.posts))
    assert all(len(document["data"]["events"]) <= model.BATCH for document in city.documents)
    (first, *_), data = city.documents[0]["data"]["events"], city.documents[0]["data"]
    assert data["kecamatan"] == CODE
    assert first["leaf"] == journal.leaves[0].decode()
    assert "break" not in data
    position = await store.position(CODE, ID)
    assert (position.day, position.event, position.state) == (TUESDAY, 1, State.ACTIVE)


async def test_a_post_that_fails_is_repeated_with_the_same_id_before_the_next(
    store, city, journal, replicas
):
    failures = iter([500, 429, 404, 302, 408])
    city.answer = lambda _: next(failures, 204)
    journal.write(MONDAY, 5)
    await register(store, city)
    replicas()
    await until(lambda: city.taken)
    journal.write(MONDAY)
    await until(lambda: len(city.taken) == 6)
    assert city.taken == monday(6)
    assert len(set(city.posts[:6])) == 1
    assert city.posts[6] != city.posts[0]
    position = await store.position(CODE, ID)
    assert (position.state, position.attempts, position.reason) == (State.ACTIVE, 0, "")


async def test_a_failing_webhook_says_since_when_why_and_when_it_is_tried_again(
    store, city, journal, replicas
):
    city.answer = lambda _: 500
    journal.write(MONDAY)
    await register(store, city)
    replicas()

    async def failed_twice():
        return (await store.position(CODE, ID)).attempts >= 2

    await until(failed_twice)
    position = await store.position(CODE, ID)
    assert (position.state, position.reason) == (State.FAILING, "SERVER_ERROR")
    assert 0 < position.failing_since <= position.retry_at


async def test_after_long_failure_it_is_paused_and_resumes_from_where_it_stopped(
    store, city, journal, replicas
):
    journal.write(MONDAY, 3)
    await register(store, city)
    replicas(patience=0.05)
    await until(lambda: len(city.taken) == 3)
    city.answer = lambda _: 503
    journal.write(MONDAY, 2)

    async def paused():
        return (await store.position(CODE, ID)).state is State.PAUSED

    await until(paused)
    await asyncio.sleep(0.2)
    asked = len(city.posts)
    city.answer = lambda _: 204
    await asyncio.sleep(0.3)
    assert len(city.posts) == asked, "a paused webhook is left alone"
    position = await store.position(CODE, ID)
    assert (position.day, position.event, position.reason) == (MONDAY, 2, "SERVER_ERROR")
    await store.resume_webhook(CODE, ID, "camat")
    await until(lambda: len(city.taken) == 5)
    assert city.taken == monday(5)
    assert (await store.position(CODE, ID)).state is State.ACTIVE


async def test_a_webhook_that_says_it_is_gone_is_paused_at_once(store, city, journal, replicas):
    city.answer = lambda _: 410
    journal.write(MONDAY)
    await register(store, city)
    replicas()

    async def paused():
        return (await store.position(CODE, ID)).state is State.PAUSED

    await until(paused)
    assert (await store.position(CODE, ID)).reason == "GONE"
    assert len(city.posts) == 1


async def test_replicas_share_webhooks_and_each_event_comes_once(store, city, journal, replicas):
    journal.write(MONDAY, 300)
    await register(store, city)
    for _ in range(4):
        replicas()
    for _ in range(20):
        journal.write(MONDAY, 5)
        await asyncio.sleep(0.01)
    await until(lambda: len(city.taken) >= 400)
    assert city.taken == monday(400)


async def test_what_a_dead_replica_had_not_noted_comes_again_and_nothing_is_missed(
    store, city, journal, replicas
):
    """Replicas end in the middle of posts, again and again."""

    async def slow(_):
        await asyncio.sleep(0.02)
        return web.Response(status=204)

    city.answer = slow
    took = city.respond

    def respond(received):
        """The agency takes it, but the replica may not live to hear so."""
        city.answer = lambda _: 204
        took(received)
        return slow(received)

    city.world.respond = respond
    await register(store, city)
    for _ in range(15):
        replica = replicas()
        journal.write(MONDAY, 40)
        await asyncio.sleep(0.03)
        replica.cancel()
        await asyncio.gather(replica, return_exceptions=True)
    replicas()
    await until(lambda: len(city.places) == 600)
    assert city.places == monday(600), "in order, none missed"
    again = len(city.taken) - len(city.places)
    assert again <= 15 * model.BATCH, "no more than was under way"


async def test_a_lease_that_was_lost_notes_nothing_more(store, city, journal):
    await register(store, city)
    assert await store.lease(CODE, ID, "one", 20)
    assert not await store.lease(CODE, ID, "two", 9000)
    assert await store.note(CODE, ID, "one", day=MONDAY, event=1)
    await asyncio.sleep(0.05)
    assert await store.lease(CODE, ID, "two", 9000)
    assert not await store.note(CODE, ID, "one", day=MONDAY, event=0)
    assert (await store.position(CODE, ID)).event == 1
    await store.lease(CODE, ID, "one", 0)
    assert not await store.lease(CODE, ID, "three", 9000), "who has it not cannot give it back"


async def test_a_deleted_webhook_gets_nothing_more(store, city, journal, replicas):
    journal.write(MONDAY, 2)
    await register(store, city)
    replicas()
    await until(lambda: len(city.taken) == 2)
    await store.delete_webhook(CODE, ID, "camat")
    journal.write(MONDAY, 2)
    await asyncio.sleep(0.3)
    asked = len(city.posts)
    journal.write(MONDAY, 2)
    await asyncio.sleep(0.3)
    assert len(city.posts) == asked <= 2
    with pytest.raises(Problem, match="WEBHOOK_NOT_FOUND"):
        await store.webhook(CODE, ID)


async def test_expired_events_are_told_and_it_goes_on_with_the_earliest(
    store, city, journal, replicas
):
    journal.write(MONDAY, 3)
    await register(store, city)
    first = replicas()
    await until(lambda: len(city.taken) == 3)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    journal.leaves.clear()
    journal.write(TUESDAY, 2)
    replicas()
    await until(lambda: len(city.taken) == 5)
    assert city.taken == [*monday(3), (TUESDAY, 0), (TUESDAY, 1)]
    told = city.documents[-1]["data"]["break"]
    assert told == {"reason": "EVENTS_EXPIRED", "day": MONDAY, "event": 2}
    journal.write(TUESDAY)
    await until(lambda: len(city.taken) == 6)
    assert "break" not in city.documents[-1]["data"]


async def test_a_rewound_journal_is_told_and_its_day_is_posted_anew(store, city, journal, replicas):
    journal.write(MONDAY, 2)
    journal.write(TUESDAY, 4)
    await register(store, city)
    replica = replicas()
    await until(lambda: len(city.taken) == 6)
    replica.cancel()
    await asyncio.gather(replica, return_exceptions=True)
    del journal.leaves[-2:]
    journal.write(TUESDAY, 3, after="failover")
    replicas()
    await until(lambda: len(city.taken) == 11)
    assert city.taken[6:] == [(TUESDAY, n) for n in range(5)]
    told = city.documents[-1]["data"]["break"]
    assert told == {"reason": "JOURNAL_REWOUND", "day": TUESDAY, "event": -1}
    assert json.loads(city.documents[-1]["data"]["events"][-1]["leaf"])["after"] == "failover"


async def test_a_break_that_was_not_taken_is_told_again(store, city, journal, replicas):
    journal.write(TUESDAY, 2)
    await register(store, city, start=f"{MONDAY}.0.000000000000")
    failures = iter([500])
    city.answer = lambda _: next(failures, 204)
    replicas()
    await until(lambda: len(city.taken) == 2)
    assert city.documents[0]["data"]["break"]["reason"] == "EVENTS_EXPIRED"


async def test_while_the_queue_is_away_nothing_is_lost(store, city, journal, replicas):
    journal.write(MONDAY, 2)
    await register(store, city)
    replicas()
    await until(lambda: len(city.taken) == 2)
    journal.away = "SERVICE_UNAVAILABLE"
    journal.write(MONDAY, 2)
    await asyncio.sleep(0.2)
    journal.away = None
    await until(lambda: len(city.taken) == 4)
    assert city.taken == monday(4)


async def test_two_webhooks_do_not_wait_for_each_other(store, city, journal, replicas):
    async with agency() as broken:
        broken.answer = lambda _: 500
        journal.write(MONDAY, 3)
        await register(store, city)
        await register(store, broken, id="wh_fedcba9876543210")
        replicas()
        await until(lambda: len(city.taken) == 3)
        journal.write(MONDAY, 3)
        await until(lambda: len(city.taken) == 6)
    assert broken.taken == []
