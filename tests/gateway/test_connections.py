"""Raw sockets at a gateway: what comes slowly, in heaps or as garbage hurts nobody else."""

import contextlib
import os
import socket
import time

import pytest

from services.gateway import entrance, exchange, server
from services.gateway.config import GatewayConfig
from services.gateway.crowd import CUT
from tests.gateway.fake_queue import CODE
from tests.gateway.garbage import GARBAGE, GET, TICKETS, post
from tests.gateway.stack import Stack

PAGE = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
STREAM = f"GET /v1/streams/kecamatan/{CODE}/board HTTP/1.1\r\nhost: x\r\n\r\n".encode()


@contextlib.contextmanager
def reaching(stack, *sent):
    with socket.create_connection(("127.0.0.1", stack.port), timeout=20) as connection:
        for part in sent:
            connection.sendall(part)
        yield connection


def rest(connection):
    """All until the end; that the other side may simply drop it counts as an end."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65536):
            said += part
    return said


def answered(connection, times=1):
    said = b""
    while said.count(b'{"status":"ok"}') < times:
        part = connection.recv(65536)
        assert part, said
        said += part
    return said


def cut(cause):
    return CUT.labels(cause)._value.get()


@pytest.fixture
def hurried(monkeypatch):
    """A gateway whose deadlines are short; the tests wait for them to pass, however long."""
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(server, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(server, "LINGER_SECONDS", 0.3)
    monkeypatch.setattr(exchange, "BODY_SECONDS", 0.3)


# --- slow ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP", GET[:-2], b"\r\n", b"\r\n\r\n"])
@pytest.mark.parametrize("before", [b"", GET])
def test_a_head_must_come_in_time_also_after_another_request(stack, hurried, sent, before):
    had = cut("slow_head")
    with reaching(stack, before) as connection:
        if before:
            answered(connection)
        connection.sendall(sent)
        if sent or not before:
            assert rest(connection) == b""
            assert cut("slow_head") == had + 1


def test_a_head_that_trickles_is_not_given_more_time(stack, hurried):
    with reaching(stack, GET) as connection:
        answered(connection)
        connection.settimeout(0.05)
        with contextlib.suppress(ConnectionError):
            for _ in range(400):
                connection.sendall(b"\r\n")
                with contextlib.suppress(TimeoutError):
                    assert connection.recv(100) == b""
                    break
            else:
                pytest.fail("it stays open")


@pytest.mark.parametrize("sent", [b"", b"{", b'{"service":'])
def test_a_body_must_come_in_time(stack, hurried, sent):
    with reaching(stack, post(50, sent)) as connection:
        said = rest(connection)
    assert said.startswith(b"HTTP/1.1 408")
    assert b"BODY_TOO_SLOW" in said


def test_a_body_that_is_too_large_and_slow_is_refused_all_the_same(stack, hurried):
    with reaching(stack, post(10_000_000, b"{")) as connection:
        assert rest(connection).startswith(b"HTTP/1.1 413")


def test_a_body_that_keeps_coming_earns_its_time(stack, hurried, monkeypatch, client):
    monkeypatch.setattr(exchange, "BODY_RATE", 1)  # each byte a second
    with reaching(stack, post(15, b'{"servic')) as connection:
        time.sleep(0.6)
        connection.sendall(b'e":"A"}')
        assert connection.recv(100).startswith(b"HTTP/1.1 201")


def test_who_does_not_read_the_answers_is_cut_off(stack, hurried, caplog):
    had = cut("slow_reader")
    whole = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 60
    with reaching(stack, whole) as connection:
        for _ in range(200):
            if cut("slow_reader") > had:
                break
            time.sleep(0.1)
        assert cut("slow_reader") > had
        rest(connection)
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


# --- heaps --------------------------------------------------------------------------------------


def test_some_requests_may_be_pipelined_and_are_answered_in_order(stack):
    with reaching(stack, GET * 20) as connection:
        said = answered(connection, 20)
    assert said.count(b"HTTP/1.1 200") == 20


def test_a_flood_of_pipelined_requests_ends_the_connection(stack):
    had = cut("pipelined")
    with reaching(stack, GET * 5000) as connection:
        rest(connection)
    assert cut("pipelined") == had + 1


@pytest.mark.parametrize(
    "tail",
    [
        b"0\r\n" + b"a: b\r\n" * 50_000,
        b"0\r\na: " + b"b" * 300_000,
        b"1;" + b"x" * 300_000,
    ],
)
def test_what_frames_a_body_is_bounded_too(stack, tail):
    head = f"POST {TICKETS} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    with reaching(stack, head.encode()) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(tail)
        said = rest(connection)
        assert said == b"" or said.startswith(b"HTTP/1.1 4")


def test_a_body_that_nobody_reads_does_not_keep_a_connection_open(stack, hurried):
    head = b"GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n"
    with reaching(stack, head) as connection:
        said, part = b"", b"x" * 4096
        with contextlib.suppress(ConnectionError):
            connection.settimeout(0.02)
            for _ in range(1000):
                connection.sendall(part)
                with contextlib.suppress(TimeoutError):
                    said += (more := connection.recv(65536))
                    if not more:
                        break
            else:
                pytest.fail("it stays open")
        assert said.count(b"HTTP/1.1") == 1


# --- how many -----------------------------------------------------------------------------------


def test_one_that_rests_makes_room_for_one_that_comes():
    with Stack(connections=3) as own:
        had = cut("idle")
        with contextlib.ExitStack() as open_:
            idle = [open_.enter_context(reaching(own, GET)) for _ in range(3)]
            for connection in idle:
                answered(connection)
            with reaching(own, GET) as another:
                answered(another)
            assert rest(idle[0]) == b""
            idle[2].sendall(GET)
            answered(idle[2])
        assert cut("idle") > had


def test_when_all_are_busy_others_are_told_so_and_staff_is_served(staff_key):
    keys, token = staff_key
    with Stack(connections=2, jwks=str(keys)) as own, contextlib.ExitStack() as open_:
        for _ in range(2):
            watching = open_.enter_context(reaching(own, STREAM))
            assert watching.recv(100).startswith(b"HTTP/1.1 200")
        with reaching(own, PAGE) as visitor:
            said = rest(visitor)
        assert said.startswith(b"HTTP/1.1 503")
        assert b"OVERLOADED" in said
        assert b"retry-after:" in said
        badge = b"GET / HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %s\r\n\r\n" % token.encode()
        with reaching(own, badge) as kiosk:
            assert rest(kiosk).startswith(b"HTTP/1.1 200")
        with reaching(own, GET) as probe:
            assert rest(probe).startswith(b"HTTP/1.1 200")


def test_a_stream_keeps_its_seat_until_its_client_is_gone():
    with Stack(connections_by_address=1) as own:
        with reaching(own, STREAM) as watching:
            assert watching.recv(100).startswith(b"HTTP/1.1 200")
            with reaching(own) as another:
                assert rest(another).startswith(b"HTTP/1.1 503")
        for _ in range(100):
            with reaching(own, GET) as another:
                said = another.recv(100)
            if said.startswith(b"HTTP/1.1 200"):
                return
            time.sleep(0.1)
        pytest.fail("its seat stays taken")


def test_a_stream_outlives_the_deadlines_of_requests(stack, hurried):
    with reaching(stack, STREAM) as watching:
        said = watching.recv(100)
        for _ in range(4):  # heartbeats, 0.2 s apart
            said += watching.recv(65536)
    assert said.count(b"heartbeat") >= 2


def test_one_address_holds_only_so_many_and_its_others_are_told_so():
    with Stack(connections_by_address=2) as own, contextlib.ExitStack() as open_:
        for _ in range(2):
            answered(open_.enter_context(reaching(own, GET)))
        had = cut("address")
        with reaching(own) as third:
            assert rest(third).startswith(b"HTTP/1.1 503")
        assert cut("address") == had + 1


def test_a_trusted_proxy_stands_for_many():
    settings = {"connections_by_address": 2, "trusted_proxies": ("127.0.0.0/8",)}
    with Stack(**settings) as own, contextlib.ExitStack() as open_:
        for _ in range(5):
            answered(open_.enter_context(reaching(own, GET)))


class NoFiles:
    """A listening socket that has no file left for so many tries."""

    def __init__(self, listener, tries):
        self.listener = listener
        self.tries = tries

    def accept(self):
        self.tries -= 1
        if self.tries >= 0:
            raise OSError(24, os.strerror(24))
        return self.listener.accept()

    def __getattr__(self, name):
        return getattr(self.listener, name)


def test_running_out_of_files_does_not_end_accepting(monkeypatch, caplog):
    monkeypatch.setattr(entrance, "PAUSE", 0.01)
    had = cut("files")
    with Stack() as own:
        door = own.server.servers[0]
        door._listener = NoFiles(door._listener, 5)
        with own.client() as client:
            assert client.get("/healthz").status_code == 200
    assert cut("files") == had + 5
    assert "Too many open files" in caplog.text


def test_the_system_is_asked_for_as_many_files_as_are_wanted_and_less_is_told(monkeypatch, caplog):
    caplog.set_level("INFO", "services.gateway.entrance")
    soft, asked = [1024], []
    monkeypatch.setattr(entrance.resource, "getrlimit", lambda _: (soft[0], 4096))
    monkeypatch.setattr(entrance.resource, "setrlimit", lambda _, both: asked.append(both))
    assert entrance.room(1000, 64) == 1000
    assert asked == [(1000 + 64 + entrance.FILES, 4096)]
    assert entrance.room(10_000, 64) == 4096 - 64 - entrance.FILES
    assert "4096 files" in caplog.text


# --- garbage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_gets_a_sound_answer_or_none_and_the_connection_ends(stack, hurried, name, caplog):
    with contextlib.suppress(OSError), reaching(stack) as connection:
        connection.sendall(GARBAGE[name])
        connection.shutdown(socket.SHUT_WR)
        said = rest(connection)
        assert said == b"" or said.startswith((b"HTTP/1.1 2", b"HTTP/1.1 4"))
        assert said.count(b"HTTP/1.1 ") <= 1 or name.startswith("garbage after")
    assert not [one for one in caplog.records if one.levelname == "ERROR"]
    assert len([one for one in caplog.records if one.name == "uvicorn.error"]) == 0


def test_a_request_hidden_in_the_body_of_another_is_not_one(stack, client):
    with reaching(stack, GARBAGE["TE and CL"]) as connection:
        assert rest(connection).count(b"HTTP/1.1 ") == 1
    assert stack.fake.calls == []


def test_garbage_behind_a_request_is_not_answered_in_its_place(stack, client):
    stack.fake.delays["GetTicket"] = 0.3
    asked = b"GET /v1/tickets/x HTTP/1.1\r\nhost: x\r\n\r\n"
    with reaching(stack, asked + b"nonsense\r\n\r\n") as connection:
        assert rest(connection) == b""


def test_nothing_is_left_of_connections_that_are_gone(stack):
    async def left():
        return len(stack.server.server_state.connections)

    with contextlib.ExitStack() as open_:
        for garbage in GARBAGE.values():
            with contextlib.suppress(ConnectionError):
                open_.enter_context(reaching(stack, garbage))
    for _ in range(100):
        if not stack.do(left()):
            return
        time.sleep(0.1)
    pytest.fail("some stay open")


def test_the_defaults_leave_room_for_more_than_one_address():
    config = GatewayConfig()
    assert 2 * config.connections_by_address < config.connections
