"""WhatsApp, out and in, against a stand-in of the Cloud API."""

import asyncio
import json
import time
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from services.chassis.config import ConfigError
from services.chassis.errors import Problem
from services.notify.channels import ACCEPTED, Target, refused, retry
from services.notify.channels.whatsapp import make
from services.notify.config import NotifyConfig
from services.notify.inbound import WINDOW_S, written
from services.notify.once import Once
from services.notify.whatsapp_servicer import WhatsAppServicer
from tests.notify import cloud_api
from tests.notify.channels.messages import message
from tests.notify.cloud_api import CITIZEN, PHONE, PHONE_ID, CloudApi, call, error, signature
from tests.notify.outside import outside
from tunggu.notify.v1 import whatsapp_pb2 as pb

SETTINGS = NotifyConfig(
    env="development",
    loopback=True,
    whatsapp_phone=PHONE,
    whatsapp_phone_id=PHONE_ID,
    whatsapp_token=cloud_api.TOKEN,
    whatsapp_app_secret=cloud_api.APP_SECRET,
    whatsapp_verify_token=cloud_api.VERIFY_TOKEN,
)
AT = Target("whatsapp", CITIZEN)


@pytest.fixture
async def api():
    cloud = CloudApi()
    async with outside(cloud.respond) as cloud.world:
        cloud.settings = replace(SETTINGS, whatsapp_url=f"{cloud.world.url}/v24.0")
        yield cloud


@pytest.fixture
async def channel(api):
    made = make(api.settings)
    yield made
    await made.close()


# --- out ----------------------------------------------------------------------------------------


async def test_a_message_is_a_text_that_the_api_admits(channel, api):
    assert await channel.send(AT, message()) == ACCEPTED
    (text,) = api.texts
    assert text["to"] == CITIZEN
    assert text["biz_opaque_callback_data"] == "msg_0123456789abcdef"
    assert text["text"]["body"].splitlines() == [
        "*Nomor A012 dipanggil*",
        "Silakan menuju loket 3.",
        "https://tunggu.example/t/737103-260302-AAAAAAAAAAAAAAAAAAAAAA",
    ]


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (400, 131047, refused("WINDOW_CLOSED")),
        (400, 131026, refused("UNDELIVERABLE")),
        (400, 130429, retry("BUSY")),
        (400, 131056, retry("BUSY")),
        (500, 131000, retry("SERVER_ERROR")),
        (400, 131016, retry("SERVER_ERROR")),
        (401, 190, retry("UNAUTHORIZED")),
        (403, 10, retry("UNAUTHORIZED")),
        (404, 100, retry("UNAUTHORIZED")),
        (400, 100, refused("REJECTED")),
        (503, 999999, retry("SERVER_ERROR")),
    ],
)
async def test_what_the_api_says_decides(channel, api, status, code, outcome):
    api.answer = lambda _: error(status, code)
    assert await channel.send(AT, message()) == outcome


async def test_retry_after_is_respected(channel, api):
    api.answer = lambda _: error(429, 4, **{"Retry-After": "30"})
    assert await channel.send(AT, message()) == retry("BUSY", 30.0)


async def test_the_link_opens_a_conversation_with_the_code_written(channel):
    link = urlsplit(channel.link("Tunggu K7Q4-M2XP & co"))
    assert (link.scheme, link.hostname, link.path) == ("https", "wa.me", f"/{PHONE}")
    assert parse_qs(link.query) == {"text": ["Tunggu K7Q4-M2XP & co"]}
    assert channel.key() == PHONE


@pytest.mark.parametrize(
    "phone", ["", "+6281234567890", "0811", "62811 234", "6" * 16, "٦٢٨١٢٣٤٥٦"]
)
async def test_what_is_no_number_is_refused(channel, phone):
    with pytest.raises(Problem, match="INVALID_REQUEST"):
        await channel.check(Target("whatsapp", phone))


def test_without_a_number_there_is_no_whatsapp_and_without_https_no_start():
    assert make(NotifyConfig()) is None
    for url in ("http://graph.facebook.com", "https://127.0.0.1/v24.0", "graph"):
        with pytest.raises(ConfigError, match="TUNGGU_WHATSAPP_URL"):
            make(replace(SETTINGS, loopback=False, whatsapp_url=url))


# --- in -----------------------------------------------------------------------------------------


class FakePhones:
    """One code; notes what is asked."""

    def __init__(self):
        self.bound, self.released, self.away = [], [], False

    async def bind(self, text, phone):
        if self.away:
            raise Problem("REDIS_UNAVAILABLE")
        if "K7Q4-M2XP" not in text:
            raise Problem("CODE_NOT_FOUND")
        self.bound.append(phone)
        return "Nomor A012: kami kabari lewat WhatsApp."

    async def release(self, phone):
        self.released.append(phone)
        return "Pemberitahuan dihentikan."


@pytest.fixture
def phones():
    return FakePhones()


@pytest.fixture
def servicer(channel, api, phones, redis):
    return WhatsAppServicer(api.settings, channel, phones, Once(redis, cloud_api.APP_SECRET))


async def receive(servicer, body, sign=signature):
    given = sign(body) if callable(sign) else sign
    request = pb.ReceiveWhatsAppRequest(body=body, hub_signature_256=given)
    return await servicer.ReceiveWhatsApp(request, None)


async def test_who_writes_a_code_is_bound_and_gets_a_reply(servicer, phones, api):
    await receive(servicer, call())
    assert phones.bound == [CITIZEN]
    (text,) = api.texts
    assert (text["to"], text["text"]["body"]) == (
        CITIZEN,
        "Nomor A012: kami kabari lewat WhatsApp.",
    )


@pytest.mark.parametrize(
    "sign",
    [
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        lambda body: signature(body, "another secret"),
        lambda body: signature(body + b" "),
        lambda body: signature(body).removeprefix("sha256="),
        lambda body: signature(body).replace("sha256", "sha1"),
        lambda body: signature(body).upper(),
        "é" * 71,
    ],
)
async def test_a_forged_call_is_refused_before_it_is_read(servicer, phones, api, sign):
    with pytest.raises(Problem, match="SIGNATURE_INVALID"):
        await receive(servicer, call(), sign)
    with pytest.raises(Problem, match="SIGNATURE_INVALID"):
        await receive(servicer, b"not even JSON", sign)
    assert (phones.bound, api.texts) == ([], [])


async def test_a_call_whose_bytes_were_rewritten_is_refused(servicer, phones):
    body = call()
    with pytest.raises(Problem, match="SIGNATURE_INVALID"):
        await receive(servicer, json.dumps(json.loads(body), indent=1).encode(), signature(body))
    assert phones.bound == []


async def test_a_call_that_comes_again_is_answered_once(servicer, phones, api):
    await asyncio.gather(*[receive(servicer, call()) for _ in range(10)])
    await receive(servicer, call())
    assert set(phones.bound) == {CITIZEN}
    assert len(api.texts) == 1


async def test_a_call_of_yesterday_is_passed_over(servicer, phones, api):
    await receive(servicer, call(at=time.time() - WINDOW_S - 60))
    assert (phones.bound, api.texts) == ([], [])


async def test_a_call_for_another_number_is_passed_over(servicer, phones, api):
    await receive(servicer, call(phone_id="999"))
    assert (phones.bound, api.texts) == ([], [])


async def test_an_unknown_code_is_told_once_an_hour(servicer, api):
    for n in range(5):
        await receive(servicer, call("halo", id=f"wamid.{n}"))
    (text,) = api.texts
    assert text["text"]["body"].startswith("Kode ini tidak dikenal")


@pytest.mark.parametrize("word", ["STOP", " berhenti ", "Stop."])
async def test_who_asks_for_it_is_released(servicer, phones, api, word):
    await receive(servicer, call(word))
    assert phones.released == [CITIZEN]
    assert api.texts[0]["text"]["body"] == "Pemberitahuan dihentikan."


async def test_a_reply_that_cannot_be_sent_now_is_sent_when_the_call_comes_again(
    servicer, phones, api
):
    api.answer = lambda _: error(500, 131000)
    with pytest.raises(Problem, match="SERVICE_UNAVAILABLE"):
        await receive(servicer, call())
    api.answer = lambda _: None
    await receive(servicer, call())
    assert len(api.texts) == 1


async def test_what_could_not_be_bound_is_bound_when_the_call_comes_again(servicer, phones, api):
    phones.away = True
    with pytest.raises(Problem, match="REDIS_UNAVAILABLE"):
        await receive(servicer, call())
    phones.away = False
    await receive(servicer, call())
    assert (phones.bound, len(api.texts)) == ([CITIZEN], 1)


ODD = [
    b"{}",
    b'{"entry": 7}',
    b'{"entry": [null, {"changes": "x"}, {"changes": [{"value": []}]}]}',
    call().replace(b'"from": "6281234567890"', b'"from": 6281234567890'),
    call().replace(b'"timestamp": "', b'"timestamp": "x'),
    call().replace(b'"text": {"body"', b'"image": {"body"'),
    call(phone="not a number"),
]


@pytest.mark.parametrize("body", ODD)
async def test_a_genuine_call_that_brings_no_text_is_well(servicer, phones, body):
    await receive(servicer, body)
    assert phones.bound == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000, b"\xff"])
async def test_a_genuine_call_that_is_no_object_is_an_invalid_request(servicer, body):
    with pytest.raises(Problem, match="INVALID_REQUEST"):
        await receive(servicer, body)


def test_several_texts_of_one_call_are_all_read():
    body = json.loads(call())
    messages = body["entry"][0]["changes"][0]["value"]["messages"]
    messages.append(messages[0] | {"id": "wamid.B", "text": {"body": "stop"}})
    found = written(json.dumps(body).encode(), PHONE_ID)
    assert [(text.id, text.stops) for text in found] == [("wamid.A", False), ("wamid.B", True)]


async def test_no_number_and_no_text_is_logged_or_kept(servicer, redis, caplog):
    caplog.set_level("DEBUG")
    await receive(servicer, call())
    await receive(servicer, call("halo", id="wamid.B"))
    assert CITIZEN not in caplog.text
    assert "K7Q4" not in caplog.text
    assert "K7Q4" not in repr(written(call(), PHONE_ID))
    for key in await redis.keys():
        assert CITIZEN not in key.decode()
        assert CITIZEN.encode() not in (await redis.get(key))
        assert 0 < await redis.ttl(key) <= WINDOW_S + 3600


# --- connecting ---------------------------------------------------------------------------------


async def connect(servicer, **fields):
    right = {"mode": "subscribe", "verify_token": cloud_api.VERIFY_TOKEN, "challenge": "1158201444"}
    return await servicer.ConnectWhatsApp(pb.ConnectWhatsAppRequest(**{**right, **fields}), None)


async def test_the_challenge_is_answered_to_who_knows_the_token(servicer):
    answer = await connect(servicer)
    assert (answer.body, answer.content_type) == (b"1158201444", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"verify_token": "another"}, "SIGNATURE_INVALID"),
        ({"verify_token": ""}, "SIGNATURE_INVALID"),
        ({"mode": "unsubscribe"}, "INVALID_REQUEST"),
        ({"challenge": "<script>"}, "INVALID_REQUEST"),
        ({"challenge": ""}, "INVALID_REQUEST"),
    ],
)
async def test_any_other_challenge_is_refused(servicer, fields, reason):
    with pytest.raises(Problem, match=reason):
        await connect(servicer, **fields)


async def test_without_the_channel_nothing_is_taken(redis, phones):
    servicer = WhatsAppServicer(NotifyConfig(), None, phones, Once(redis, ""))
    with pytest.raises(Problem, match="CHANNEL_NOT_OFFERED"):
        await connect(servicer)
    with pytest.raises(Problem, match="CHANNEL_NOT_OFFERED"):
        await receive(servicer, call(), signature(call(), ""))
