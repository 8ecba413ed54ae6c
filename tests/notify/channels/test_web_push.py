"""Web Push against a service that checks it and browsers that read it."""

import asyncio
import time
from dataclasses import replace

import pytest
from aiohttp import web

from services.chassis.config import ConfigError
from services.chassis.errors import Problem
from services.notify import vapid
from services.notify.channels import ACCEPTED, Result, Target, gone, refused, retry
from services.notify.channels.web_push import make
from services.notify.config import NotifyConfig
from services.notify.outgoing.destinations import Policy
from services.notify.outgoing.posting import Outgoing
from tests.notify.channels.messages import message
from tests.notify.outside import outside
from tests.notify.push_service import Browser, push_service, unpadded

SETTINGS = NotifyConfig(
    env="development", loopback=True, contact="mailto:ops@city.example", vapid=vapid.made()
)


@pytest.fixture
async def channel():
    made = make(SETTINGS)
    yield made
    await made.close()


def target(endpoint, keys):
    return Target("web_push", endpoint, keys)


async def test_a_browser_reads_what_was_sent_and_the_push_service_has_no_complaint(channel):
    async with push_service() as service:
        service.key = channel.key()
        at = target(*service.subscribe("phone"))
        await channel.check(at)
        assert await channel.send(at, message(600)) == ACCEPTED
    assert service.complaints == []
    (pushed,) = service.messages
    assert pushed.payload == {
        "id": "msg_0123456789abcdef",
        "kind": "CALLED",
        "title": "Nomor A012 dipanggil",
        "body": "Silakan menuju loket 3.",
        "url": "/t/737103-260302-AAAAAAAAAAAAAAAAAAAAAA",
        "language": "id",
    }
    assert pushed.headers["Urgency"] == "high"
    assert 500 < int(pushed.headers["TTL"]) <= 600
    assert pushed.headers["Topic"] == "4xTQ7yHn0a-_"
    assert pushed.claims["sub"] == "mailto:ops@city.example"
    assert pushed.claims["exp"] > time.time() + 3600


async def test_what_was_sent_to_one_browser_is_not_readable_by_another(channel):
    async with push_service() as service:
        endpoint, _ = service.subscribe("phone")
        await channel.send(target(endpoint, Browser().keys), message())
    assert service.messages == []
    assert service.complaints[0].startswith("InvalidTag")


async def test_the_stand_in_refuses_another_key_and_another_audience(channel):
    async with push_service() as service, push_service() as other:
        service.key = unpadded(b"\4" + bytes(64))
        await channel.send(target(*service.subscribe("phone")), message())
        service.key, service.world.port = "", other.world.port  # it takes itself for the other
        await channel.send(target(*other.subscribe("phone")), message())
        assert "another key" in service.complaints[0]
        assert len(other.messages) == 1


async def test_many_are_sent_at_once_over_one_channel(channel):
    async with push_service() as service:
        targets = [target(*service.subscribe(str(n))) for n in range(50)]
        outcomes = await asyncio.gather(*[channel.send(at, message()) for at in targets])
    assert set(outcomes) == {ACCEPTED}
    assert {pushed.browser for pushed in service.messages} == set(map(str, range(50)))
    assert service.complaints == []


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (404, {}, gone("GONE")),
        (410, {}, gone("GONE")),
        (429, {"Retry-After": "7"}, retry("BUSY", 7.0)),
        (429, {}, retry("BUSY")),
        (500, {}, retry("SERVER_ERROR")),
        (503, {"Retry-After": "120"}, retry("SERVER_ERROR", 120.0)),
        (408, {}, retry("TIMEOUT")),
        (400, {}, refused("REJECTED")),
        (401, {}, refused("UNAUTHORIZED")),
        (403, {}, refused("UNAUTHORIZED")),
        (413, {}, refused("TOO_LARGE")),
        (307, {"Location": "http://127.0.0.1:1/"}, refused("REDIRECT")),
    ],
)
async def test_what_the_push_service_answers_decides(channel, status, headers, outcome):
    answer = web.Response(status=status, headers=headers)
    async with push_service(lambda _: answer) as service:
        assert await channel.send(target(*service.subscribe("phone")), message()) == outcome
    assert service.complaints == []


async def test_a_push_service_that_is_away_is_asked_again_later(channel):
    async with push_service() as service:
        at = target(*service.subscribe("phone"))
    assert (await channel.send(at, message())).result == Result.RETRY


async def test_what_is_of_no_use_any_more_is_not_sent(channel):
    async with push_service() as service:
        at = target(*service.subscribe("phone"))
        assert await channel.send(at, message(-1)) == refused("EXPIRED")
    assert service.world.received == []


async def test_a_payload_that_no_push_service_would_take_is_not_sent(channel):
    async with push_service() as service:
        at = target(*service.subscribe("phone"))
        assert await channel.send(at, message(body="é" * 3000)) == refused("TOO_LARGE")
    assert service.world.received == []


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ("http://fcm.googleapis.com/x", "DESTINATION_FORM"),
        ("https://127.0.0.1/x", "DESTINATION_FORM"),
        ("https://evil.example/x", "DESTINATION_HOST"),
        ("https://fcm.googleapis.com:8443/x", "DESTINATION_PORT"),
    ],
)
async def test_an_endpoint_elsewhere_is_refused_at_save_and_at_send(endpoint, why):
    async with Outgoing(Policy(NotifyConfig().push_hosts)) as out:
        strict = replace_out(make(SETTINGS), out)
        at = target(endpoint, Browser().keys)
        with pytest.raises(Problem) as problem:
            await strict.check(at)
        assert (problem.value.reason, problem.value.metadata) == ("TARGET_REFUSED", {"why": why})
        assert await strict.send(at, message()) == refused(why)


def replace_out(channel, out):
    channel._out = out
    return channel


async def test_a_push_host_that_leads_inside_is_refused_at_save_and_at_send():
    async def inside(host, port):
        return ["10.0.0.1"]

    async with Outgoing(Policy(NotifyConfig().push_hosts), resolve=inside) as out:
        strict = replace_out(make(SETTINGS), out)
        at = target("https://fcm.googleapis.com/x", Browser().keys)
        with pytest.raises(Problem, match="TARGET_REFUSED"):
            await strict.check(at)
        assert await strict.send(at, message()) == refused("DESTINATION_ADDRESS")


def broken(**keys):
    return {**Browser().keys, **keys}


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        (broken(p256dh=""), "p256dh"),
        (broken(p256dh="!"), "p256dh"),
        (broken(p256dh=unpadded(b"\4" + bytes(64))), "p256dh"),  # no point of the curve
        (broken(p256dh=unpadded(b"\2" + bytes(32))), "p256dh"),  # a compressed one
        (broken(p256dh=Browser().keys["p256dh"][:-4]), "p256dh"),
        (broken(p256dh="é" * 87), "p256dh"),
        (broken(auth=""), "auth"),
        (broken(auth=unpadded(bytes(15))), "auth"),
        (broken(auth=unpadded(bytes(17))), "auth"),
        (broken(auth="a b"), "auth"),
        ({}, "p256dh"),
    ],
)
async def test_keys_that_cannot_be_a_browsers_are_refused_at_save(channel, keys, field):
    with pytest.raises(Problem) as problem:
        await channel.check(target("http://127.0.0.1:9/x", keys))
    assert problem.value.reason == "INVALID_REQUEST"
    assert problem.value.metadata == {"field": f"webPush.keys.{field}"}


async def test_padded_keys_are_as_good(channel):
    keys = Browser().keys
    await channel.check(target("http://127.0.0.1:9/x", {n: k + "==" for n, k in keys.items()}))


def test_without_a_contact_or_a_key_there_is_no_web_push():
    assert make(replace(SETTINGS, contact="")) is None
    assert make(replace(SETTINGS, vapid="")) is None


@pytest.mark.parametrize("pem", ["nonsense", vapid.made().replace("MI", "XX", 1)])
def test_a_key_that_cannot_sign_stops_the_start(pem):
    with pytest.raises(ConfigError, match="TUNGGU_VAPID_FILE"):
        make(replace(SETTINGS, vapid=pem))


async def test_the_log_of_a_failed_attempt_names_no_endpoint(channel, caplog):
    caplog.set_level("DEBUG")
    async with outside(lambda _: 500) as world:
        await channel.send(target(f"{world.url}/secret-endpoint", Browser().keys), message())
    assert "secret-endpoint" not in caplog.text
