"""The scripts on a real Redis: one answer a ticket, changed, repeated, late, and forgotten."""

import asyncio
from contextlib import suppress

import pytest

from services.chassis.errors import Problem
from services.survey.model import Answer, Completed, Reason
from services.survey.store import HOLDER, TABLET, Store
from tests.survey.served import CODE, DAY, DONE, ask, at, queue_day, ticket

V, S, N = Answer
CELLS = f"tunggu:{{{CODE}}}:survey:20260302:counts"
LINKS = [CELLS.replace("counts", name) for name in ("answers", "assessed", "requests")]
RATINGS = {"cost": 4, "product": 3}


@pytest.fixture
def stores(redis):
    """A store whose clock stands so many minutes after the completion."""
    return lambda minutes: Store(redis, at(minutes))


async def counts(redis):
    return {cell.decode(): int(n) for cell, n in (await redis.hgetall(CELLS)).items()}


async def refused(call, reason):
    with pytest.raises(Problem) as caught:
        await call
    assert caught.value.reason == reason
    return caught.value


async def test_an_answer_is_counted_in_all_by_service_hour_counter_and_reason(redis, stores):
    done = await stores(1).create_response(ask(), ticket(), HOLDER, N, [Reason.COST, Reason.PLACE])
    assert (done.answer, done.reasons) == (N, (Reason.COST, Reason.PLACE))
    assert (done.first_at, done.change_until) == (DONE + 60_000, DONE + 360_000)
    assert await counts(redis) == {
        "t:N": 1, "s:A:9:N": 1, "c:1:N": 1, "r:A:COST": 1, "r:A:PLACE": 1,
    }  # fmt: skip


async def test_a_holder_may_change_an_answer_for_five_minutes_and_one_counts(redis, stores):
    await stores(30).create_response(ask(), ticket(), HOLDER, N, [Reason.COST])
    changed = await stores(35).create_response(ask(), ticket(), HOLDER, V, [])
    assert changed.first_at == DONE + 30 * 60_000
    assert await counts(redis) == {"t:V": 1, "s:A:9:V": 1, "c:1:V": 1}
    late = stores(35.01).create_response(ask(), ticket(), HOLDER, S, [])
    await refused(late, "ALREADY_ANSWERED")
    assert (await counts(redis))["t:V"] == 1


async def test_a_change_does_not_renew_the_five_minutes(stores):
    await stores(0).create_response(ask(), ticket(), HOLDER, N, [])
    await stores(4).create_response(ask(), ticket(), HOLDER, S, [])
    await refused(stores(6).create_response(ask(), ticket(), HOLDER, V, []), "ALREADY_ANSWERED")


async def test_a_tablet_answers_once_and_within_ten_minutes(redis, stores):
    await refused(stores(10.01).create_response(ask(), ticket(), TABLET, V, []), "ANSWER_TOO_LATE")
    assert await counts(redis) == {}
    done = await stores(10).create_response(ask(), ticket(), TABLET, V, [])
    assert done.change_until == 0
    await refused(stores(10).create_response(ask(), ticket(), TABLET, V, []), "ALREADY_ANSWERED")
    assert (await counts(redis))["t:V"] == 1


@pytest.mark.parametrize(("first", "second"), [(HOLDER, TABLET), (TABLET, HOLDER)])
async def test_a_ticket_is_answered_for_in_one_place_only(stores, first, second):
    await stores(1).create_response(ask(), ticket(), first, V, [])
    await refused(stores(1).create_response(ask(), ticket(), second, V, []), "ALREADY_ANSWERED")


async def test_a_tablet_that_shows_another_number_is_told(stores):
    wrong = stores(1).create_response(ask(), ticket("A002"), TABLET, V, [], "A001")
    assert (await refused(wrong, "TICKET_CHANGED")).metadata == {"ticket": "A002"}


async def test_a_clock_that_has_gone_back_refuses_nobody(stores):
    await stores(-3).create_response(ask(), ticket(), TABLET, V, [])


async def test_a_repetition_shows_what_its_request_did_and_counts_nothing(redis, stores):
    first = ask("the same id, often", b"a")
    done = await stores(1).create_response(first, ticket(), TABLET, V, [])
    # Another ticket has been completed at the counter since, and it is late.
    again = await stores(60).create_response(first, ticket("A002"), TABLET, S, [])
    assert again == done
    assert (await counts(redis))["t:V"] == 1
    other = ask("the same id, often", b"b")
    await refused(stores(1).create_response(other, ticket(), TABLET, V, []), "REQUEST_ID_REUSED")


async def test_request_ids_of_two_callers_have_nothing_to_do_with_each_other(stores):
    await stores(1).create_response(ask("mine", b"a", "one"), ticket(), HOLDER, V, [])
    await stores(1).create_response(ask("mine", b"b", "two"), ticket("A002"), HOLDER, V, [])


async def test_a_caller_who_is_nobody_needs_a_long_request_id(stores):
    short = ask("short", caller="")
    await refused(stores(1).create_response(short, ticket(), HOLDER, V, []), "REQUEST_ID_TOO_SHORT")


async def test_of_a_thousand_answers_to_one_ticket_at_once_one_counts(redis, stores):
    store = stores(1)
    buttons = [answer for _ in range(334) for answer in Answer][:1000]
    await asyncio.gather(
        *(store.create_response(ask(), ticket(), HOLDER, answer, []) for answer in buttons)
    )
    found = await counts(redis)
    assert sum(n for cell, n in found.items() if cell.startswith("t:")) == 1
    assert len(found) == 3
    assert set(found.values()) == {1}


async def test_of_many_presses_on_a_tablet_one_is_taken(redis, stores):
    store = stores(1)
    outcomes = await asyncio.gather(
        *(store.create_response(ask(), ticket(), TABLET, V, []) for _ in range(200)),
        return_exceptions=True,
    )
    assert sum(not isinstance(each, Problem) for each in outcomes) == 1
    assert (await counts(redis))["t:V"] == 1


async def test_a_questionnaire_is_taken_once_and_no_trace_of_its_ratings_is_with_the_ticket(
    redis, stores
):
    taken = ask(verb="CreateAssessment")
    store = stores(2)
    when = await store.create_assessment(taken, ticket(), RATINGS, {"sex": "MALE"})
    assert when == DONE + 120_000
    assert await store.create_assessment(taken, ticket(), RATINGS, {"sex": "MALE"}) == when
    again = store.create_assessment(ask(verb="CreateAssessment"), ticket(), RATINGS, {})
    await refused(again, "ALREADY_ANSWERED")
    assert await counts(redis) == {"q:A": 1, "q:A:cost:4": 1, "q:A:product:3": 1, "p:sex:MALE": 1}
    assert await redis.hgetall(LINKS[1]) == {b"A001": str(when).encode()}


async def test_closing_a_day_drops_every_link_and_keeps_the_counts(redis, stores):
    store = stores(1)
    await store.create_response(ask(), ticket(), HOLDER, N, [Reason.WAITING])
    await store.create_assessment(ask(verb="CreateAssessment"), ticket(), RATINGS, {})
    await store.close_day(CODE, DAY, queue_day(3))
    assert await redis.exists(CELLS, *LINKS) == 0
    (record,) = await store.records(CODE, [DAY])
    assert record.closed
    assert record.counts == {
        "t:N": 1, "s:A:9:N": 1, "c:1:N": 1, "r:A:WAITING": 1,
        "q:A": 1, "q:A:cost:4": 1, "q:A:product:3": 1,
    }  # fmt: skip
    assert record.completed == Completed(3, {"A": 3}, {"1": 3})
    assert await store.figures(CODE, [DAY, "2026-03-03"]) == {DAY: queue_day(3)}
    kept = b" ".join([*await redis.keys("*survey*"), *await redis.hvals(_key("days"))])
    assert b"A001" not in kept


def _key(name):
    return f"tunggu:{{{CODE}}}:survey:{name}"


async def test_a_closed_day_takes_no_answers_and_closing_again_changes_nothing(redis, stores):
    store = stores(1)
    once = ask()
    await store.create_response(once, ticket(), HOLDER, V, [])
    await store.close_day(CODE, DAY, queue_day(3))
    before = await redis.hgetall(_key("days"))
    await refused(store.create_response(once, ticket(), HOLDER, V, []), "ANSWER_TOO_LATE")
    await refused(store.create_response(ask(), ticket("A002"), TABLET, V, []), "ANSWER_TOO_LATE")
    late = store.create_assessment(ask(verb="CreateAssessment"), ticket(), RATINGS, {})
    await refused(late, "ANSWER_TOO_LATE")
    await store.close_day(CODE, DAY, queue_day(9))
    assert await redis.hgetall(_key("days")) == before
    assert await redis.smembers(_key("open")) == set()


async def test_a_day_without_answers_is_kept_too(stores):
    store = stores(1)
    await store.close_day(CODE, DAY, queue_day(3))
    (record,) = await store.records(CODE, [DAY])
    assert (record.counts, record.completed.total) == ({}, 3)


async def test_what_links_a_ticket_to_its_answer_would_go_in_two_days_by_itself(redis, stores):
    await stores(1).create_response(ask(), ticket(), HOLDER, V, [])
    await stores(1).create_assessment(ask(verb="CreateAssessment"), ticket(), RATINGS, {})
    for key in LINKS:
        assert 0 < await redis.pttl(key) <= 172_800_000
    assert await redis.pttl(CELLS) == -1


async def test_open_and_closed_days_are_read_together_in_order(stores):
    store = stores(1)
    await store.create_response(ask(), ticket(day="2026-03-03"), HOLDER, V, [])
    await store.close_day(CODE, DAY, queue_day())
    found = await store.records(CODE, ["2026-03-01", DAY, "2026-03-03", "2026-03-04"])
    assert [(record.day, record.closed) for record in found] == [
        (DAY, True),
        ("2026-03-03", False),
    ]


async def test_two_offices_share_no_key(redis, stores):
    await stores(1).create_response(ask(), ticket(), HOLDER, V, [])
    assert all(f"{{{CODE}}}".encode() in key for key in await redis.keys("*"))


async def test_without_redis_an_answer_is_refused_and_nothing_is_said_to_have_happened(own_redis):
    from services.redis_link.link import redis_connection

    client = redis_connection(own_redis.url)
    store = Store(client, at(1))
    own_redis.kill()
    await refused(store.create_response(ask(), ticket(), HOLDER, V, []), "REDIS_UNAVAILABLE")
    await refused(store.records(CODE, [DAY]), "REDIS_UNAVAILABLE")
    await client.aclose()


async def test_what_was_acknowledged_is_there_after_redis_was_killed(own_redis):
    from services.redis_link.link import redis_connection

    client = redis_connection(own_redis.url)
    store = Store(client, at(1))
    once = ask()
    done = await store.create_response(once, ticket(), HOLDER, V, [])
    own_redis.kill()
    own_redis.start()
    again = None
    while again is None:  # the pool's connections are the killed server's at first
        with suppress(Problem):
            again = await store.create_response(once, ticket(), HOLDER, V, [])
    assert again == done
    (record,) = await store.records(CODE, [DAY])
    assert record.counts["t:V"] == 1
    await client.aclose()
