"""The fan-out on real connections: clients that are slow, rude, old or gone, and too many."""

import socket
import struct
import time
from contextlib import ExitStack, contextmanager

import pytest
from prometheus_client import REGISTRY

from tests.gateway.fake_queue import CODE
from tests.gateway.stack import Stack

BOARD = f"/v1/streams/kecamatan/{CODE}/board"
PATIENCE = 20.0


class Raw:
    """A connection that says what it is told and keeps what it hears."""

    def __init__(self, stack, receive=None):
        self.socket = socket.socket()
        if receive:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", stack.port))
        self.heard = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, path, version="1.1", method="GET", **headers):
        lines = [f"{method} {path} HTTP/{version}", "host: x"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        return self

    def until(self, text):
        """Reads until `text` has come, and forgets it with all before it."""
        while text not in self.heard:
            part = self.socket.recv(1 << 20)
            assert part, f"{text!r} never came"
            self.heard += part
        before, _, self.heard = self.heard.partition(text)
        return before + text

    def rest(self):
        """All up to the end."""
        while part := self.socket.recv(1 << 20):
            self.heard += part
        return self.heard

    def reset(self):
        """Vanishes without a goodbye."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@contextmanager
def watching(stack, count=1, **headers):
    """Clients that have the head and the first frame."""
    with ExitStack() as open_:
        clients = [open_.enter_context(Raw(stack)).ask(BOARD, **headers) for _ in range(count)]
        for client in clients:
            client.until(b"event: board\n")
            client.until(b"\n\n")
        yield clients


def watchers(stream="board"):
    return REGISTRY.get_sample_value("tunggu_gateway_watchers", {"stream": stream})


def until(check):
    end = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def quiet(stack, client):
    """A gateway that nobody watches."""
    until(lambda: not watchers())
    return stack


def number_of(stack):
    """Makes a change; what its frame has in it."""
    stack.do(stack.fake.changed())
    return b'"event":%d,' % stack.fake.event


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_stream_is_not_cut_into_chunks_and_ends_with_its_connection(quiet, version):
    with Raw(quiet) as raw:
        head = raw.ask(BOARD, version).until(b"\r\n\r\n").lower()
        assert head.startswith(b"http/1.1 200 ok\r\n")
        assert head.count(b"connection: close\r\n") == 1
        assert b"transfer-encoding" not in head
        assert b"content-length" not in head
        assert b"\r\ndate: " in head
        assert b"\r\nx-request-id: " in head
        assert raw.until(b"\n\n").startswith(b"retry: ")
        assert raw.until(b"\n\n").startswith(b"event: board\n")


def test_a_connection_that_was_kept_alive_may_become_a_stream_but_serves_nothing_after(quiet):
    with Raw(quiet) as raw:
        for _ in range(2):
            raw.ask("/version").until(b"}")
        raw.ask(BOARD).until(b"event: board\n")
        raw.ask("/version")
        raw.until(number_of(quiet))
        assert b"HTTP/1.1" not in raw.heard


def test_a_request_behind_one_for_a_stream_is_not_answered_and_the_end_is_still_seen(quiet):
    with Raw(quiet) as raw:
        request = f"GET {BOARD} HTTP/1.1\r\nhost: x\r\n\r\n"
        raw.socket.sendall((request + request.replace(BOARD, "/version")).encode())
        raw.until(b"event: board\n")
        until(lambda: watchers() == 1)
    until(lambda: not watchers())


def test_head_of_a_stream_keeps_its_connection(quiet):
    with Raw(quiet) as raw:
        head = raw.ask(BOARD, method="HEAD").until(b"\r\n\r\n")
        assert b"content-type: text/event-stream" in head
        assert b"connection: close" not in head
        assert raw.ask("/version").until(b"}").startswith(b"HTTP/1.1 200")
    assert not watchers()


def test_who_will_send_no_more_gets_what_was_written_and_gives_its_place_back(quiet):
    with Raw(quiet) as raw:
        raw.ask(BOARD).until(b"event: board\n")
        raw.socket.shutdown(socket.SHUT_WR)
        assert raw.rest().endswith(b"\n\n")
    until(lambda: not watchers())


def test_watchers_that_vanish_amid_frames_do_not_keep_the_others_from_any_last_one(quiet):
    with watching(quiet, 60) as clients:
        for client in clients[::2]:
            quiet.do(quiet.fake.changed())
            client.reset()
        last = number_of(quiet)
        for client in clients[1::2]:
            client.until(last)
        until(lambda: watchers() == 30)
    until(lambda: not watchers())


def test_who_does_not_read_is_dropped_with_little_kept_for_it_and_the_others_miss_nothing(quiet):
    before = REGISTRY.get_sample_value("tunggu_gateway_dropped_total", {"stream": "board"}) or 0
    size = 50_000
    quiet.fake.filler = "x" * size
    with Raw(quiet, receive=4096) as slow, watching(quiet, 3) as others:
        slow.ask(BOARD)
        until(lambda: watchers() == 4)
        sent = 0
        while watchers() == 4:
            frame = number_of(quiet)
            sent += 1
            for other in others:
                other.until(frame)
                other.until(b"\n\n")
            assert sent < 200
        assert len(slow.rest()) < 20 * size
        for other in others:
            other.until(number_of(quiet))
    after = REGISTRY.get_sample_value("tunggu_gateway_dropped_total", {"stream": "board"})
    assert after == before + 1
    quiet.fake.filler = ""


def test_streams_have_places_in_all_and_by_address_and_a_refusal_says_when_to_come_back():
    with (
        Stack(streams=3, streams_by_address=2) as own,
        own.client(headers={"accept-language": "en"}) as client,
        watching(own, 2) as clients,
    ):
        refused = client.get(BOARD)
        assert (refused.status_code, refused.json()["reason"]) == (429, "TOO_MANY_STREAMS")
        assert int(refused.headers["retry-after"]) >= 10
        assert refused.headers["retry-after"] in refused.json()["detail"]
        assert client.head(BOARD).status_code == 429
        assert client.get(f"/v1/kecamatan/{CODE}/board").status_code == 200
        clients[0].reset()
        until(lambda: client.head(BOARD).status_code == 200)
        clients[1].until(number_of(own))
    with Stack(streams=1) as own, own.client() as client, watching(own):
        refused = client.get(BOARD)
        assert (refused.status_code, refused.json()["reason"]) == (503, "STREAMS_EXHAUSTED")
        assert int(refused.headers["retry-after"]) >= 10


@pytest.mark.parametrize("path", ["/v1/streams/tickets/nobodys", f"{BOARD}?x=1"])
def test_a_stream_that_is_refused_takes_no_place(path):
    with Stack(streams=1) as own, own.client() as client:
        for _ in range(3):
            assert client.get(path).status_code in (400, 404)
        with watching(own):
            pass


def test_holders_that_come_at_once_are_asked_about_a_few_at_a_time(quiet):
    ticket = quiet.do(quiet.fake.walk_in())
    quiet.fake.delays["GetTicket"] = 0.5
    with ExitStack() as open_:
        raws = [open_.enter_context(Raw(quiet)) for _ in range(100)]
        for raw in raws:
            raw.ask(f"/v1/streams/tickets/{ticket.id}")
        until(lambda: quiet.asked("GetTicket"))
        time.sleep(0.2)
        first = len(quiet.asked("GetTicket"))
        for raw in raws:
            raw.until(b"event: ticket\n")
        assert len(quiet.asked("GetTicket")) == 100
        assert first < 100
    until(lambda: not watchers("ticket"))


def test_a_gateway_that_leaves_asks_its_clients_to_go_on_elsewhere():
    with Stack(drain_delay=2.0) as own, own.client() as client:
        assert "connection" not in client.get("/version").headers
        own.loop.call_soon_threadsafe(setattr, own.server, "should_exit", True)
        until(lambda: client.get("/readyz").status_code == 503)
        for path in ("/version", "/readyz", "/v1/nothing"):
            assert client.get(path).headers["connection"] == "close"
        with Raw(own) as raw:
            head = raw.ask(BOARD).until(b"\r\n\r\n")
            assert head.count(b"connection: close") == 1
            assert raw.rest().rpartition(b"\n\n")[0].rpartition(b"\n\n")[2].startswith(b"retry: ")
