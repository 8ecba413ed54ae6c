"""What is wrong is refused with a clear problem: never a 500, never passed on."""

import json
import socket
from http.client import HTTPResponse

import httpx
import pytest

from tests.gateway.fake_queue import CODE

TICKETS = f"/v1/kecamatan/{CODE}/tickets"
JSON = {"Content-Type": "application/json"}


def refused(answer, status, reason, **members):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["reason"] == reason
    assert document["type"] == f"urn:tunggu:problem:{reason}"
    assert document["status"] == status
    assert document["instance"] == answer.headers["x-request-id"]
    for name, value in members.items():
        assert document[name] == value


@pytest.fixture(autouse=True)
def nothing_reaches_the_queue(stack, request):
    yield
    if "passes" not in request.node.name:
        assert not [name for name, *_ in stack.fake.calls if name.endswith(("Ticket", "Tickets"))]


@pytest.mark.parametrize(
    "body",
    [b"{", b"x", b"[1", b"{}{}", b'{"a":1,"a":1}', b'{"a":NaN}', b"\xff\xfe", b"[" * 50_000],
)
def test_wrong_json(client, body):
    refused(client.post(TICKETS, content=body, headers=JSON), 400, "NOT_JSON")


@pytest.mark.parametrize("body", ["[]", "null", "1", '"x"', "true"])
def test_json_that_is_no_object(client, body):
    answer = client.post(TICKETS, content=body, headers=JSON)
    refused(answer, 400, "INVALID_REQUEST", field="(body)")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"service": 1}, "service"),
        ({"service": None}, "service"),
        ({"service": ["A"]}, "service"),
        ({"service": {"code": "A"}}, "service"),
        ({"service": "\ud800"}, "service"),
        ({"lane": "FAST"}, "lane"),
        ({"lane": 1}, "lane"),
        ({"channel": True}, "channel"),
        ({"holder": 5}, "holder"),
        ({"requestId": {}}, "requestId"),
        ({"kecamatan": "73.71.01"}, "kecamatan"),
    ],
)
def test_wrong_values(client, body, field):
    answer = client.post(TICKETS, content=json.dumps(body), headers=JSON)
    refused(answer, 400, "INVALID_REQUEST", field=field)
    assert answer.json()["why"]


@pytest.mark.parametrize("name", ["ahead", "Service", "request_id", "position", "<b>", "\ud800"])
def test_unknown_fields(client, name):
    answer = client.post(TICKETS, content=json.dumps({"service": "A", name: 1}), headers=JSON)
    refused(answer, 400, "UNKNOWN_FIELD")


def test_a_body_of_a_megabyte(client):
    body = b'{"service":"' + b"A" * 1_000_000 + b'"}'
    refused(client.post(TICKETS, content=body, headers=JSON), 413, "BODY_TOO_LARGE", limit="65536")


def test_a_body_that_grows_beyond_the_limit_without_having_said_so(client):
    parts = (b" " * 8000 for _ in range(100))
    refused(client.post(TICKETS, content=parts, headers=JSON), 413, "BODY_TOO_LARGE")


def test_a_body_just_within_the_limit_is_read(client):
    body = b"{" + b" " * (64 * 1024 - 3) + b"x}"
    assert len(body) == 64 * 1024
    refused(client.post(TICKETS, content=body, headers=JSON), 400, "NOT_JSON")


def test_a_kecamatan_file_may_be_larger_but_not_without_end(client):
    path = f"/v1/kecamatan/{CODE}"
    wide = b'{"nothing":"' + b"A" * 300_000 + b'"}'
    refused(client.put(path, content=wide, headers=JSON), 400, "UNKNOWN_FIELD", field="nothing")
    wider = b'{"nothing":"' + b"A" * 600_000 + b'"}'
    refused(client.put(path, content=wider, headers=JSON), 413, "BODY_TOO_LARGE", limit="524288")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": 'application/json;x=y; Charset = "latin1"'},
        {"Content-Type": "application/json; charset=utf-8; charset=utf-7"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_a_body_of_another_media_type(client, headers):
    answer = client.post(TICKETS, content=b'{"service":"A"}', headers=headers)
    refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("more", ["; charset=utf-8", ';charset="UTF-8"', "; profile=x", ";"])
def test_a_json_body_may_say_that_it_is_utf_8(client, more):
    headers = {"Content-Type": f"application/json{more}"}
    refused(client.post(TICKETS, content=b"x", headers=headers), 400, "NOT_JSON")


def test_a_body_where_there_is_none_to_be(client):
    answer = client.request("GET", f"/v1/kecamatan/{CODE}", content=b"{}", headers=JSON)
    refused(answer, 400, "INVALID_REQUEST", field="(body)")


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/ticket", "/v1/tickets/a:reorder", "/v2/kecamatan", "/etc/passwd", "/%00"]
)
def test_an_address_that_is_none(client, path):
    refused(client.get(path), 404, "ROUTE_NOT_FOUND")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_a_method_that_is_not_admitted(client, method):
    answer = client.request(method, TICKETS)
    refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "OPTIONS, POST"


def test_an_unknown_or_wrong_query_parameter(client):
    events = f"/v1/kecamatan/{CODE}/days/2026-03-02/events"
    refused(client.get(f"{events}?affter=1"), 400, "INVALID_REQUEST", field="affter")
    refused(client.get(f"{events}?after=one"), 400, "INVALID_REQUEST", field="after")
    refused(client.get("/v1/kecamatan?x=1"), 400, "INVALID_REQUEST", field="x")


@pytest.mark.parametrize("value", ["", "é" * 3, "x" * 129, "a b " * 11 + "a", "a\tb"])
def test_an_unsound_key_or_holder(client, value):
    for name in ("Idempotency-Key", "Tunggu-Holder"):
        headers = {**JSON, name: value.encode("latin-1")}
        answer = client.post(TICKETS, content=b"{}", headers=headers)
        refused(answer, 400, "INVALID_REQUEST", field=name)
        assert "without a space" in answer.json()["why"]


@pytest.mark.parametrize("name", ["Authorization", "Idempotency-Key", "Tunggu-Holder"])
@pytest.mark.parametrize("second", ["Bearer good", "Bearer bad"])
def test_a_header_that_is_given_twice_and_must_not_be(client, name, second):
    headers = [("Content-Type", "application/json"), (name, "Bearer good"), (name.lower(), second)]
    answer = client.post(TICKETS, content=b'{"service":"A"}', headers=headers)
    refused(answer, 400, "INVALID_REQUEST", field=name, why="is given twice")
    refused(client.get("/v1/kecamatan", headers=headers), 400, "INVALID_REQUEST", field=name)


@pytest.mark.parametrize("token", ["Bearer", "Bearer a b", "bearer é", "Bearer\ta"])
def test_a_token_that_cannot_be_one(client, token):
    headers = {"Authorization": token.encode("latin-1")}
    answer = client.get("/v1/tickets/x", headers=headers)
    refused(answer, 401, "TOKEN_INVALID")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_bad_token_passes_on_and_comes_back_as_what_the_queue_says(stack, client):
    headers = {"Authorization": "Bearer forged.token.here"}
    answer = client.post(f"/v1/kecamatan/{CODE}/counters/1:callNext", headers=headers)
    refused(answer, 401, "TOKEN_INVALID")
    assert stack.asked("CallNextTicket")[0][1]["authorization"] == "Bearer forged.token.here"


def test_another_scheme_is_not_ours_and_does_not_pass_on(stack, client):
    client.get(f"/v1/kecamatan/{CODE}", headers={"Authorization": "Basic dXNlcjpwYXNz"})
    assert "authorization" not in stack.asked("GetKecamatan")[0][1]


def test_too_much_before_the_body(client):
    refused(client.get(f"/v1/tickets/{'x' * 5000}"), 414, "URL_TOO_LONG")
    refused(client.get("/v1/kecamatan", params={"x": "y" * 5000}), 414, "URL_TOO_LONG")
    headers = {f"x-{n}": "v" for n in range(80)}
    refused(client.get("/v1/kecamatan", headers=headers), 431, "HEADERS_TOO_LARGE")
    refused(client.get("/v1/kecamatan", headers={"x": "v" * 17_000}), 431, "HEADERS_TOO_LARGE")
    token = {"Authorization": "Bearer " + "t" * 7000}
    refused(client.get("/v1/kecamatan", headers=token), 431, "HEADERS_TOO_LARGE")


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (b"GET /v1/" + b"x" * 60_000, 414, "URL_TOO_LONG"),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 60_000, 431, "HEADERS_TOO_LARGE"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 10_000, 431, "HEADERS_TOO_LARGE"),
        (b"nonsense\r\n\r\n", 400, "INVALID_REQUEST"),
        (b"GET /\xff HTTP/1.1\r\n\r\n", 400, "INVALID_REQUEST"),
        (b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n", 400, "INVALID_REQUEST"),
        (
            b"GET / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            400,
            "INVALID_REQUEST",
        ),
    ],
)
def test_a_head_without_end_or_sense_is_cut_off_with_a_problem(stack, client, sent, status, reason):
    with socket.create_connection(("127.0.0.1", stack.port), timeout=5) as connection:
        connection.sendall(sent)
        said = answer_on(connection)
        refused(said, status, reason)
        assert said.headers["connection"] == "close"


def answer_on(connection):
    """What was answered before the connection was closed, as httpx would show it."""
    with HTTPResponse(connection) as said:
        said.begin()
        headers, content = said.getheaders(), said.read()
        assert int(said.headers["content-length"]) == len(content)
        return httpx.Response(said.status, headers=headers, content=content)


def test_a_problem_of_the_head_is_told_in_the_language_that_it_asked_for(stack, client):
    head = b"GET / HTTP/1.1\r\naccept-language: en\r\nhost: x\r\nno colon\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stack.port), timeout=5) as connection:
        connection.sendall(head)
        said = answer_on(connection)
    refused(said, 400, "INVALID_REQUEST", title="Invalid request", why="this is not HTTP/1.1")


def test_what_a_client_says_amid_a_stream_is_not_answered_and_keeps_nobody_from_the_news(
    stack, client
):
    head = f"GET /v1/streams/kecamatan/{CODE}/board HTTP/1.1\r\nhost: x\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", stack.port), timeout=5) as connection:
        connection.sendall(head)
        said = connection.recv(65536)
        connection.sendall(b"nonsense\r\n\r\n" + b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n")
        stack.do(stack.fake.walk_in())
        while b"A001" not in said:
            said += connection.recv(65536)
    assert said.startswith(b"HTTP/1.1 200")
    assert said.count(b"HTTP/1.1") == 1


def test_a_body_that_never_comes_is_not_asked_for_when_it_is_too_large(stack, client):
    head = f"POST {TICKETS} HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999\r\n"
    with socket.create_connection(("127.0.0.1", stack.port), timeout=5) as connection:
        connection.sendall((head + "expect: 100-continue\r\n\r\n").encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_what_the_queue_cannot_explain_passes_as_500_without_detail(stack, client):
    stack.fake.answers["GetDay"] = "not a message"
    answer = client.get(f"/v1/kecamatan/{CODE}/days/2026-03-02")
    refused(answer, 500, "INTERNAL")
    assert "detail" not in answer.json()


def test_an_unknown_kecamatan_or_ticket_passes_as_404(client):
    refused(client.get("/v1/kecamatan/99.99.99"), 404, "KECAMATAN_NOT_FOUND", kecamatan="99.99.99")
    refused(client.get("/v1/tickets/nobodys"), 404, "TICKET_NOT_FOUND")
