"""The citizens' webhook, verified by another's library."""

import json
from dataclasses import replace

import pytest
from aiohttp import web
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from services.chassis.config import ConfigError
from services.chassis.errors import Problem
from services.notify import signing
from services.notify.channels import ACCEPTED, Kind, Target, gone, refused, retry
from services.notify.channels.webhook import make
from services.notify.config import NotifyConfig
from tests.notify.channels.messages import message
from tests.notify.outside import outside

SETTINGS = NotifyConfig(
    env="development", loopback=True, webhook_hosts=("sms.city.example",),
    webhook_secret=signing.new_secret(),
)  # fmt: skip


@pytest.fixture
async def channel():
    made = make(SETTINGS)
    yield made
    await made.close()


async def sent(channel, message):
    async with outside(lambda _: 200) as world:
        assert await channel.send(Target("webhook", f"{world.url}/sms?to=628"), message) == ACCEPTED
    (received,) = world.received
    return received


async def test_what_arrives_is_signed_as_the_standard_says(channel):
    received = await sent(channel, message(kind=Kind.NEAR, ahead=2, counter=""))
    document = Verifier(SETTINGS.webhook_secret).verify(received.body, dict(received.headers))
    assert document["type"] == "ticket.near"
    assert document["timestamp"] == "2026-03-02T02:00:00.000Z"
    data = document["data"]
    assert (data["number"], data["ahead"], data["body"]) == ("A012", 2, "Silakan menuju loket 3.")
    assert "returnBy" not in data
    assert received.headers["webhook-id"] == "msg_0123456789abcdef"
    assert received.headers["Content-Type"] == "application/json"
    assert received.path == "/sms?to=628"


async def test_another_secret_another_body_and_another_id_do_not_verify(channel):
    received = await sent(channel, message())
    headers = dict(received.headers)
    for secret, body, changed in (
        (signing.new_secret(), received.body, {}),
        (SETTINGS.webhook_secret, received.body + b" ", {}),
        (SETTINGS.webhook_secret, received.body, {"webhook-id": "msg_other"}),
        (SETTINGS.webhook_secret, received.body, {"webhook-timestamp": "1772416800"}),
    ):
        lowered = {name.lower(): value for name, value in headers.items()}
        with pytest.raises(WebhookVerificationError):
            Verifier(secret).verify(body, lowered | changed)


async def test_a_repetition_has_the_same_id_and_body(channel):
    once = message(kind=Kind.PASSED_OVER, return_by=1_772_417_000_000)
    first, second = await sent(channel, once), await sent(channel, once)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert json.loads(first.body)["data"]["returnBy"] == "2026-03-02T02:03:20.000Z"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (410, gone("GONE")),
        (503, retry("SERVER_ERROR")),
        (400, refused("REJECTED")),
        (302, refused("REDIRECT")),
    ],
)
async def test_what_the_application_answers_decides(channel, status, outcome):
    answer = web.Response(status=status, headers={"Location": "http://127.0.0.1:1/"})
    async with outside(lambda _: answer) as world:
        assert await channel.send(Target("webhook", world.url), message()) == outcome


async def test_a_host_that_is_not_listed_is_refused_at_save_and_at_send(channel):
    at = Target("webhook", "https://elsewhere.example/x")
    with pytest.raises(Problem, match="TARGET_REFUSED"):
        await channel.check(at)
    assert await channel.send(at, message()) == refused("DESTINATION_HOST")


def test_without_hosts_there_are_no_webhooks_and_without_a_secret_no_start():
    assert make(NotifyConfig()) is None
    for secret in ("", "whsec_", "whsec_c2hvcnQ=", SETTINGS.webhook_secret[6:]):
        with pytest.raises(ConfigError, match="TUNGGU_WEBHOOK_SECRET_FILE"):
            make(replace(SETTINGS, webhook_secret=secret))
