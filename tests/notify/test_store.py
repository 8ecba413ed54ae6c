"""The scripts on a real Redis: each message once, five a ticket, and nobody remembered."""

import asyncio
import json

import pytest

from services.chassis.errors import Problem
from services.notify.model import MOST_SUBSCRIPTIONS, Stored
from services.notify.store import Step, Store, facts
from tests.notify.kept import (
    AT,
    CODE,
    DAY,
    N,
    ask,
    called,
    everything,
    hook,
    moved,
    near,
    outbox,
    said,
    step,
    subscribe,
)

PHONE = "6281234567890"


@pytest.fixture
def store(redis):
    return Store(redis)


async def refused(call, reason):
    with pytest.raises(Problem) as caught:
        await call
    assert caught.value.reason == reason


def waiting(code="737103-7Q4K9M2X"):
    return Stored("whatsapp", "id", 1_000, code=code)


# --- what is said, and once -------------------------------------------------------


async def test_a_ticket_is_told_at_each_threshold_once(redis, store):
    await subscribe(store)
    told = [await near(store, "A012", ahead) for ahead in (7, 6, 5, 5, 4, 3, 2, 1, 0)]
    assert sum(told) == 2
    assert [(due["claim"], due["ahead"]) for due in await outbox(redis)] == [
        ("NEAR.5.0", 5), ("NEAR.2.0", 2),
    ]  # fmt: skip


async def test_a_ticket_that_jumps_over_thresholds_is_told_once_of_the_nearest(redis, store):
    await subscribe(store)
    assert await near(store, "A012", 6) == 0
    assert await near(store, "A012", 1) == 1
    assert await near(store, "A012", 5) == 0
    assert [(due["claim"], due["ahead"]) for due in await outbox(redis)] == [("NEAR.2.0", 1)]


async def test_what_one_saw_when_subscribing_is_not_told(redis, store):
    await subscribe(store, near=5)
    assert await near(store, "A012", 4) == 0
    assert await near(store, "A012", 2) == 1


async def test_a_call_is_told_once_however_many_replicas_follow(redis, store):
    await subscribe(store)
    told = await asyncio.gather(
        *(store.move_ticket(step(7), called("A012", 7)) for store in [Store(redis)] * 20)
    )
    assert sum(told) == 1
    (due,) = await outbox(redis)
    assert (due["kind"], due["counter"], due["desk"]) == ("CALLED", "1", "Loket 1")


async def test_an_old_event_changes_nothing_after_a_newer_one(redis, store):
    await subscribe(store)
    await store.move_ticket(step(9), moved("A012", 9, "S"))
    assert await store.move_ticket(step(7), called("A012", 7)) == 0
    assert (await store.record(CODE, DAY, "A012")).state == "S"


async def test_what_happened_before_the_subscription_is_not_told(store):
    await subscribe(store, state="C", ev=7)
    assert await store.move_ticket(step(7), called("A012", 7)) == 0


async def test_a_ticket_put_back_and_called_again_is_told_again(redis, store):
    await subscribe(store)
    await store.move_ticket(step(7), called("A012", 7))
    await store.move_ticket(step(8), moved("A012", 8, "W"))
    assert await store.move_ticket(step(9), called("A012", 9, "2")) == 1
    assert await said(redis) == ["A012 CALLED.7", "A012 CALLED.9"]


async def test_all_subscriptions_of_a_ticket_get_the_same_message(redis, store):
    await subscribe(store, sub="webhook-1")
    await subscribe(store, sub="webhook-2")
    assert await near(store, "A012", 5) == 1
    dues = await outbox(redis)
    assert [due["sub"] for due in dues] == ["webhook-1", "webhook-2"]
    assert len({due["message"] for due in dues}) == 1
    await near(store, "A012", 2)
    assert len({due["message"] for due in await outbox(redis)}) == 2


async def test_a_ticket_has_five_messages_and_the_last_is_kept_for_a_call(redis, store):
    await subscribe(store)
    await near(store, "A012", 5)
    await near(store, "A012", 2)
    await store.move_ticket(step(3), called("A012", 3))
    over = moved("A012", 4, "N")
    await store.move_ticket(step(4), type(over)("A012", 4, "N", "PASSED_OVER", facts(due=1)))
    await store.move_ticket(step(5), moved("A012", 5, "W"))
    assert await store.stop_issuing(step(6), facts(due=1, why="power")) == 0
    assert await store.move_ticket(step(7), called("A012", 7)) == 1
    await store.move_ticket(step(8), moved("A012", 8, "W"))
    assert await store.move_ticket(step(9), called("A012", 9)) == 0
    assert len(await outbox(redis)) == 5


async def test_another_line_begins_the_thresholds_anew(redis, store):
    await subscribe(store)
    await near(store, "A012", 2)
    await store.move_ticket(step(3), called("A012", 3))
    await store.move_ticket(step(4), moved("A012", 4, "W", "line"))
    assert await near(store, "A012", 9) == 0
    assert await near(store, "A012", 5) == 1


async def test_nobody_near_is_told_while_called_or_without_a_subscription(redis, store):
    await subscribe(store)
    await store.move_ticket(step(3), called("A012", 3))
    assert await store.come_near(AT, [("A012", 0), ("A013", 1)], (5, 2), facts(due=1)) == 0
    assert await said(redis) == ["A012 CALLED.3"]


async def test_those_who_wait_are_told_that_issuing_stopped_once(redis, store):
    for place in range(300):
        await subscribe(store, f"A{place + 1:03d}")
    await store.move_ticket(step(3), called("A001", 3))
    told = await store.stop_issuing(step(4), facts(due=1, why="power"))
    assert told == 299
    assert await store.stop_issuing(step(4), facts(due=1, why="power")) == 0
    assert await redis.hget(f"{N}:place", "stop") == f"{DAY}.4".encode()
    await store.resume_issuing(step(5))
    assert await redis.hget(f"{N}:place", "stop") == b""
    assert await store.stop_issuing(step(4), facts(due=1, why="power")) == 0  # a late replica
    assert await redis.hget(f"{N}:place", "stop") == b""


async def test_a_replica_that_dies_while_it_tells_many_is_continued_by_another(
    redis, store, monkeypatch
):
    monkeypatch.setattr("services.notify.store.SLICE", 10)
    for place in range(35):
        await subscribe(store, f"A{place + 1:03d}")
    stopped, run = facts(due=1, why="power"), store._step

    async def dies_at_the_third(script, at, own):
        dies_at_the_third.times += 1
        if dies_at_the_third.times == 3:
            raise Problem("REDIS_UNAVAILABLE")
        return await run(script, at, own)

    dies_at_the_third.times = 0
    monkeypatch.setattr(store, "_step", dies_at_the_third)
    await refused(store.stop_issuing(step(4), stopped), "REDIS_UNAVAILABLE")
    assert await store.cursor(CODE) == "", "the place comes with the last"
    assert await Store(redis).stop_issuing(step(4), stopped) == 15
    assert len(await said(redis)) == len(set(await said(redis))) == 35
    assert await store.cursor(CODE) == "c4"


async def test_the_place_in_the_journal_never_goes_back_and_comes_with_what_was_told(redis, store):
    await subscribe(store)
    await store.move_ticket(step(7), called("A012", 7))
    assert await store.cursor(CODE) == "c7"
    await store.advance_place(step(6))
    assert await store.cursor(CODE) == "c7"
    await store.advance_place(step(12))
    assert await store.cursor(CODE) == "c12"
    await store.advance_place(Step(CODE, "2026-03-01", 99, "old"))
    assert await store.cursor(CODE) == "c12"
    await store.advance_place(Step(CODE, "2026-03-03", 0, "new"))
    assert await store.cursor(CODE) == "new"
    await store.forget_place(CODE)
    assert await store.cursor(CODE) == ""


async def test_after_a_rewound_journal_what_holds_now_is_taken(redis, store):
    await subscribe(store)
    await store.move_ticket(step(90), called("A012", 90))
    call = called("A012", 40)
    assert await store.move_tickets(AT, [call]) == 0
    forced = type(call)(call.number, call.ev, call.state, call.kind, call.facts, "force")
    assert await store.move_tickets(AT, [forced]) == 1
    assert await store.move_ticket(step(41), called("A012", 41)) == 1


# --- subscriptions ----------------------------------------------------------------


async def test_a_target_is_kept_once_and_renewed(store):
    first = await subscribe(store, target=hook(secrets={"auth": "old"}))
    renewed = Stored("webhook", "en", 9_000, "https://sms.example/1", {"auth": "new"})
    again = await subscribe(store, target=renewed)
    assert (again.at, again.language, again.secrets) == (first.at, "en", {"auth": "new"})
    assert len(await store.targets(CODE, DAY, "A012", ["webhook-1"])) == 1


async def test_of_a_thousand_subscriptions_of_one_ticket_five_are_kept(redis, store):
    outcomes = await asyncio.gather(
        *(subscribe(store, sub=f"webhook-{n}") for n in range(1000)), return_exceptions=True
    )
    refusals = [each for each in outcomes if isinstance(each, Problem)]
    assert len(outcomes) - len(refusals) == MOST_SUBSCRIPTIONS
    assert {each.reason for each in refusals} == {"TOO_MANY_SUBSCRIPTIONS"}
    assert await redis.hlen(f"{N}:20260302:targets") == MOST_SUBSCRIPTIONS


async def test_a_repeated_request_is_one_and_another_under_its_id_is_refused(store):
    once = ask(id="the same id of a request", payload=b"a")
    await subscribe(store, request=once)
    await subscribe(store, request=once, sub="webhook-1")
    other = ask(id="the same id of a request", payload=b"b")
    await refused(subscribe(store, request=other), "REQUEST_ID_REUSED")
    gone = ask("DeleteSubscription", "another id of a request")
    await store.delete_subscription(gone, AT, "A012", "webhook-1")
    await store.delete_subscription(gone, AT, "A012", "webhook-1")
    again = store.delete_subscription(ask("DeleteSubscription"), AT, "A012", "webhook-1")
    await refused(again, "SUBSCRIPTION_NOT_FOUND")


async def test_a_deleted_subscription_gets_nothing_and_its_target_is_forgotten(redis, store):
    await subscribe(store, target=hook("https://sms.example/secret"))
    await store.delete_subscription(ask("DeleteSubscription"), AT, "A012", "webhook-1")
    assert await near(store, "A012", 1) == 0
    assert b"sms.example" not in await everything(redis)


# --- phones -----------------------------------------------------------------------


async def test_a_phone_is_bound_by_its_code_once(redis, store):
    await subscribe(store, sub="whatsapp-1", target=waiting())
    assert await near(store, "A012", 5) == 0
    number, sub, bound = await store.bind_phone(AT, "737103-7Q4K9M2X", PHONE)
    assert (number, sub, bound.address) == ("A012", "whatsapp-1", PHONE)
    again = await store.bind_phone(AT, "737103-7Q4K9M2X", PHONE)
    assert again[2] == bound
    stranger = store.bind_phone(AT, "737103-7Q4K9M2X", "6289999999999")
    await refused(stranger, "CODE_NOT_FOUND")
    await refused(store.bind_phone(AT, "737103-00000000", PHONE), "CODE_NOT_FOUND")
    assert await near(store, "A012", 4) == 1


async def test_a_waiting_code_stays_the_same_when_it_is_asked_for_again(store):
    await subscribe(store, sub="whatsapp-1", target=waiting())
    again = await subscribe(store, sub="whatsapp-1", target=waiting("737103-ZZZZZZZZ"))
    assert again.code == "737103-7Q4K9M2X"
    await store.bind_phone(AT, "737103-7Q4K9M2X", PHONE)
    bound = await subscribe(store, sub="whatsapp-1", target=waiting("737103-ZZZZZZZZ"))
    assert bound.address == PHONE


async def test_a_phone_that_is_released_is_nowhere_any_more(redis, store):
    for place, number in enumerate(("A012", "B003")):
        code = f"737103-0000000{place}"
        await subscribe(store, number, "whatsapp-1", waiting(code))
        await store.bind_phone(AT, code, PHONE)
    assert PHONE.encode() in await everything(redis)
    assert (await store.release_phone(AT, PHONE)).language == "id"
    assert await store.release_phone(AT, PHONE) is None
    assert PHONE.encode() not in await everything(redis)
    assert await near(store, "A012", 1) == 0


# --- forgetting -------------------------------------------------------------------


async def people(store):
    """A ticket with everything that names somebody."""
    await subscribe(store, target=hook("https://sms.example/secret", secrets={"auth": "hush"}))
    await subscribe(store, sub="whatsapp-1", target=waiting())
    await store.bind_phone(AT, "737103-7Q4K9M2X", PHONE)


TRACES = (b"sms.example", b"hush", PHONE.encode(), b"7Q4K9M2X", b"id-of-A012")


async def test_when_a_ticket_closes_nothing_that_names_anybody_is_left(redis, store):
    await people(store)
    await store.move_ticket(step(3), called("A012", 3))
    found = await everything(redis)
    assert all(trace in found for trace in TRACES)
    await store.move_ticket(step(4), moved("A012", 4, "X"))
    found = await everything(redis)
    assert [trace for trace in TRACES if trace in found] == []
    await refused(subscribe(store), "WRONG_STATE")


async def test_when_the_day_closes_no_key_of_it_is_left(redis, store):
    await people(store)
    await near(store, "A012", 1)
    await store.close_day(step(9))
    left = {key.decode() for key in await redis.keys("*")}
    assert left == {f"{N}:place", f"{N}:outbox"}
    found = await everything(redis)
    assert [trace for trace in TRACES if trace in found] == []
    await store.close_day(step(9))


async def test_every_key_that_names_somebody_ends_by_itself_a_day_after_its_first_write(
    redis, store
):
    await people(store)
    await near(store, "A012", 1)
    lasting = {f"{N}:place", f"{N}:days"}
    for key in await redis.keys("*"):
        if key.decode() not in lasting:
            assert 0 < await redis.pttl(key) <= 86_400_000, key
    key = f"{N}:20260302:targets"
    await redis.pexpire(key, 50_000)
    await subscribe(store, "A013")
    assert await redis.pttl(key) <= 50_000, "a later write must not prolong it"


async def test_no_key_is_without_the_offices_tag(redis, store):
    await people(store)
    await near(store, "A012", 1)
    assert all(f"{{{CODE}}}".encode() in key for key in await redis.keys("*"))


async def test_what_a_ticket_was_told_can_be_listed(store):
    await subscribe(store)
    await near(store, "A012", 5)
    await store.move_ticket(step(3), called("A012", 3))
    record = await store.record(CODE, DAY, "A012")
    kept = [json.loads(text) for text in await store.deliveries(CODE, DAY, "A012", record.logged)]
    assert [each["kind"] for each in kept] == ["NEAR", "CALLED"]


async def test_without_redis_nothing_is_said_to_have_happened(own_redis):
    from services.redis_link.link import redis_connection

    client = redis_connection(own_redis.url)
    store = Store(client)
    own_redis.kill()
    await refused(subscribe(store), "REDIS_UNAVAILABLE")
    await refused(store.numbers(CODE, DAY), "REDIS_UNAVAILABLE")
    await client.aclose()
