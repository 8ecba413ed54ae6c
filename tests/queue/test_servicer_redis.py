"""A Redis that goes away, would not keep its data, or has lost the end of it."""

import asyncio

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from redis import Redis

from services.chassis.errors import Problem
from tests.conftest import start_redis
from tests.queue.servicing import ADMIN, METHODS, MONDAY, Office, file_of, start_queue
from tunggu.queue.v1 import queue_pb2 as pb

ID = "0123456789-0123456789-abc"

REQUESTS = {
    "CreateTicket": (None, {"service": "A"}),
    "BatchCreateTickets": (None, {}),
    "GetTicket": ("kiosk", {"number": "A001"}),
    "CancelTicket": ("officer", {"number": "A001"}),
    "CheckInTicket": ("officer", {"number": "A001"}),
    "ReturnTicket": ("officer", {"number": "A001"}),
    "SetTicketLane": ("officer", {"number": "A001", "lane": 2}),
    "RequeueTicket": ("head", {"number": "A001"}),
    "OpenCounter": ("officer", {"counter": "1"}),
    "CloseCounter": ("officer", {"counter": "1"}),
    "CallNextTicket": ("officer", {"counter": "1"}),
    "RecallTicket": ("officer", {"counter": "1", "ticket": "A001"}),
    "StartTicket": ("officer", {"counter": "1", "ticket": "A001"}),
    "CompleteTicket": ("officer", {"counter": "1", "ticket": "A001"}),
    "SkipTicket": ("officer", {"counter": "1", "ticket": "A001"}),
    "HoldTicket": ("officer", {"counter": "1", "ticket": "A001"}),
    "TransferTicket": ("officer", {"counter": "1", "ticket": "A001", "service": "B"}),
    "GetCounter": ("officer", {"counter": "1"}),
    "ReportDisplay": ("kiosk", {"display": "1", "page": "0f3a9c51d27be684"}),
    "SetCounterServices": ("head", {"counter": "2", "services": ["A"]}),
    "StopIssuing": ("head", {"reason": pb.STOP_REASON_FULL}),
    "ResumeIssuing": ("head", {}),
    "ListAudit": ("head", {}),
    "GetBoard": (None, {}),
    "ListEvents": (None, {"day": MONDAY}),
    "GetDay": (None, {"day": "2026-03-01"}),
    "GetPolicy": (None, {"hash": "0" * 64}),
    "ApplyKecamatan": ("admin", {}),
    "DeleteKecamatan": ("admin", {}),
    "GetKecamatan": (None, {}),
    "ListKecamatan": (None, {}),
}
STREAMS = {"WatchBoard": {}, "WatchEvents": {"cursor": "start"}}


def test_every_rpc_is_tried_without_a_redis():
    assert set(METHODS) == {*REQUESTS, *STREAMS}


def request_of(office, rpc):
    role, fields = REQUESTS[rpc]
    who = ADMIN if role == "admin" else role and getattr(office, role)
    if rpc == "ApplyKecamatan":
        fields = {"file": file_of(office.code)}
    if rpc == "BatchCreateTickets":
        fields = {"requests": [office.request("CreateTicket", service="A")]}
    return office.request(rpc, **fields), who


async def reasons(office):
    """What each RPC is refused with, streams included."""
    said = {}

    async def ask(rpc):
        request, who = request_of(office, rpc)
        try:
            answer = await office.send(rpc, request, who)
        except Problem as problem:
            said[rpc] = problem.reason
        else:
            said[rpc] = answer
            if rpc == "BatchCreateTickets":
                said[rpc] = str(answer.results[0].error.details[0].value).split("\\n")[-1]

    async def watch(rpc):
        async with office.watch(rpc, **STREAMS[rpc]) as stream:
            said[rpc] = (await stream.end()).reason

    await asyncio.gather(*map(ask, REQUESTS), *map(watch, STREAMS))
    return said


@pytest.fixture
def view(own_redis):
    with Redis(unix_socket_path=str(own_redis.socket)) as client:
        yield client


@pytest.fixture
def own_queue(own_redis, tmp_path):
    process = start_queue(tmp_path / "queue", own_redis.url)
    yield process
    assert process.end() == 0
    assert not [line for line in process.lines if line["level"] == "error"]


async def serving(channel):
    health = health_pb2_grpc.HealthStub(channel)
    answer = await health.Check(health_pb2.HealthCheckRequest(service="readiness"))
    return answer.status == health_pb2.HealthCheckResponse.SERVING


async def until(true):
    async with asyncio.timeout(20):
        while not await true():
            await asyncio.sleep(0.05)


async def answers(office):
    try:
        await office.do("GetBoard")
    except Problem as problem:
        return problem.reason != "REDIS_UNAVAILABLE"
    return True


def only(said, *allowed):
    """Each RPC with another reason than the allowed ones."""
    return {
        rpc: reason
        for rpc, reason in said.items()
        if not any(word in str(reason) for word in allowed)
    }


async def test_without_redis_every_rpc_says_so_and_all_is_there_when_it_is_back(
    own_redis, own_queue, view
):
    async with own_queue.channel() as channel:
        office = Office(channel, view)
        await office.apply()
        ticket = await office.take("A", request_id=ID)
        async with office.watch("WatchBoard") as board:
            await board.until_event(ticket.event)
            own_redis.kill()
            said = await reasons(office)
            assert not only(said, "REDIS_UNAVAILABLE", "OUTCOME_UNKNOWN")
            assert all(said[rpc] == "REDIS_UNAVAILABLE" for rpc in STREAMS)
            await until(lambda: no(serving(channel)))
            own_redis.start()
            await until(lambda: answers(office))
            assert await office.take("A", request_id=ID) == ticket
            opened = await office.open("1")
            assert (opened.event, (await office.call_next()).number) == (3, "A001")
            await board.until_event(4)  # the stream has lived through it
        await until(lambda: serving(channel))


async def no(answer):
    return not await answer


@pytest.mark.parametrize(
    ("setting", "value"),
    [("appendfsync", "everysec"), ("appendonly", "no"), ("maxmemory-policy", "allkeys-lru")],
)
async def test_a_redis_that_would_lose_data_is_refused_by_every_rpc(tmp_path, setting, value):
    kept = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
    settings = [part for name, v in {**kept, setting: value}.items() for part in (f"--{name}", v)]
    server = start_redis(tmp_path, *settings)
    process = start_queue(tmp_path / "queue", server.url)
    try:
        with Redis(unix_socket_path=str(server.socket)) as client:
            async with process.channel() as channel:
                office = Office(channel, client)
                assert not only(await reasons(office), "REDIS_POLICY")
                assert not await serving(channel)
                assert client.dbsize() == 0
                client.config_set(setting, kept[setting])
                await office.apply()
                assert (await office.take("A")).number == "A001"
        details = [line.get("detail", "") for line in process.lines]
        assert any(f"CONFIG SET {setting} {kept[setting]}" in detail for detail in details)
    finally:
        assert process.end() == 0
        server.kill()


async def test_a_redis_that_changes_its_mind_is_refused_after_the_next_reconnect(own_queue, view):
    async with own_queue.channel() as channel:
        office = Office(channel, view)
        await office.apply()
        await office.take("A")
        view.config_set("appendfsync", "everysec")
        view.client_kill_filter(_type="normal", skipme=True)
        await until(lambda: refuses(office))
        await office.refused("CreateTicket", "REDIS_POLICY", service="A")
        view.config_set("appendfsync", "always")
        assert (await office.take("A")).number == "A002"


async def refuses(office):
    """Whether every connection of before is gone."""
    try:
        await office.do("GetKecamatan")
    except Problem as problem:
        return problem.reason == "REDIS_POLICY"
    return False


async def test_a_redis_that_became_a_replica_refuses_writes_until_it_is_the_primary_again(
    own_queue, view
):
    async with own_queue.channel() as channel:
        office = Office(channel, view)
        await office.apply()
        await office.take("A")
        view.replicaof("127.0.0.1", "1")
        await office.refused("CreateTicket", "REDIS_UNAVAILABLE", service="A")
        await office.refused("OpenCounter", "REDIS_UNAVAILABLE", office.officer, counter="1")
        view.replicaof("NO", "ONE")
        assert (await office.take("A")).number == "A002"


async def test_a_full_disk_refuses_writes_and_leaves_nothing_behind(own_queue, view):
    """A Redis without memory to spare refuses like one without disk: as a whole."""
    async with own_queue.channel() as channel:
        office = Office(channel, view)
        await office.apply()
        await office.take("A")
        view.config_set("maxmemory", "1")
        await office.refused("CreateTicket", "REDIS_UNAVAILABLE", service="A")
        assert (await office.do("GetTicket", office.officer, number="A001")).number == "A001"
        view.config_set("maxmemory", "0")
        assert (await office.take("A")).number == "A002"


# A failover that lost the end of the journal ----------------------------------------------------


def lose_what_came_after(view, kept):
    """The office's keys as an older replica of Redis would have them, and a new connection."""
    with view.pipeline() as failover:
        failover.delete(*view.keys("*"))
        for name, value in kept.items():
            failover.restore(name, 0, value)
        failover.execute()
    view.client_kill_filter(_type="normal", skipme=True)


async def test_watch_events_refuses_to_go_on_after_a_failover_that_lost_events(own_queue, view):
    async with own_queue.channel() as channel:
        office = Office(channel, view)
        await office.apply()
        kept_ticket = await office.take("A")
        kept = {name: view.dump(name) for name in view.keys("*")}
        lost_ticket = await office.take("A")
        async with (
            office.watch("WatchEvents", cursor="start") as events,
            office.watch("WatchBoard") as board,
        ):
            await events.until_event(lost_ticket.event)
            await board.until_event(lost_ticket.event)
            before = len(board.messages)
            lose_what_came_after(view, kept)
            # It may also have been reading while the connection broke.
            assert (await events.end()).reason in ("JOURNAL_REWOUND", "REDIS_UNAVAILABLE")
            await board.until(lambda s: len(s.messages) > before)
            rewound = board.messages[before]
            assert (rewound.snapshot, rewound.event) == (True, kept_ticket.event)
            assert [ticket.number for ticket in rewound.tickets] == ["A001"]
        cursors = {message.event: message.cursor for message in events.messages}
        async with office.watch("WatchEvents", cursor=cursors[lost_ticket.event]) as stream:
            assert (await stream.end()).reason == "JOURNAL_REWOUND"
        # The lost number is given again, and the old cursor does not take it for its own.
        again = await office.take("A")
        assert (again.number, again.event) == ("A002", lost_ticket.event)
        async with office.watch("WatchEvents", cursor=cursors[lost_ticket.event]) as stream:
            assert (await stream.end()).reason == "JOURNAL_REWOUND"
        async with office.watch("WatchEvents", cursor=cursors[kept_ticket.event]) as stream:
            await stream.until_event(again.event)
            assert [message.event for message in stream.messages] == [again.event]
        board = await office.board(again.event)
        assert board["services"][0]["waiting"] == ["A001-A002"]
        await office.refused("GetTicket", "TICKET_NOT_FOUND", ticket_id=lost_ticket.id)
