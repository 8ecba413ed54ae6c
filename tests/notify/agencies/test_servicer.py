"""What a supervisor does with an office's webhooks, and what nobody else may."""

import asyncio
from types import SimpleNamespace

import pytest

from services.chassis import access
from services.chassis.access import Caller
from services.chassis.errors import Problem
from services.notify.agencies.model import MOST
from services.notify.agencies.servicer import WebhookServicer
from services.notify.agencies.store import WebhookStore
from services.notify.channels_config import ChannelsConfig
from services.notify.outgoing.posting import Outgoing
from tests.notify.agencies.fake_journal import CODE, MONDAY, FakeJournal
from tunggu.notify.v1 import webhooks_pb2 as pb

URL = "https://dukcapil.example/tunggu"
SERVICE = pb.DESCRIPTOR.services_by_name["WebhookService"]
RULES = access.rules([SERVICE])


async def outside_addresses(host, port):
    return ["10.0.0.1"] if host.startswith("inner") else ["203.1.1.1"]


@pytest.fixture
async def office(redis):
    """A servicer, what it works with, and calls under the access rules."""
    journal, told = FakeJournal(), []
    async with Outgoing(ChannelsConfig().agency_policy(), resolve=outside_addresses) as out:
        store = WebhookStore(redis)
        servicer = WebhookServicer(
            store, journal, out, journal.office, lambda: told.append("changed")
        )

        async def call(verb, caller="camat", roles=("SUPERVISOR",), places=(CODE,), **fields):
            request = getattr(pb, f"{verb}Request")(**{"kecamatan": CODE, **fields})
            access.CALLER.set(Caller(caller, frozenset(roles), frozenset(places)))
            RULES[f"/{SERVICE.full_name}/{verb}"].admit(request)
            return await getattr(servicer, verb)(request, None)

        yield SimpleNamespace(call=call, journal=journal, told=told, store=store, redis=redis)


async def refusal(office, verb, **fields):
    with pytest.raises(Problem) as problem:
        await office.call(verb, **fields)
    return problem.value.reason


async def test_a_webhook_is_registered_listed_and_deleted(office):
    made = await office.call("CreateWebhook", url=URL, description="Dukcapil")
    assert made.secret.startswith("whsec_")
    assert (made.webhook.url, made.webhook.event) == (URL, -1)
    assert made.webhook.state == pb.Webhook.STATE_ACTIVE
    listed = (await office.call("ListWebhooks")).webhooks
    assert list(listed) == [made.webhook]
    assert made.secret not in str(listed)
    await office.call("DeleteWebhook", webhook_id=made.webhook.id)
    assert not (await office.call("ListWebhooks")).webhooks
    assert office.told == ["changed"]


async def test_a_repetition_is_the_same_webhook_with_the_same_secret(office):
    made = await asyncio.gather(
        *[office.call("CreateWebhook", url=URL, request_id="one") for _ in range(8)]
    )
    assert len({(answer.webhook.id, answer.secret) for answer in made}) == 1
    assert len((await office.call("ListWebhooks")).webhooks) == 1
    other = {"url": f"{URL}/other", "request_id": "one"}
    assert await refusal(office, "CreateWebhook", **other) == "REQUEST_ID_REUSED"
    again = await office.call("CreateWebhook", caller="other", url=URL, request_id="one")
    assert again.webhook.id != made[0].webhook.id, "another's key is another key"


async def test_a_webhook_begins_with_what_comes_unless_a_day_is_named(office):
    async def start(**fields):
        made = await office.call("CreateWebhook", url=URL, **fields)
        return (await office.store.webhook(CODE, made.webhook.id)).start

    assert await start() == "start", "there is no journal yet"
    office.journal.write(MONDAY, 8)
    assert await start() == f"{MONDAY}/7"
    assert await start(from_day="2026-02-27") == "2026-02-27/-1"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://dukcapil.example/", "DESTINATION_FORM"),
        ("https://10.0.0.1/", "DESTINATION_FORM"),
        ("https://user@dukcapil.example/", "DESTINATION_FORM"),
        ("https://redis/", "DESTINATION_FORM"),
        ("https://dukcapil.example:6379/", "DESTINATION_PORT"),
        ("https://inner.example/", "DESTINATION_ADDRESS"),
        ("", "DESTINATION_FORM"),
    ],
)
async def test_an_address_that_could_be_turned_against_the_inside_is_refused(office, url, why):
    with pytest.raises(Problem) as problem:
        await office.call("CreateWebhook", url=url)
    assert (problem.value.reason, problem.value.metadata) == ("TARGET_REFUSED", {"why": why})
    assert not (await office.call("ListWebhooks")).webhooks


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"from_day": "2026-02-30"}, "INVALID_REQUEST"),
        ({"from_day": "20260302"}, "INVALID_REQUEST"),
        ({"description": "x" * 201}, "INVALID_REQUEST"),
        ({"description": "a\nb"}, "INVALID_REQUEST"),
        ({"request_id": "a b"}, "INVALID_REQUEST"),
        ({"kecamatan": "73.71.99", "places": ("*",)}, "KECAMATAN_NOT_FOUND"),
        ({"kecamatan": "}{", "places": ("*",)}, "KECAMATAN_NOT_FOUND"),
    ],
)
async def test_what_makes_no_sense_is_refused(office, fields, reason):
    assert await refusal(office, "CreateWebhook", url=URL, **fields) == reason


VERBS = ["CreateWebhook", "ListWebhooks", "ResumeWebhook", "DeleteWebhook", "ListWebhookAudit"]


@pytest.mark.parametrize("verb", VERBS)
async def test_only_a_supervisor_of_the_office_may(office, verb):
    for roles in (("OFFICER",), ("KIOSK",), ("ADMIN",), ("WAR_ROOM",)):
        assert await refusal(office, verb, roles=roles) == "PERMISSION_DENIED"
    assert await refusal(office, verb, places=("73.71.01",)) == "OTHER_KECAMATAN"
    assert await refusal(office, verb, caller="") == "UNAUTHENTICATED"


@pytest.mark.parametrize("verb", ["ResumeWebhook", "DeleteWebhook"])
async def test_a_webhook_that_is_not_there_is_not_found(office, verb):
    for id in ("wh_0123456789abcdef", "", "audit", "wh_0123456789abcdef:lease"):
        assert await refusal(office, verb, webhook_id=id) == "WEBHOOK_NOT_FOUND"


async def test_an_office_has_only_so_many(office):
    for n in range(MOST):
        await office.call("CreateWebhook", url=f"{URL}/{n}")
    assert await refusal(office, "CreateWebhook", url=URL) == "TOO_MANY_WEBHOOKS"


async def test_who_did_what_is_kept_and_shown_newest_first(office):
    made = await office.call("CreateWebhook", url=URL)
    await office.call("ResumeWebhook", caller="wakil", webhook_id=made.webhook.id)
    await office.call("DeleteWebhook", webhook_id=made.webhook.id)
    entries = (await office.call("ListWebhookAudit")).entries
    assert [(entry.verb, entry.subject) for entry in entries] == [
        ("DeleteWebhook", "camat"),
        ("ResumeWebhook", "wakil"),
        ("CreateWebhook", "camat"),
    ]
    assert {(entry.webhook_id, entry.url) for entry in entries} == {(made.webhook.id, URL)}
    assert entries[0].at.seconds > 1_700_000_000


async def test_what_is_too_old_leaves_the_audit(office):
    key = f"tunggu:{{{CODE}}}:notify:webhooks:audit"
    await office.redis.xadd(key, {"s": "a", "v": "CreateWebhook", "w": "b", "u": "c"}, "1000-0")
    await office.call("CreateWebhook", url=URL)
    assert len((await office.call("ListWebhookAudit")).entries) == 1


async def test_nothing_of_a_deleted_webhook_is_kept_but_its_audit(office):
    made = await office.call("CreateWebhook", url=URL)
    id = made.webhook.id
    await office.store.lease(CODE, id, "me", 9000)
    await office.store.note(CODE, id, "me", day=MONDAY, event=1)
    await office.call("DeleteWebhook", webhook_id=id)
    assert await office.redis.keys() == [f"tunggu:{{{CODE}}}:notify:webhooks:audit".encode()]
