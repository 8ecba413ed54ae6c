"""Streams over real HTTP, against a queue that changes, drains and goes away."""

import json
import socket
import time
from contextlib import contextmanager

import pytest

from services.chassis.errors import Problem
from tests.gateway.fake_queue import CODE
from tests.gateway.stack import Stack

BOARD = f"/v1/streams/kecamatan/{CODE}/board"
TICKETS = f"/v1/kecamatan/{CODE}/tickets"


class Events:
    """Reads a stream: dicts of its fields, heartbeats and all."""

    def __init__(self, response):
        self.lines = response.iter_lines()

    def next(self):
        event = {}
        for line in self.lines:
            if not line:
                return event
            name, _, value = line.partition(":")
            event[name or "comment"] = value.strip()
        return None

    def named(self, name):
        """The next event of a name, heartbeats left out."""
        while (event := self.next()) is not None:
            if event.get("event") == name:
                return event
        return None


@contextmanager
def watching(client, path, last=None):
    headers = {"Last-Event-ID": last} if last else {}
    with client.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200, response.read()
        yield Events(response), response


def take(client):
    return client.post(TICKETS, json={"service": "A"}).json()["ticket"]


def until(check):
    for _ in range(200):
        if check():
            return True
        time.sleep(0.02)
    return False


def test_a_board_stream_begins_with_the_time_to_come_back_and_the_board(client):
    with watching(client, BOARD) as (events, response):
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"
        assert 2000 <= int(events.next()["retry"]) <= 5000
        event = events.next()
        assert event["event"] == "board"
        assert event["data"] == client.get(f"/v1/kecamatan/{CODE}/board").text
        assert event["id"] == f"2026-03-02/{json.loads(event['data'])['event']}"
        take(client)
        assert json.loads(events.named("board")["data"])["services"][0]["waiting"] == ["A001"]


def test_head_answers_as_get_would_without_the_stream(client):
    ticket = take(client)
    for path in (BOARD, f"/v1/streams/tickets/{ticket['id']}", "/v1/streams/city"):
        head = client.head(path)
        with client.stream("GET", path) as got:
            assert (head.status_code, got.status_code) == (200, 200)
            for name in ("content-type", "cache-control"):
                assert head.headers[name] == got.headers[name]
    for path in ("/v1/streams/tickets/nobodys", "/v1/streams/kecamatan/99.99.99/board"):
        assert client.head(path).status_code == client.get(path).status_code == 404
    assert client.head(f"{BOARD}?x=1").status_code == 400


def test_heartbeats_keep_a_quiet_stream_open(client):
    with watching(client, BOARD) as (events, _):
        events.named("board")
        assert events.next() == {"comment": "heartbeat"}
        assert events.next() == {"comment": "heartbeat"}


def test_who_comes_back_gets_the_present_board_or_nothing_if_it_has_it(client):
    with watching(client, BOARD) as (events, _):
        last = events.named("board")["id"]
    with watching(client, BOARD, last) as (events, _):
        assert "retry" in events.next()
        assert events.next() == {"comment": "heartbeat"}
    take(client)
    with watching(client, BOARD, last) as (events, _):
        assert events.named("board")["id"] != last


def test_all_watchers_of_an_office_share_one_stream_of_the_queue(stack, client):
    assert until(lambda: stack.fake.watching == 0)
    before = stack.fake.watched
    with watching(client, BOARD) as (one, _), watching(client, BOARD) as (two, _):
        first, second = one.named("board"), two.named("board")
        assert first == second
        assert stack.fake.watching == 1
    with watching(client, BOARD) as (events, _):
        events.named("board")
    assert stack.fake.watched == before + 1
    assert until(lambda: stack.fake.watching == 0)


def test_a_queue_replica_that_drains_is_followed_by_another_stream(stack, client):
    with watching(client, BOARD) as (events, _):
        events.named("board")
        before = stack.fake.watched
        stack.fake.end_streams = True
        stack.do(stack.fake.told())
        stack.fake.end_streams = False
        assert until(lambda: stack.fake.watched > before)
        take(client)
        assert events.named("board")


def test_a_queue_that_is_gone_is_told_and_so_is_its_return():
    with (
        Stack(heartbeat=30.0, stale=0.1) as own,
        own.client() as client,
        watching(client, BOARD) as (events, _),
    ):
        first = events.named("board")
        own.do(own.stop_queue())
        assert events.next() == {"event": "stale", "data": "{}"}
        own.do(own.start_queue())
        assert events.next() == {"event": "fresh", "data": "{}"}
        take(client)
        assert events.named("board")["id"] != first["id"]


@pytest.mark.parametrize("path", ["/v1/streams/kecamatan/99.99.99/board", "/v1/streams/tickets/no"])
def test_an_unknown_office_or_ticket_is_refused_before_a_stream_begins(client, path):
    answer = client.get(path, headers={"Accept": "text/event-stream"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_ticket_stream_gives_the_json_of_its_get_as_the_ticket_moves(stack, client):
    first, mine = take(client), take(client)
    path = f"/v1/tickets/{mine['id']}"
    with watching(client, f"/v1/streams{path[3:]}") as (events, _):
        shown = events.named("ticket")
        assert shown["data"] == client.get(path).text
        assert json.loads(shown["data"])["ahead"] == 1
        ids = [shown["id"]]
        stack.do(stack.fake.call_next("1"))
        shown = events.named("ticket")
        assert shown["data"] == client.get(path).text
        assert json.loads(shown["data"])["ahead"] == 0
        ids.append(shown["id"])
        stack.do(stack.fake.call_next("2"))
        shown = events.named("ticket")
        assert json.loads(shown["data"])["state"] == "CALLED"
        assert json.loads(shown["data"])["counter"] == "2"
        ids.append(shown["id"])
    assert len(set(ids)) == 3
    assert {one.rpartition("/")[0] for one in ids[:2]} == {f"2026-03-02/{mine['event']}"}
    assert first["number"] == "A001"


def test_a_ticket_stream_ends_with_its_ticket_and_need_not_be_asked_for_again(client):
    mine = take(client)
    path = f"/v1/streams/tickets/{mine['id']}"
    with watching(client, path) as (events, _):
        events.named("ticket")
        client.post(f"/v1/tickets/{mine['id']}:cancel")
        last = events.named("ticket")
        assert json.loads(last["data"])["state"] == "CANCELLED"
        assert events.named("ticket") is None
    with watching(client, path, "2026-03-02/1/old") as (events, _):
        assert events.named("ticket") == last
        assert events.named("ticket") is None
    assert client.get(path, headers={"Last-Event-ID": last["id"]}).status_code == 204


def test_a_ticket_whose_day_is_over_gets_its_last_state_from_the_queue(stack, client):
    mine = take(client)
    with watching(client, f"/v1/streams/tickets/{mine['id']}") as (events, _):
        events.named("ticket")
        stack.fake.tickets[mine["id"]].state = 8
        stack.fake.tickets[mine["id"]].event += 1
        stack.fake.day = "2026-03-03"
        stack.do(stack.fake.changed())
        assert json.loads(events.named("ticket")["data"])["state"] == "LAPSED"
        assert events.named("ticket") is None


def test_what_a_shared_feed_asks_for_one_holder_carries_no_other_ones_token(stack, client):
    assert until(lambda: stack.fake.watching == 0)
    first, second = take(client), take(client)
    paths = [f"/v1/streams/tickets/{ticket['id']}" for ticket in (first, second)]
    with (
        stack.client(headers={"authorization": "Bearer good"}) as officer,
        watching(officer, paths[0]) as (own, _),
        watching(client, paths[1]) as (other, _),
    ):
        own.named("ticket")
        other.named("ticket")
        stack.fake.calls.clear()
        stack.fake.day = "2026-03-03"
        stack.do(stack.fake.changed())
        assert own.named("ticket")["id"]
        assert other.named("ticket")["id"]
        asked = stack.asked("GetTicket")
    assert {request.ticket_id for request, _ in asked} == {first["id"], second["id"]}
    assert not [metadata for _, metadata in asked if "authorization" in metadata]
    watched = stack.asked("WatchBoard")
    assert not [metadata for _, metadata in watched if "authorization" in metadata]


def test_the_city_is_asked_for_at_most_once_a_second_and_sent_when_it_differs(stack, client):
    with watching(client, "/v1/streams/city") as (one, _):
        first = one.named("city")
        with watching(client, "/v1/streams/city") as (two, _):
            assert two.named("city") == first
        assert first["data"] == client.get("/v1/kecamatan").text
        time.sleep(1.3)
        stack.fake.calls.clear()
        take(client)
        assert json.loads(one.named("city")["data"])["kecamatan"][0]["waiting"] == 1
        assert len(stack.asked("ListKecamatan")) <= 2
    with watching(client, "/v1/streams/city", first["id"]) as (events, _):
        assert events.named("city")["id"] != first["id"]


def test_a_city_that_cannot_be_had_is_a_problem_before_the_stream_begins(stack, client):
    time.sleep(0.5)
    stack.fake.refusals["ListKecamatan"].extend([Problem("REDIS_UNAVAILABLE")] * 20)
    answer = client.get("/v1/streams/city")
    assert (answer.status_code, answer.json()["reason"]) == (503, "REDIS_UNAVAILABLE")


def test_a_client_that_does_not_read_is_dropped_and_the_others_are_not(stack, client):
    stack.fake.filler = "x" * 200_000
    with socket.socket() as slow, watching(client, BOARD) as (events, _):
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", stack.port))
        slow.sendall(f"GET {BOARD} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        events.named("board")
        for _ in range(60):
            stack.do(stack.fake.changed())
            events.named("board")
        slow.settimeout(10)
        got = b"".join(iter(lambda: slow.recv(1 << 20), b""))
        assert len(got) < 30 * 200_000
        assert not got.endswith(b"0\r\n\r\n")
        stack.do(stack.fake.changed())
        assert events.named("board")


def test_a_gateway_that_ends_says_when_to_come_back_and_closes_its_streams():
    with Stack() as own, own.client() as client, watching(client, BOARD) as (events, _):
        events.named("board")
        own.loop.call_soon_threadsafe(setattr, own.server, "should_exit", True)
        assert 2000 <= int(events.next()["retry"]) <= 5000
        assert events.next() is None


def test_a_gateway_that_leaves_is_unready_first_and_still_answers_for_a_while():
    with Stack(drain_delay=1.0) as own, own.client() as client:
        assert client.get("/readyz").status_code == 200
        own.loop.call_soon_threadsafe(setattr, own.server, "should_exit", True)
        assert until(lambda: client.get("/readyz").status_code == 503)
        assert client.get("/v1/kecamatan").status_code == 200
