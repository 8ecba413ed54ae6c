"""What a request may say before anything looks at it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.errors import Problem
from services.notify import asking
from tunggu.notify.v1 import notify_pb2 as pb
from tunggu.queue.v1.ticket_pb2 import Ticket

KEYS = pb.WebPushTarget.Keys(p256dh="p", auth="a")
NO_PUBLIC = pb.WebPushTarget.Keys(auth="a")


def refusal(call, *args):
    with pytest.raises(Problem) as caught:
        call(*args)
    return caught.value.reason, caught.value.metadata.get("field", "")


def wanted(**target):
    return pb.CreateSubscriptionRequest(ticket_id="t", **target)


def test_each_kind_of_target_is_read():
    push = pb.WebPushTarget(endpoint="https://push.example/1", keys=KEYS)
    found = asking.target_of(wanted(web_push=push))
    assert (found.channel, found.address) == ("web_push", "https://push.example/1")
    assert found.secrets == {"p256dh": "p", "auth": "a"}
    found = asking.target_of(wanted(webhook=pb.WebhookTarget(url="https://sms.example/")))
    assert (found.channel, found.address, found.host) == (
        "webhook", "https://sms.example/", "sms.example",
    )  # fmt: skip
    assert asking.target_of(wanted(whatsapp=pb.WhatsAppTarget())).address == ""
    assert asking.target_of(wanted(log=pb.LogTarget())).host == "log"


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ({}, "target"),
        ({"web_push": pb.WebPushTarget(keys=KEYS)}, "webPush.endpoint"),
        ({"web_push": pb.WebPushTarget(endpoint="x", keys=NO_PUBLIC)}, "webPush.keys.p256dh"),
        ({"web_push": pb.WebPushTarget(endpoint="x")}, "webPush.keys.p256dh"),
        ({"web_push": pb.WebPushTarget(endpoint="x" * 2049, keys=KEYS)}, "webPush.endpoint"),
        ({"webhook": pb.WebhookTarget()}, "webhook.url"),
    ],
)
def test_a_target_that_lacks_something_is_refused_by_its_name(target, field):
    assert refusal(asking.target_of, wanted(**target)) == ("INVALID_REQUEST", field)


def test_only_the_languages_that_there_are():
    assert asking.language_of(wanted()) == "id"
    assert asking.language_of(wanted(language=pb.LANGUAGE_EN)) == "en"
    odd = pb.CreateSubscriptionRequest()
    odd.language = 9
    assert refusal(asking.language_of, odd) == ("INVALID_REQUEST", "language")


@pytest.mark.parametrize("state", ["COMPLETED", "CANCELLED", "LAPSED", "NO_SHOW"])
def test_of_a_closed_ticket_nothing_more_will_be_said(state):
    ticket = Ticket(state=f"STATE_{state}")
    assert refusal(asking.check_live, ticket)[0] == "WRONG_STATE"


@pytest.mark.parametrize("state", ["WAITING", "CALLED", "SERVING", "ON_HOLD"])
def test_of_a_live_one_it_will_also_of_one_that_may_return(state):
    asking.check_live(Ticket(state=f"STATE_{state}"))
    over = Ticket(state=Ticket.STATE_NO_SHOW)
    over.return_by.FromMilliseconds(1)
    asking.check_live(over)


@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from(["-", " ", "", "–"]))
def test_a_code_is_found_wherever_it_stands_in_any_letters(before, after, dash):
    code = asking.new_code("73.71.03")
    text = f"{before} {code.lower().replace('-', dash)} {after}"
    assert asking.code_in(text.swapcase() if len(before) % 2 else text) == ("73.71.03", code)


@pytest.mark.parametrize("text", ["", "halo", "A012", "737103-7Q4K", "x" * 600 + "737103-7Q4K9M2X"])
def test_a_text_without_a_code_has_none(text):
    assert refusal(asking.code_in, text)[0] == "CODE_NOT_FOUND"


def test_codes_are_not_to_be_guessed_and_have_no_letter_like_another():
    codes = {asking.new_code("73.71.03") for _ in range(1000)}
    assert len(codes) == 1000
    assert not set("".join(code[7:] for code in codes)) & set("ILOU")


@pytest.mark.parametrize("phone", ["", "+6281234567890", "081234567890", "62812abc", "6" * 16])
def test_a_phone_is_international_and_digits_only(phone):
    assert refusal(asking.phone_of, pb.BindPhoneRequest(phone=phone))[1] == "phone"


@pytest.mark.parametrize("id", ["", "x", "webhook-1", "webhook-0000000000000000000g", "a.b-0" * 9])
def test_a_subscription_that_cannot_be_is_not_found(id):
    request = pb.DeleteSubscriptionRequest(subscription_id=id)
    assert refusal(asking.subscription_of, request)[0] == "SUBSCRIPTION_NOT_FOUND"


def test_a_request_id_is_visible_ascii_and_of_its_ticket():
    request = pb.DeleteSubscriptionRequest(ticket_id="t", request_id="ä")
    assert refusal(asking.request, "V", request, "73.71.03") == ("INVALID_REQUEST", "requestId")
    one, two = (
        asking.request("V", pb.DeleteSubscriptionRequest(ticket_id=t, request_id="k"), "73.71.03")
        for t in "ab"
    )
    assert one.digest != two.digest
