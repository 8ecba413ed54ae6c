"""From taking a number to hearing that it is called: over HTTP, real processes, both channels.

A browser that decrypts, a Cloud API that checks what it is sent, and whoever forges its calls.
"""

import asyncio
import json

import pytest

from tests.e2e.notify_town import open_big_office, stack, until
from tests.e2e.survey_town import Desk
from tests.notify import cloud_api
from tests.notify.cloud_api import CITIZEN, CloudApi, call, signature
from tests.notify.outside import outside
from tests.notify.push_service import push_service

HOOK = "/v1/whatsapp:webhook"


@pytest.fixture
async def world(tmp_path):
    """A town, its push service and its Cloud API."""
    cloud = CloudApi()
    secrets = {"TOKEN": cloud_api.TOKEN, "APP_SECRET": cloud_api.APP_SECRET}
    more = {
        "WHATSAPP_PHONE": cloud_api.PHONE,
        "WHATSAPP_PHONE_ID": cloud_api.PHONE_ID,
        "CONTACT": "mailto:ops@city.example",
    }
    for name, value in (secrets | {"VERIFY_TOKEN": cloud_api.VERIFY_TOKEN}).items():
        (tmp_path / name).write_text(value + "\n")
        more[f"WHATSAPP_{name}_FILE"] = str(tmp_path / name)
    async with push_service() as push, outside(cloud.respond) as api:
        more["WHATSAPP_URL"] = f"{api.url}/v24.0"
        with stack(tmp_path / "town", more=more) as town, Desk(town) as desk:
            open_big_office(town)
            yield desk, push, cloud, tmp_path / "town" / "data" / "logs"


async def do(*arguments, **named):
    """A blocking call of the desk, while the world outside goes on answering."""
    return await asyncio.to_thread(*arguments, **named)


def receive(desk, body, sign=None):
    headers = {"X-Hub-Signature-256": sign or signature(body), "Content-Type": "application/json"}
    return desk.http.post(HOOK, content=body, headers=headers)


async def test_citizens_hear_that_they_are_called_by_web_push_and_whatsapp(world):
    desk, push, cloud, logs = world
    offers = (await do(desk.get, "/v1/notify/channels")).json()["channels"]
    offered = {offer["channel"]: offer["key"] for offer in offers}
    push.key = offered["WEB_PUSH"]
    assert offered["WHATSAPP"] == cloud_api.PHONE

    first, second = await do(desk.take), await do(desk.take)
    endpoint, keys = push.subscribe("phone")
    path = f"/v1/tickets/{first['id']}/subscriptions"
    body = {"webPush": {"endpoint": endpoint, "keys": keys}, "language": "EN"}
    assert (await do(desk.post, path, body)).status_code == 201

    path = f"/v1/tickets/{second['id']}/subscriptions"
    answer = (await do(desk.post, path, {"whatsapp": {}})).json()["subscription"]
    assert answer["state"] == "WAITING_FOR_CODE"
    assert answer["link"].startswith(f"https://wa.me/{cloud_api.PHONE}?text=")

    await forge(desk, answer["code"])
    assert (cloud.texts, push.messages) == ([], [])

    written = call(f"Tunggu {answer['code']}")
    for _ in range(3):  # the Cloud API repeats its calls
        assert (await do(receive, desk, written)).status_code == 200
    assert len(cloud.texts) == 1

    heard = (lambda: _kinds(push), lambda: len(cloud.texts) >= 2)
    for ticket, told in zip((first, second), heard, strict=True):
        called = (await do(desk.at, "1", "callNext"))["ticket"]["number"]
        assert called == ticket["number"]
        await until(told)  # who is served already is told nothing
        await do(desk.at, "1", "start", ticket=called)
        await do(desk.at, "1", "complete", ticket=called)
    assert push.complaints == []
    pushed = next(one for one in push.messages if one.payload["kind"] == "CALLED")
    assert pushed.payload["url"] == f"/t/{first['id']}"
    assert pushed.payload["language"] == "en"
    assert first["number"] in pushed.payload["title"] + pushed.payload["body"]
    last = cloud.texts[-1]
    assert last["to"] == CITIZEN
    assert second["number"] in last["text"]["body"]
    unlogged(logs, [CITIZEN, endpoint, keys["auth"], answer["code"]])


def _kinds(push):
    return [one for one in push.messages if one.payload["kind"] == "CALLED"]


async def forge(desk, code):
    """Whoever has not the application's secret writes for nobody."""
    written = call(f"Tunggu {code}")
    forged = [signature(written, "guess"), signature(written + b" "), "sha256=" + "0" * 64]
    for sign in forged:
        answer = await do(receive, desk, written, sign)
        assert (answer.status_code, answer.json()["reason"]) == (403, "SIGNATURE_INVALID")
    headers = {"Content-Type": "application/json"}
    answer = await do(desk.http.post, HOOK, content=written, headers=headers)
    assert answer.status_code == 403
    again = json.dumps(json.loads(written), indent=2).encode()
    assert (await do(receive, desk, again, signature(written))).status_code == 403
    query = {"hub.mode": "subscribe", "hub.challenge": "42", "hub.verify_token": "guess"}
    assert (await do(desk.http.get, HOOK, params=query)).status_code == 403
    query["hub.verify_token"] = cloud_api.VERIFY_TOKEN
    answer = await do(desk.http.get, HOOK, params=query)
    assert (answer.status_code, answer.text) == (200, "42")


def unlogged(logs, words):
    """No log holds who was told."""
    found = list(logs.glob("*.log"))
    assert found
    for log in found:
        text = log.read_text()
        assert [word for word in words if word in text] == [], log.name
