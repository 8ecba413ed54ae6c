"""Being told, over HTTP and real processes: each message in its turn, and nobody remembered."""

import asyncio
from typing import Any

import pytest
from redis import Redis

from services.chassis.client import channel
from services.chassis.errors import Problem
from services.local.ready import queue as serves
from tests.e2e.notify_town import Endpoint, open_big_office, stack, subscribe_all, until
from tests.e2e.survey_town import CODE, Desk
from tests.scraped import Scrape
from tunggu.notify.v1 import notify_pb2, notify_pb2_grpc

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    with stack(tmp_path_factory.mktemp("told"), replicas=2) as started:
        open_big_office(started)
        yield started


@pytest.fixture
def desk(town):
    with Desk(town) as one:
        empty_the_office(one)
        yield one


def empty_the_office(desk):
    """Whoever a test before has left at the counter or in the line is served."""
    held = desk.get(f"{desk.office}/board").json()["counters"][0].get("ticket")
    if held:
        number = held["number"]
        if held["state"] == "CALLED":
            desk.at("1", "start", ticket=number)
        desk.at("1", "complete", ticket=number)
    while desk.post(f"{desk.office}/counters/1:callNext", {}, "OFFICER").status_code == 200:
        empty_the_office(desk)


def subscribe(desk, ticket, target, **more):
    return desk.post(f"/v1/tickets/{ticket['id']}/subscriptions", {**target, **more})


def hook(endpoint, path, **more):
    return {"webhook": {"url": endpoint.url(path)}, **more}


def told(desk, ticket):
    answer = desk.get(f"/v1/tickets/{ticket['id']}/deliveries").raise_for_status().json()
    return answer["deliveries"]


def refused(answer, status, reason):
    assert (answer.status_code, answer.json()["reason"]) == (status, reason), answer.text


async def test_a_citizen_is_told_of_every_step_of_the_way(town, desk):
    async with Endpoint() as endpoint:
        before = [desk.take() for _ in range(6)]
        mine = desk.take()
        made = subscribe(desk, mine, hook(endpoint, "mine", language="EN"))
        assert made.status_code == 201
        assert made.json()["subscription"]["state"] == "ACTIVE"
        for ticket in before:
            number = desk.at("1", "callNext")["ticket"]["number"]
            assert number == ticket["number"]
            desk.at("1", "start", ticket=number)
            desk.at("1", "complete", ticket=number)
            if number in (before[0]["number"], before[3]["number"]):  # else one may jump over it
                so_far = 1 if number == before[0]["number"] else 2
                await until(lambda so_far=so_far: len(endpoint.accepted("mine")) == so_far)
        desk.at("1", "callNext")
        await until(lambda: len(endpoint.accepted("mine")) == 3)
        texts = [(got.data["kind"], got.data["title"]) for got in endpoint.accepted("mine")]
        number = mine["number"]
        assert texts == [
            ("NEAR", f"{number}: 5 more before you"),
            ("NEAR", f"{number}: 2 more before you"),
            ("CALLED", f"{number}: please go to counter 1"),
        ]
        first = endpoint.accepted("mine")[0].data
        assert first["url"] == f"{town.url}/t/{mine['id']}"
        assert (first["kecamatan"], first["number"], first["ahead"]) == (CODE, number, 5)
        assert [each["state"] for each in told(desk, mine)] == ["ACCEPTED"] * 3
        assert [each["id"] for each in told(desk, mine)] == [
            got.id for got in endpoint.accepted("mine")
        ]


async def test_who_was_passed_over_is_told_until_when_to_return(town, desk):
    async with Endpoint() as endpoint:
        mine = desk.take()
        subscribe(desk, mine, hook(endpoint, "over")).raise_for_status()
        number = desk.at("1", "callNext")["ticket"]["number"]
        await until(lambda: len(endpoint.accepted("over")) == 1)
        skipped = desk.at("1", "skip", ticket=number)["ticket"]
        await until(lambda: len(endpoint.accepted("over")) == 2)
        kinds = [got.data["kind"] for got in endpoint.accepted("over")]
        assert kinds == ["CALLED", "PASSED_OVER"]
        assert endpoint.accepted("over")[1].data["returnBy"] == skipped["returnBy"]
        assert told(desk, mine)[1]["returnBy"] == skipped["returnBy"]


async def test_that_issuing_stopped_is_told_to_who_waits_and_only_them(town, desk):
    async with Endpoint() as endpoint:
        called, mine = desk.take(), desk.take()
        subscribe(desk, called, hook(endpoint, "called")).raise_for_status()
        subscribe(desk, mine, hook(endpoint, "waits")).raise_for_status()
        desk.at("1", "callNext")
        desk.post(f"{desk.office}:stopIssuing", {"reason": "DISASTER"}, "SUPERVISOR")
        await until(lambda: endpoint.accepted("waits"))
        kinds = [got.data["kind"] for got in endpoint.accepted("waits")]
        assert "ISSUING_STOPPED" in kinds
        assert "keadaan darurat" in endpoint.accepted("waits")[-1].data["body"]
        desk.post(f"{desk.office}:resumeIssuing", {}, "SUPERVISOR").raise_for_status()
        assert [got.data["kind"] for got in endpoint.accepted("called")] in ([], ["CALLED"])


async def test_a_call_that_came_while_notify_was_dead_is_told_when_it_is_back(town, desk):
    async with Endpoint() as endpoint:
        mine = desk.take()
        subscribe(desk, mine, hook(endpoint, "late")).raise_for_status()
        town.kill("notify")
        town.kill("notify-2")
        desk.at("1", "callNext")
        town.restart("notify")
        await until(lambda: endpoint.accepted("late"))
        (got,) = endpoint.accepted("late")
        assert got.data["kind"] == "CALLED"
        town.restart("notify-2")
        port = town.located().notify[1]
        await until(lambda: not serves(f"127.0.0.1:{port}"))
        assert len(endpoint.accepted("late")) == 1


async def test_an_endpoint_that_is_gone_is_not_asked_again(town, desk):
    async with Endpoint() as endpoint:
        mine = desk.take()
        subscribe(desk, mine, hook(endpoint, "gone")).raise_for_status()
        desk.at("1", "callNext")
        await until(lambda: endpoint.got)
        await until(lambda: told(desk, mine)[0]["state"] == "FAILED")
        assert told(desk, mine)[0]["reason"] == "GONE"
        answer = desk.get(f"/v1/tickets/{mine['id']}/deliveries").json()
        assert answer["subscriptions"] == []


async def test_when_a_ticket_closes_no_trace_of_who_wanted_to_know_is_left(town, desk):
    async with Endpoint() as endpoint:
        mine = desk.take()
        subscribe(desk, mine, hook(endpoint, "secret-path")).raise_for_status()
        number = desk.at("1", "callNext")["ticket"]["number"]
        await until(lambda: endpoint.accepted("secret-path"))
        assert b"secret-path" in everything(town)
        desk.at("1", "start", ticket=number)
        desk.at("1", "complete", ticket=number)
        await until(lambda: b"secret-path" not in everything(town), 20)
        assert mine["id"].encode() not in everything(town, "notify")
        assert [each["kind"] for each in told(desk, mine)] == ["CALLED"]
        refused(subscribe(desk, mine, hook(endpoint, "again")), 409, "WRONG_STATE")


def everything(town, part="") -> bytes:
    """All that Redis holds under keys with that part."""
    redis: Any = Redis(unix_socket_path=str(town.redis_socket))
    found: list[bytes] = []
    for key in redis.keys(f"*{part}*"):
        read: Any = {
            "hash": redis.hgetall, "string": redis.get, "set": redis.smembers,
            "stream": redis.xrange, "zset": lambda key: redis.zrange(key, 0, -1),
        }[redis.type(key).decode()]  # fmt: skip
        found.append(key + repr(read(key)).encode())
    redis.close()
    return b"\n".join(found)


async def test_what_cannot_be_is_refused_and_says_why(town, desk):
    async with Endpoint() as endpoint:
        mine, good = desk.take(), hook(endpoint, "fine")
        refused(desk.post("/v1/tickets/737103-260302-AAAAAAAAAAAAAAAAAAAAAA/subscriptions", good),
                404, "TICKET_NOT_FOUND")  # fmt: skip
        refused(subscribe(desk, mine, {}), 400, "INVALID_REQUEST")
        refused(subscribe(desk, mine, {"whatsapp": {}}), 409, "CHANNEL_NOT_OFFERED")
        refused(subscribe(desk, mine, good, language="FR"), 400, "INVALID_REQUEST")
        refused(subscribe(desk, mine, {"webhook": {"url": ""}}), 400, "INVALID_REQUEST")
        refused(subscribe(desk, mine, {"phone": "628123"}), 400, "UNKNOWN_FIELD")
        for url in ("http://10.0.0.1/x", "https://169.254.169.254/x", "ftp://a.example/x", "no"):
            refused(subscribe(desk, mine, {"webhook": {"url": url}}), 400, "TARGET_REFUSED")
        assert told(desk, mine) == []


async def test_of_a_thousand_subscriptions_of_one_ticket_five_are_taken(town, desk):
    async with Endpoint() as endpoint:
        mine = desk.take()
        wanted = [(mine["id"], hook(endpoint, f"many-{n}")) for n in range(1000)]
        assert await subscribe_all(town, wanted) == {201: 5, 409: 995}
        listed = desk.get(f"/v1/tickets/{mine['id']}/deliveries").json()["subscriptions"]
        first = listed[0]["id"]
        refused(subscribe(desk, mine, hook(endpoint, "more")), 409, "TOO_MANY_SUBSCRIPTIONS")
        path = f"/v1/tickets/{mine['id']}/subscriptions/{first}"
        assert desk.http.delete(path, headers=desk.headers("")).status_code == 200
        gone = desk.http.delete(path, headers=desk.headers(""))
        refused(gone, 404, "SUBSCRIPTION_NOT_FOUND")
        assert subscribe(desk, mine, hook(endpoint, "more")).status_code == 201


async def test_a_repeated_request_is_one_subscription(town, desk):
    async with Endpoint() as endpoint:
        mine, key = desk.take(), "a-key-that-nobody-else-has"
        path = f"/v1/tickets/{mine['id']}/subscriptions"
        first = desk.post(path, hook(endpoint, "once"), key=key)
        again = desk.post(path, hook(endpoint, "once"), key=key)
        assert first.json() == again.json()
        refused(desk.post(path, hook(endpoint, "twice"), key=key), 409, "REQUEST_ID_REUSED")


def test_what_is_offered_is_public_and_what_is_inside_is_not_to_be_had(town, desk):
    offered = desk.get("/v1/notify/channels").json()["channels"]
    assert [each["channel"] for each in offered] == ["WEB_PUSH", "WEBHOOK", "LOG"]
    assert [bool(each["key"]) for each in offered] == [True, False, False]


def test_a_bound_phone_needs_a_service_of_the_deployment(town):
    async def ask(authorization):
        target = f"ipv4:127.0.0.1:{town.located().notify[0]}"
        async with channel(target, authorization=lambda: authorization) as way:
            stub = notify_pb2_grpc.NotifyServiceStub(way)
            request = notify_pb2.BindPhoneRequest(text="737103-7Q4K9M2X", phone="6281234567890")
            try:
                return await stub.BindPhone(request)
            except Problem as problem:
                return problem.reason

    assert asyncio.run(ask("")) == "UNAUTHENTICATED"
    assert asyncio.run(ask(f"Bearer {town.token('OFFICER')}")) == "PERMISSION_DENIED"
    assert asyncio.run(ask(f"Bearer {town.token('INTERNAL')}")) == "CHANNEL_NOT_OFFERED"


async def test_the_metrics_count_what_was_sent_and_tell_of_nobody(town, desk):
    def scrapes():
        return [Scrape.of(port) for port in town.located().notify_metrics]

    def sent():
        name, how = "tunggu_notify_deliveries_total", {"channel": "WEBHOOK", "outcome": "ACCEPTED"}
        return sum(scrape.total(name, **how) for scrape in scrapes())

    async with Endpoint() as endpoint:
        before, mine = sent(), desk.take()
        subscribe(desk, mine, hook(endpoint, "secret-path")).raise_for_status()
        desk.at("1", "callNext")
        await until(lambda: sent() == before + 1)
    assert sum(scrape.total("tunggu_notify_delay_seconds_count") for scrape in scrapes()) > 0
    for scrape in scrapes():
        assert scrape.personal("secret-path") == []
        assert scrape.strange_labels() == []
