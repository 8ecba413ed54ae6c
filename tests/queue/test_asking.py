"""What a request may say before any verb looks at it, and whose repetition it would be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import access
from services.chassis.access import Caller
from services.chassis.errors import Problem
from services.queue import asking
from services.queue.model import Channel
from tunggu.queue.v1 import queue_pb2 as pb

CODE = "73.71.03"


@pytest.fixture
def calling():
    """Makes somebody the caller of the running call."""
    tokens = []

    def become(subject="", roles=(), kecamatan=(CODE,)):
        who = Caller(subject, frozenset(roles), frozenset(kecamatan))
        tokens.append(access.CALLER.set(who))

    yield become
    for token in reversed(tokens):
        access.CALLER.reset(token)


def reason(check, *args):
    with pytest.raises(Problem) as refused:
        check(*args)
    return refused.value.reason


@given(st.text())
def test_no_text_that_is_not_plain_gets_into_a_key_or_a_leaf(text):
    checks = (
        lambda: asking.code_of(pb.GetBoardRequest(kecamatan=text)),
        lambda: asking.counter_of(pb.GetCounterRequest(counter=text)),
        lambda: asking.number_of(text, "number"),
        lambda: asking.service_of(text),
        lambda: asking.day_of(text, "day"),
        lambda: asking.hash_of(pb.GetPolicyRequest(hash=text)),
    )
    for check in checks:
        try:
            said = check()
        except Problem as problem:
            assert problem.reason != "INTERNAL"  # noqa: PT017
        else:
            assert said == text
            assert said.isascii()
            assert not set(said) & set('|{}:"\\ \n\r\0')


def test_what_cannot_be_there_is_not_found_and_what_is_missing_is_invalid():
    assert reason(asking.number_of, "", "ticket") == "INVALID_REQUEST"
    assert reason(asking.number_of, "a001", "ticket") == "TICKET_NOT_FOUND"
    assert reason(asking.service_of, "") == "INVALID_REQUEST"
    assert reason(asking.service_of, "AB") == "SERVICE_NOT_FOUND"


@pytest.mark.parametrize("value", ["7371.03", "73.71.03\n", "x" * 10_000])
def test_a_refusal_repeats_at_most_32_characters(value):
    for check, message in (
        (asking.code_of, pb.GetBoardRequest(kecamatan=value)),
        (asking.counter_of, pb.GetCounterRequest(counter=f"|{value}")),
    ):
        with pytest.raises(Problem) as refused:
            check(message)
        assert all(len(text) <= 32 for text in refused.value.metadata.values())


@pytest.mark.parametrize(("value", "size"), [(0, 100), (1, 1), (500, 500)])
def test_a_pages_size_has_a_default_and_a_limit(value, size):
    assert asking.size_of(value, 100, 500) == size
    assert reason(asking.size_of, 501, 100, 500) == "INVALID_REQUEST"
    assert reason(asking.size_of, -1, 100, 500) == "INVALID_REQUEST"


def test_a_channel_of_the_staff_needs_its_role_there(calling):
    asking.admit_channel(CODE, Channel.WEB)
    assert reason(asking.admit_channel, CODE, Channel.KIOSK) == "UNAUTHENTICATED"
    calling("k", ["KIOSK"])
    asking.admit_channel(CODE, Channel.KIOSK)
    assert reason(asking.admit_channel, CODE, Channel.DESK) == "PERMISSION_DENIED"
    assert reason(asking.admit_channel, "73.71.04", Channel.KIOSK) == "OTHER_KECAMATAN"


def request(verb="CreateTicket", caller="", **fields):
    message = pb.CreateTicketRequest(kecamatan=CODE, **fields)
    return asking.request(verb, message, CODE, caller)


def test_a_request_without_an_id_is_not_remembered():
    assert (request().digest, request().payload_hash) == ("", "")


def test_the_id_is_no_part_of_the_payload_and_everything_else_is():
    one, two = request(request_id="a" * 22), request(request_id="b" * 22)
    assert one.payload_hash == two.payload_hash
    assert one.digest != two.digest
    assert request(request_id="a" * 22, lane=2).payload_hash != one.payload_hash


def test_a_digest_is_of_the_verb_the_office_and_the_caller(calling):
    same = {"request_id": "a" * 22}
    digests = [
        request(**same).digest,
        request("CancelTicket", **same).digest,
        request(caller="budi", **same).digest,
        asking.request("CreateTicket", pb.CreateTicketRequest(**same), "73.71.04").digest,
    ]
    calling("budi", ["OFFICER"])
    digests.append(request(**same).digest)
    assert len(set(digests)) == 5


def test_an_anonymous_id_must_be_long_and_a_known_callers_need_not(calling):
    assert reason(request(request_id="a" * 21).check) == "REQUEST_ID_TOO_SHORT"
    request(request_id="a" * 22).check()
    request(request_id="a", caller="a-phone-of-somebody").check()
    calling("budi", ["OFFICER"])
    request(request_id="a").check()


def test_a_supervisor_is_one_in_the_offices_of_the_token_only(calling):
    calling("camat", ["SUPERVISOR"])
    assert request().supervisor
    assert not asking.request("X", pb.CreateTicketRequest(), "73.71.04").supervisor
    calling("camat", ["SUPERVISOR"], ["*"])
    assert asking.request("X", pb.CreateTicketRequest(), "73.71.04").supervisor
    calling("budi", ["OFFICER"])
    assert not request().supervisor


@given(st.text(min_size=1, max_size=60))
def test_a_subject_is_kept_without_the_records_separators_and_can_be_read_back(subject):
    token = access.CALLER.set(Caller(subject, frozenset({"OFFICER"}), frozenset({CODE})))
    try:
        kept = request().subject
    finally:
        access.CALLER.reset(token)
    assert kept.isascii()
    assert not set(kept) & set('|\n\r\0"')
    if len(kept) < 256:
        assert asking.unquoted(kept) == subject
