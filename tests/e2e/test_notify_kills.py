"""Nothing lost, nothing doubled: notify and Redis killed in the middle of 2,000 deliveries."""

import asyncio
from collections import Counter

import pytest
from redis import Redis

from services.notify.config import NotifyConfig
from tests.e2e.notify_town import Endpoint, open_big_office, stack, subscribe_all, until
from tests.e2e.survey_town import CODE, Desk

pytestmark = pytest.mark.timeout(280)

TICKETS, EACH = 400, 5
GONE = 0.03  # of all subscriptions, each: whose endpoint says 410
MOODS = {"busy": 0.05, "broken": 0.12, "silent": 0.02}


def target(endpoint: Endpoint, ticket: int, place: int) -> dict:
    number = ticket * EACH + place
    path = f"{'gone' if number % int(1 / GONE) == 0 else 'hook'}-{number}"
    return {"webhook": {"url": endpoint.url(path)}}


async def take(town, count: int) -> list[str]:
    """Ids of so many tickets."""
    with Desk(town) as desk:
        found = []
        for i in range(count):
            taken = await asyncio.to_thread(desk.take, "ABCDE"[i % 5])
            found.append(taken["id"])
        return found


async def test_each_due_message_arrives_and_none_twice_but_what_was_in_flight(tmp_path):
    more = {"ATTEMPTS": "40"}
    async with Endpoint(lag=0.08) as endpoint:
        with stack(tmp_path, replicas=2, more=more) as town:
            open_big_office(town)
            ids = await take(town, TICKETS)
            wanted = [
                (id, target(endpoint, ticket, place))
                for ticket, id in enumerate(ids)
                for place in range(EACH)
            ]
            assert await subscribe_all(town, wanted) == {201: TICKETS * EACH}
            endpoint.moods = MOODS
            with Desk(town) as desk:
                stopped = desk.post(f"{desk.office}:stopIssuing", {"reason": "POWER"}, "SUPERVISOR")
                stopped.raise_for_status()
            in_flight = await kill_in_the_middle(town, endpoint)
            await settled(town)
    prove(endpoint, wanted, in_flight)


async def kill_in_the_middle(town, endpoint: Endpoint) -> int:
    """Each victim dies under load and comes back; how many deliveries the dead senders had."""
    in_flight = 0
    for least, victim in ((250, "notify"), (600, "redis"), (1000, "notify-2"), (1300, "redis")):
        await until(lambda least=least: len(endpoint.accepted()) >= least)
        town.kill(victim)
        in_flight += 0 if victim == "redis" else NotifyConfig.at_once
        await asyncio.to_thread(town.restart, victim)
    return in_flight


async def settled(town) -> None:
    """Until nothing is left to send."""
    redis = Redis(unix_socket_path=str(town.redis_socket))

    def empty() -> bool:
        pipeline = redis.pipeline(transaction=True)  # else one could move between two looks
        pipeline.xlen(f"tunggu:{{{CODE}}}:notify:outbox")
        pipeline.zcard(f"tunggu:{{{CODE}}}:notify:later")
        return pipeline.execute() == [0, 0]

    await until(empty, 200)
    assert redis.xlen(f"tunggu:{{{CODE}}}:notify:dead") == 0
    redis.close()


def prove(endpoint: Endpoint, wanted: list, in_flight: int) -> None:
    paths = {each["webhook"]["url"].rpartition("/")[2] for _, each in wanted}
    live = {path for path in paths if path.startswith("hook")}
    arrived = Counter(got.path for got in endpoint.accepted())
    assert set(arrived) == live
    messages = {(got.path, got.id) for got in endpoint.got}
    assert len(messages) == len(paths), "an attempt had another message id"
    doubled = sum(arrived.values()) - len(live)
    statuses = Counter(got.status for got in endpoint.got)
    print(
        f"\n{len(paths)} deliveries, {doubled} doubled of {in_flight} in flight; {dict(statuses)}"
    )
    assert doubled <= in_flight
