"""Path, query, body and headers make one message."""

import pytest

from services.chassis.errors import Problem
from services.gateway.compose import SERVICES
from services.gateway.routes import Routes
from services.gateway.transcode import bind, render
from tunggu.notify.v1 import whatsapp_pb2
from tunggu.queue.v1 import kecamatan_pb2, queue_pb2

ROUTES = Routes(SERVICES)
TICKETS = "/v1/kecamatan/73.71.03/tickets"
EVENTS = "/v1/kecamatan/73.71.03/days/2026-03-02/events"


def bound(method, path, body=b"", query=b"", **headers):
    route, variables = ROUTES.match(method, path.encode())
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return bind(route, variables, query, named, body)


def refusal(*arguments, **settings):
    with pytest.raises(Problem) as caught:
        bound(*arguments, **settings)
    return caught.value.reason, caught.value.metadata.get("field")


def test_body_and_path_fill_the_message():
    request = bound("POST", TICKETS, b'{"service":"A","lane":"PRIORITY"}')
    assert (request.kecamatan, request.service, request.lane) == ("73.71.03", "A", 2)


def test_an_empty_body_counts_as_an_empty_object():
    for body in (b"", b" \r\n", b"{}"):
        assert bound("POST", "/v1/tickets/x:cancel", body).ticket_id == "x"


def test_a_body_that_is_one_field_is_read_into_it():
    request = bound("PUT", "/v1/kecamatan/73.71.03", b'{"spec":{"code":"73.71.03"}}')
    assert request.kecamatan == request.file.spec.code == "73.71.03"


def test_what_the_path_says_a_body_may_repeat_but_not_contradict():
    assert bound("POST", TICKETS, b'{"kecamatan":"73.71.03"}').kecamatan == "73.71.03"
    assert refusal("POST", TICKETS, b'{"kecamatan":"73.71.01"}') == ("INVALID_REQUEST", "kecamatan")


def test_a_mutation_without_a_key_gets_a_random_one_before_its_first_attempt():
    first = bound("POST", "/v1/tickets/x:cancel").request_id
    second = bound("POST", "/v1/tickets/x:cancel").request_id
    assert len(first) == len(second) == 22
    assert first != second


def test_headers_stand_for_fields():
    request = bound("POST", TICKETS, idempotency_key="k" * 22, tunggu_holder="h1")
    assert (request.request_id, request.holder) == ("k" * 22, "h1")
    same = bound(
        "POST", TICKETS, b'{"requestId":"a","holder":"b"}', idempotency_key="a", tunggu_holder="b"
    )
    assert (same.request_id, same.holder) == ("a", "b")


def test_a_header_that_differs_from_the_body_is_refused():
    body = b'{"requestId":"a","holder":"b"}'
    assert refusal("POST", TICKETS, body, idempotency_key="x")[1] == "Idempotency-Key"
    assert refusal("POST", TICKETS, body, tunggu_holder="x")[1] == "Tunggu-Holder"


@pytest.mark.parametrize("value", ["", "é", "a\x7f", "x" * 129])
def test_a_header_of_unsound_form_is_refused(value):
    for name in ("idempotency_key", "tunggu_holder"):
        assert refusal("POST", TICKETS, **{name: value})[0] == "INVALID_REQUEST"


def test_a_get_takes_no_notice_of_mutation_headers():
    assert bound("GET", "/v1/tickets/x", idempotency_key="a", tunggu_holder="b").ticket_id == "x"


def test_query_parameters_are_read_by_type():
    request = bound("GET", EVENTS, query=b"after=-1&pageSize=50")
    assert (request.after, request.page_size) == (-1, 50)
    assert not bound("GET", EVENTS).HasField("after")
    audit = bound("GET", "/v1/kecamatan/73.71.03/audit", query=b"pageToken=a%2Bb+c%E2%82%AC")
    assert audit.page_token == "a+b c€"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (b"after=x", "after"),
        (b"after=", "after"),
        (b"after=1.0", "after"),
        (b"after=99999999999", "after"),
        (b"after=1&after=1", "after"),
        (b"page_size=1", "page_size"),
        (b"nothing=1", "nothing"),
        (b"kecamatan=73.71.03", "kecamatan"),
        (b"body=x", "body"),
        (b"after", "(query)"),
        (b"&&", "(query)"),
        (b"after=%FF", "(query)"),
        (b"after=\xff", "(query)"),
        (b"&".join([b"after=1"] * 40), "(query)"),
    ],
)
def test_a_query_that_is_not_understood_is_refused_by_name(query, field):
    assert refusal("GET", EVENTS, query=query) == ("INVALID_REQUEST", field)


def test_a_route_with_a_body_takes_no_parameters_and_one_without_takes_no_body():
    assert refusal("POST", TICKETS, query=b"service=A") == ("INVALID_REQUEST", "service")
    assert refusal("GET", "/v1/kecamatan", b"{}") == ("INVALID_REQUEST", "(body)")


def test_bytes_named_by_the_proto_are_the_body_itself():
    route, _ = ROUTES.match("GET", b"/v1/kecamatan/73.71.03/board")
    message = queue_pb2.GetBoardResponse(body=b"{ }", etag="e", content_type="application/json")
    answer = render(route, message)
    assert (answer.body, answer.content_type, answer.etag) == (b"{ }", "application/json", "e")


def test_a_named_message_is_bare_and_an_unnamed_one_whole():
    route, _ = ROUTES.match("GET", b"/v1/kecamatan/73.71.03")
    office = kecamatan_pb2.GetKecamatanResponse(office=kecamatan_pb2.Office(code="73.71.03"))
    assert render(route, office).body.startswith(b'{"code":"73.71.03",')
    route, _ = ROUTES.match("GET", b"/v1/kecamatan")
    assert render(route, kecamatan_pb2.ListKecamatanResponse()).body == b'{"kecamatan":[]}'


def test_a_body_of_bytes_goes_on_exactly_as_it_came_with_its_signature():
    service = whatsapp_pb2.DESCRIPTOR.services_by_name["WhatsAppService"]
    route, variables = Routes([service]).match("POST", b"/v1/whatsapp:webhook")
    for body in (b' {"b": 1,\r\n "a": 2} ', b"not JSON", b""):
        headers = {b"x-hub-signature-256": b"sha256=abc"}
        message = bind(route, variables, b"", headers, body)
        assert (message.body, message.hub_signature_256) == (body, "sha256=abc")
    assert route.status == 200


def test_a_challenge_is_read_from_parameters_with_dots_in_their_names():
    service = whatsapp_pb2.DESCRIPTOR.services_by_name["WhatsAppService"]
    route, variables = Routes([service]).match("GET", b"/v1/whatsapp:webhook")
    query = b"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=a%20b"
    message = bind(route, variables, query, {}, b"")
    assert (message.mode, message.challenge) == ("subscribe", "1158201444")
    assert message.verify_token == "a b"
    reply = whatsapp_pb2.ConnectWhatsAppResponse(body=b"1", content_type="text/plain")
    assert (render(route, reply).body, render(route, reply).content_type) == (b"1", "text/plain")
