"""The API over real HTTP: what a client sends, what the queue gets, what comes back."""

import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.chassis.errors import Problem
from tests.gateway.fake_queue import CODE
from tunggu.queue.v1 import kecamatan_pb2, queue_pb2

TICKETS = f"/v1/kecamatan/{CODE}/tickets"


def take(client, **headers):
    answer = client.post(TICKETS, json={"service": "A"}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()["ticket"]


def test_taking_a_number_answers_201_with_the_ticket(client):
    ticket = take(client)
    assert ticket["number"] == "A001"
    assert ticket["state"] == "WAITING"
    assert ticket["issuedAt"] == "2026-03-02T02:00:00.123Z"
    assert client.get(f"/v1/tickets/{ticket['id']}").json() == ticket


def test_a_public_number_goes_by_batch_and_one_with_a_token_or_channel_on_its_own(stack, client):
    take(client)
    client.post(TICKETS, json={"service": "A", "channel": "WEB"})
    assert len(stack.asked("BatchCreateTickets")) == 2
    for channel in ("KIOSK", "DESK", "WHATSAPP", "CHANNEL_KIOSK"):
        client.post(TICKETS, json={"service": "A", "channel": channel})
    take(client, Authorization="Bearer good")
    assert len(stack.asked("BatchCreateTickets")) == 2
    assert len(stack.asked("CreateTicket")) == 5
    assert stack.asked("CreateTicket")[4][1]["authorization"] == "Bearer good"
    assert "authorization" not in stack.asked("BatchCreateTickets")[0][1]


def test_many_at_once_share_batches_and_each_gets_its_own_number(stack, client):
    stack.fake.delays["BatchCreateTickets"] = 0.02
    with ThreadPoolExecutor(40) as pool:
        numbers = list(pool.map(lambda _: take(client)["number"], range(80)))
    assert sorted(numbers) == [f"A{n:03}" for n in range(1, 81)]
    assert len(stack.fake.batches) < 60


def test_a_refused_item_of_a_batch_is_the_problem_that_a_single_call_gives(client):
    wish = {"service": "Z"}
    batched = client.post(TICKETS, json=wish)
    single = client.post(TICKETS, json=wish, headers={"Authorization": "Bearer good"})
    assert batched.status_code == single.status_code == 404
    assert {**batched.json(), "instance": ""} == {**single.json(), "instance": ""}
    exhausted = client.post(TICKETS, json={"service": "Q"})
    assert exhausted.status_code == 429
    assert int(exhausted.headers["retry-after"]) >= 1


def test_the_idempotency_key_and_the_holder_reach_the_queue(stack, client):
    headers = {"Idempotency-Key": "k" * 22, "Tunggu-Holder": "phone-1"}
    first, second = take(client, **headers), take(client, **headers)
    assert first == second
    item = stack.asked("BatchCreateTickets")[0][0].requests[0]
    assert (item.request_id, item.holder, item.kecamatan) == ("k" * 22, "phone-1", CODE)


@pytest.mark.parametrize("reason", ["OUTCOME_UNKNOWN", "REDIS_UNAVAILABLE"])
def test_a_keyless_mutation_is_repeated_by_the_gateway_with_one_and_the_same_id(
    stack, client, reason
):
    ticket = take(client)
    stack.fake.refusals["CancelTicket"].append(Problem(reason))
    answer = client.post(f"/v1/tickets/{ticket['id']}:cancel")
    assert answer.json()["ticket"]["state"] == "CANCELLED"
    first, second = (request.request_id for request, _ in stack.asked("CancelTicket"))
    assert first == second
    assert len(first) == 22


def test_an_item_of_unknown_outcome_is_repeated_with_one_and_the_same_id(stack, client):
    stack.fake.refusals["item"].append(Problem("OUTCOME_UNKNOWN"))
    assert take(client)["number"] == "A001"
    first, second = (request.requests[0] for request, _ in stack.asked("BatchCreateTickets"))
    assert first.request_id == second.request_id


def test_an_outcome_that_stays_unknown_is_told_with_a_time_to_come_back(stack, client):
    stack.fake.refusals["CheckInTicket"].extend([Problem("OUTCOME_UNKNOWN")] * 20)
    answer = client.post("/v1/tickets/x:checkIn", headers={"Accept-Language": "en"})
    assert answer.status_code == 503
    assert answer.json()["reason"] == "OUTCOME_UNKNOWN"
    assert 1 <= int(answer.headers["retry-after"]) <= 3
    assert "same request id" in answer.json()["detail"]


def test_a_refusal_by_the_rule_is_not_repeated(stack, client):
    answer = client.post(f"/v1/kecamatan/{CODE}/counters/1:callNext")
    assert (answer.status_code, answer.json()["reason"]) == (409, "NOBODY_WAITING")
    assert len(stack.asked("CallNextTicket")) == 1


def test_metadata_of_a_problem_are_members_of_the_document(stack, client):
    stack.fake.refusals["item"].append(Problem("LIVE_TICKET_EXISTS", {"ticketId": "abc"}))
    answer = client.post(TICKETS, json={"service": "A"})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["ticketId"] == "abc"
    assert answer.json()["type"] == "urn:tunggu:problem:LIVE_TICKET_EXISTS"


def test_problems_are_indonesian_unless_english_is_asked_for(client):
    indonesian = client.get("/v1/tickets/x", headers={"Accept-Language": "de"})
    english = client.get("/v1/tickets/x", headers={"Accept-Language": "en-US,en;q=0.9"})
    assert indonesian.headers["content-language"] == "id"
    assert english.headers["content-language"] == "en"
    assert english.json()["title"] == "No such ticket"
    assert indonesian.json()["title"] != english.json()["title"]


def test_a_sound_request_id_is_kept_passed_on_and_returned(stack, client):
    answer = client.get("/v1/tickets/x", headers={"X-Request-Id": "trace-0001"})
    assert answer.headers["x-request-id"] == "trace-0001"
    assert answer.json()["instance"] == "trace-0001"
    assert stack.asked("GetTicket")[0][1]["x-request-id"] == "trace-0001"


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "a b c d e f", "ééééééééé", "<script>x"])
def test_an_unsound_request_id_is_replaced(stack, client, given):
    answer = client.get("/v1/tickets/x", headers={"X-Request-Id": given.encode("latin-1")})
    assert answer.status_code == 404
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])


def test_the_board_has_an_etag_and_is_not_sent_twice(client):
    path = f"/v1/kecamatan/{CODE}/board"
    first = client.get(path)
    assert first.headers["content-type"] == "application/json"
    assert first.headers["cache-control"] == "max-age=1"
    etag = first.headers["etag"]
    for condition in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        again = client.get(path, headers={"If-None-Match": condition})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    take(client)
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_what_never_changes_may_be_kept_for_ever_and_the_rest_not_at_all(stack, client):
    answers = stack.fake.answers
    answers["GetPolicy"] = queue_pb2.GetPolicyResponse(body=b"{}", content_type="application/json")
    day = f"/v1/kecamatan/{CODE}/days/2026-03-01"
    for closed, caching in ((True, "public, max-age=31536000, immutable"), (False, "no-store")):
        answers["GetDay"] = queue_pb2.GetDayResponse(day=queue_pb2.Day(closed=closed))
        assert client.get(day).headers["cache-control"] == caching
    policy = client.get(f"/v1/kecamatan/{CODE}/policies/{'a' * 64}")
    assert policy.headers["cache-control"].endswith("immutable")
    assert client.get("/v1/kecamatan").headers["cache-control"] == "no-store"


def test_leaves_come_as_the_bytes_that_the_queue_made(stack, client):
    leaves = b'{"v":1}\n{"v":1}\n'
    stack.fake.answers["ListEvents"] = queue_pb2.ListEventsResponse(
        body=leaves, content_type="application/x-ndjson"
    )
    answer = client.get(f"/v1/kecamatan/{CODE}/days/2026-03-02/events?after=5&pageSize=2")
    assert answer.content == leaves
    assert answer.headers["content-type"] == "application/x-ndjson"
    request = stack.asked("ListEvents")[0][0]
    assert (request.day, request.after, request.page_size) == ("2026-03-02", 5, 2)


def test_a_kecamatan_file_is_put_whole_and_answers_200(stack, client):
    office = kecamatan_pb2.Office(code=CODE)
    stack.fake.answers["ApplyKecamatan"] = kecamatan_pb2.ApplyKecamatanResponse(kecamatan=office)
    spec = {"code": CODE, "rule": {"skip": {"after": "90s"}, "return": {"times": 1}}}
    file = {"apiVersion": "tunggu.makassarkota.go.id/v1alpha1", "kind": "Kecamatan", "spec": spec}
    answer = client.put(f"/v1/kecamatan/{CODE}", json=file)
    assert answer.status_code == 200
    assert answer.json()["kecamatan"]["code"] == CODE
    request = stack.asked("ApplyKecamatan")[0][0]
    assert request.file.spec.rule.skip.after.seconds == 90
    assert len(request.request_id) == 22
    assert client.delete(f"/v1/kecamatan/{CODE}").json() == {}


def test_head_is_get_without_the_body(client):
    path = f"/v1/kecamatan/{CODE}/board"
    get, head = client.get(path), client.head(path)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == get.headers["content-length"]
    assert head.headers["etag"] == get.headers["etag"]
    stream = client.head(f"/v1/streams/kecamatan/{CODE}/board")
    assert stream.headers["content-type"].startswith("text/event-stream")


def test_options_says_what_is_admitted(client):
    answer = client.options(f"/v1/kecamatan/{CODE}")
    assert (answer.status_code, answer.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PUT")
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_of_a_configured_origin_may_call_and_no_other(client):
    asked = {"Access-Control-Request-Method": "POST"}
    good = client.options(TICKETS, headers={"Origin": "https://kota.example", **asked})
    assert good.headers["access-control-allow-origin"] == "https://kota.example"
    assert good.headers["access-control-allow-methods"] == "OPTIONS, POST"
    assert "Tunggu-Holder" in good.headers["access-control-allow-headers"]
    bad = client.options(TICKETS, headers={"Origin": "https://evil.example", **asked})
    assert not [name for name in bad.headers if name.startswith("access-control")]
    answer = client.get("/v1/tickets/x", headers={"Origin": "https://kota.example"})
    assert answer.headers["access-control-allow-origin"] == "https://kota.example"
    assert "Origin" in answer.headers.get_list("vary")


def test_the_process_answers_for_itself(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.get("/version").json() == {"version": "0.1.0"}
    assert client.get("/metrics").status_code == 404
    assert client.post("/healthz").status_code == 405


def test_the_log_names_routes_and_never_an_id(client, caplog):
    caplog.set_level("INFO")
    ticket = take(client)
    client.get(f"/v1/tickets/{ticket['id']}", headers={"Tunggu-Holder": "phone-1"})
    client.get(f"/v1/nothing/{ticket['id']}")
    ours = [record for record in caplog.records if record.name != "httpx"]
    lines = [record for record in ours if record.name == "services.gateway.access"]
    shown = [(line.fields["method"], line.fields["route"], line.fields["status"]) for line in lines]
    assert shown == [
        ("POST", "/v1/kecamatan/{kecamatan}/tickets", 201),
        ("GET", "/v1/tickets/{ticket_id}", 200),
        ("GET", "(none)", 404),
    ]
    everything = "\n".join(str(vars(record)) for record in ours)
    assert ticket["id"] not in everything
    assert "phone-1" not in everything


def test_a_client_that_hangs_up_before_its_request_is_sent_gets_no_number(stack, client):
    stack.fake.delays["BatchCreateTickets"] = 0.5
    with ThreadPoolExecutor(2) as pool:
        ahead = [pool.submit(take, client) for _ in range(2)]
        while len(stack.asked("BatchCreateTickets")) < 2:
            time.sleep(0.01)
        body = b'{"service":"A"}'
        head = f"POST {TICKETS} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n"
        with socket.create_connection(("127.0.0.1", stack.port)) as gone:
            gone.sendall(head.encode() + b"content-type: application/json\r\n\r\n" + body)
            time.sleep(0.1)
        assert sorted(one.result()["number"] for one in ahead) == ["A001", "A002"]
    take(client)
    assert len(stack.fake.tickets) == 3
