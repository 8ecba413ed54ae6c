"""The queue as real processes: a redis-server, `python -m services.queue`, calls over gRPC.

A process that ticks never (`tick` is an hour) writes nothing but what is asked of it, so a test
can say exactly which events an office has. Each test takes an office of its own.
"""

from __future__ import annotations

import asyncio
import atexit
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import pytest
import redis as sync_redis
from google.protobuf import json_format

from services.chassis import token
from services.chassis.errors import Problem, catalogue, from_rpc_error
from tunggu.queue.v1 import kecamatan_pb2, kecamatan_pb2_grpc, queue_pb2, queue_pb2_grpc

QUEUE = queue_pb2.DESCRIPTOR.services_by_name["QueueService"]
KECAMATAN = kecamatan_pb2.DESCRIPTOR.services_by_name["KecamatanService"]
METHODS = {method.name: method for service in (QUEUE, KECAMATAN) for method in service.methods}

MONDAY, TUESDAY = "2026-03-02", "2026-03-03"
SPEED = 60.0
"""Domain seconds a second: 20 s between recalls are a third of one, a day is 24 minutes."""
NEVER = 3600.0

ANSWER_S = 15.0
BATCHED_ID = "0123456789abcdefghijkl"
HOLDER = "a-phone-of-a-citizen"

_codes = (f"{n // 10000:02d}.{n // 100 % 100:02d}.{n % 100:02d}" for n in itertools.count(737101))


def at(local: str) -> int:
    """`2026-03-02T10:00` in Makassar as ms UTC."""
    return int(datetime.fromisoformat(local).replace(tzinfo=ZONE).timestamp() * 1000)


ZONE = ZoneInfo("Asia/Makassar")


# Processes --------------------------------------------------------------------------------------


@dataclass
class Process:
    """One `python -m services.queue`; `log` is where its stderr goes."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path

    def end(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[grpc.aio.Channel]:
        async with grpc.aio.insecure_channel(f"ipv4:{self.address}") as channel:
            yield channel


def start_queue(
    folder: Path,
    redis_url: str,
    *,
    start: str = "",
    speed: float = SPEED,
    hours: str = "always",
    tick: float = NEVER,
    **settings: Any,
) -> Process:
    """Returns once it listens. Its clock is the one that the session's processes share, or reads
    `start`, a local time in Makassar, at this moment."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = f"127.0.0.1:{probe.getsockname()[1]}"
    address = settings.get("ADDRESS", free)
    ours = {
        "ADDRESS": address,
        "REDIS_URL": redis_url,
        "ENV": "development",
        "CLOCK": clock(start, speed) if start else shared_clock(),
        "HOURS": hours,
        "TICK": tick,
        "JWKS": keys().with_name("jwks.json"),
        "DRAIN": 3,
        **settings,
    }
    environ = {k: v for k, v in os.environ.items() if not k.startswith("TUNGGU_")}
    environ |= {f"TUNGGU_{name}": str(value) for name, value in ours.items()}
    log = folder / f"queue-{address.rpartition(':')[2]}.log"
    with log.open("wb") as stderr:
        command = [sys.executable, "-P", "-m", "services.queue"]
        process = subprocess.Popen(command, env=environ, stderr=stderr)
    _await_port(process, address, log)
    return Process(address, process, log)


def clock(start: str, speed: float) -> str:
    return f"{int(time.time() * 1000)},{at(start)},{speed}"


@cache
def shared_clock() -> str:
    """From one in the morning on: it must not come to midnight before the session's end."""
    return clock(f"{MONDAY}T01:00", SPEED)


def _await_port(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    host, port = address.split(":")
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "the queue did not come up"
            time.sleep(0.02)
        else:
            return


# Who asks ---------------------------------------------------------------------------------------


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tunggu-keys-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def keys() -> Path:
    """The private key that the processes trust, its JWKS beside it."""
    return token.make_key(_folder())


@dataclass(frozen=True)
class Who:
    """The bearer of a token: `roles` for `kecamatan`, both separated by commas."""

    roles: str
    kecamatan: str
    subject: str

    @property
    def bearer(self) -> str:
        return bearer(self)


@cache
def bearer(who: Who) -> str:
    given = who.roles.split(","), who.kecamatan.split(",")
    return "Bearer " + token.mint(keys(), *given, subject=who.subject)


ADMIN = Who("ADMIN", "*", "ops@city")


# Files ------------------------------------------------------------------------------------------

ALL_DAY = [{"open": "00:00", "close": "24:00"}]
RULE = {
    "priorityAfter": 2,
    "skip": {"calls": 1, "after": "0s"},
    "return": {"afterCalls": 1, "within": "3600s", "times": 1},
    "hold": {"times": 1, "within": "7200s"},
    "transfers": 1,
}
SERVICES = [
    {"code": "A", "name": "Administrasi kependudukan", "typicalMinutes": 10},
    {"code": "B", "name": "Perizinan"},
    {"code": "C", "name": "Di tempat", "channels": ["CHANNEL_DESK", "CHANNEL_KIOSK"]},
]
COUNTERS = [
    {"id": "1", "name": "Loket 1", "services": ["A", "B"]},
    {"id": "2", "name": "Loket 2", "services": ["A"]},
    {"id": "3", "name": "Loket 3", "services": ["C"]},
]


def file_of(code: str, /, **spec: Any) -> kecamatan_pb2.Kecamatan:
    """A Kecamatan file; `spec` replaces whole members of its spec."""
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), ALL_DAY)
    own = {
        "code": code,
        "name": "Makassar",
        "timezone": "Asia/Makassar",
        "hours": {"weekly": week},
        "services": SERVICES,
        "counters": COUNTERS,
        "rule": RULE,
        **spec,
    }
    document = {
        "apiVersion": "tunggu.makassarkota.go.id/v1alpha1",
        "kind": "Kecamatan",
        "metadata": {"name": f"kecamatan-{code.replace('.', '')}"},
        "spec": {name: value for name, value in own.items() if value is not None},
    }
    return json_format.ParseDict(document, kecamatan_pb2.Kecamatan())


# Calls ------------------------------------------------------------------------------------------


def message_class(name: str) -> Any:
    module = queue_pb2 if hasattr(queue_pb2, name) else kecamatan_pb2
    return getattr(module, name)


def stub_method(channel: grpc.aio.Channel, rpc: str) -> Any:
    name = METHODS[rpc].containing_service.name
    module = queue_pb2_grpc if name == "QueueService" else kecamatan_pb2_grpc
    return getattr(getattr(module, f"{name}Stub")(channel), rpc)


async def call(channel: grpc.aio.Channel, rpc: str, request: Any, authorization: str = "") -> Any:
    """The answer; a Problem as it came over the wire, never one of ours to blame."""
    metadata = [("authorization", authorization)] if authorization else []
    try:
        return await stub_method(channel, rpc)(request, metadata=metadata, timeout=ANSWER_S)
    except grpc.aio.AioRpcError as error:
        raise checked(from_rpc_error(error)) from None


def checked(problem: Problem) -> Problem:
    """A refusal that a citizen can read: not INTERNAL, with what its text wants."""
    assert problem.reason != "INTERNAL", problem.private
    wanted = catalogue()[problem.reason].placeholders
    assert wanted <= problem.metadata.keys(), (problem.reason, problem.metadata)
    return problem


@dataclass
class Stream:
    """What a stream has answered so far, and how it ended."""

    messages: list[Any] = field(default_factory=list)
    ended: bool = False
    problem: Problem | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, answers: Any) -> None:
        try:
            async for message in answers:
                self.messages.append(message)
                self.news.set()
        except grpc.aio.AioRpcError as error:
            self.problem = checked(from_rpc_error(error))
        self.ended = True
        self.news.set()

    async def until(self, enough: Callable[[Stream], bool]) -> None:
        """Waits generously; a stream that ends before is a failure."""
        async with asyncio.timeout(ANSWER_S):
            while not enough(self):
                assert not self.ended, self.problem
                self.news.clear()
                await self.news.wait()

    async def until_event(self, event: int) -> Any:
        """The first message of that event or a later one."""
        await self.until(lambda s: bool(s.messages) and s.messages[-1].event >= event)
        return next(m for m in self.messages if m.event >= event)

    async def end(self) -> Problem | None:
        """How it ends by itself."""
        async with asyncio.timeout(ANSWER_S):
            while not self.ended:
                self.news.clear()
                await self.news.wait()
        return self.problem


@dataclass
class Office:
    """An office of a test's own, on a process and its Redis."""

    channel: grpc.aio.Channel
    redis: sync_redis.Redis
    code: str = field(default_factory=lambda: next(_codes))

    def who(self, role: str, subject: str = "") -> Who:
        return Who(role, self.code, subject or f"{role.lower()}@{self.code}")

    @property
    def officer(self) -> Who:
        return self.who("OFFICER", "budi")

    @property
    def other_officer(self) -> Who:
        return self.who("OFFICER", "siti")

    @property
    def head(self) -> Who:
        return self.who("SUPERVISOR", "camat")

    @property
    def kiosk(self) -> Who:
        return self.who("KIOSK", "kiosk-1")

    @property
    def sender(self) -> Who:
        return Who("INTERNAL", "*", "notify")

    def on(self, channel: grpc.aio.Channel) -> Office:
        """The same office through another process."""
        return Office(channel, self.redis, self.code)

    def request(self, rpc: str, **fields: Any) -> Any:
        cls = message_class(f"{rpc}Request")
        own = {"kecamatan": self.code} if "kecamatan" in cls.DESCRIPTOR.fields_by_name else {}
        if fields.get("ticket_id"):
            own = {}
        return cls(**(own | fields))

    async def do(self, rpc: str, who: Who | None = None, **fields: Any) -> Any:
        """The answer, or what it holds if that is one message."""
        return await self.send(rpc, self.request(rpc, **fields), who)

    async def send(self, rpc: str, request: Any, who: Who | None = None) -> Any:
        answer = await call(self.channel, rpc, request, who.bearer if who else "")
        parts = answer.DESCRIPTOR.fields
        whole = len(parts) != 1 or parts[0].is_repeated
        return answer if whole else getattr(answer, parts[0].name)

    @asynccontextmanager
    async def watch(self, rpc: str, **fields: Any) -> AsyncIterator[Stream]:
        stream = Stream()
        answers = stub_method(self.channel, rpc)(self.request(rpc, **fields))
        reading = asyncio.create_task(stream.read(answers))
        try:
            yield stream
        finally:
            answers.cancel()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def refused(self, rpc: str, reason: str, who: Who | None = None, **fields: Any) -> Any:
        """The metadata of a refusal, which has written nothing at all."""
        return await self.refused_as(rpc, self.request(rpc, **fields), reason, who)

    async def refused_as(self, rpc: str, request: Any, reason: str, who: Who | None = None) -> Any:
        before = self.state()
        with pytest.raises(Problem) as refusal:
            await self.send(rpc, request, who)
        problem = refusal.value
        assert problem.reason == reason, (problem.reason, problem.metadata)
        assert self.state() == before, f"{rpc} was refused and has written"
        return problem.metadata

    # What Redis has

    def state(self) -> dict[bytes, bytes | None]:
        """Every key of the office, and the city's list, as Redis would dump them."""
        names = sorted(self.redis.scan_iter(f"tunggu:{{{self.code}}}:*", 1000))
        names.append(b"tunggu:{city}:kecamatan")
        return {name: self.redis.dump(name) for name in names}

    def key(self, name: str) -> str:
        return f"tunggu:{{{self.code}}}:{name}"

    def leaves(self) -> list[dict[str, Any]]:
        """The journal's stream, parsed here."""
        rows: Any = self.redis.xrange(self.key("journal"))
        return [json.loads(fields[b"l"]) for _, fields in rows]

    def last_leaf(self) -> dict[str, Any]:
        return self.leaves()[-1]

    def audit(self) -> list[dict[str, str]]:
        rows: Any = self.redis.xrange(self.key("audit"))
        return [{k.decode(): v.decode() for k, v in fields.items()} for _, fields in rows]

    async def board(self, event: int) -> Any:
        """The board once it shows `event`: answers of counters do not wait for the fold."""
        deadline = time.monotonic() + ANSWER_S
        while True:
            board = json.loads((await self.do("GetBoard")).body)
            if board["event"] >= event:
                return board
            assert time.monotonic() < deadline, f"the board stays at {board['event']}"
            await asyncio.sleep(0.01)

    # Steps that tests begin with

    async def apply(self, **spec: Any) -> Any:
        return await self.do("ApplyKecamatan", ADMIN, file=file_of(self.code, **spec))

    async def take(self, service: str = "A", who: Who | None = None, **fields: Any) -> Any:
        return await self.do("CreateTicket", who, service=service, **fields)

    async def open(self, counter: str = "1", who: Who | None = None) -> Any:
        return await self.do("OpenCounter", who or self.officer, counter=counter)

    async def call_next(self, counter: str = "1") -> Any:
        return await self.do("CallNextTicket", self.officer, counter=counter)

    async def at_counter(self, rpc: str, number: str, counter: str = "1", **fields: Any) -> Any:
        return await self.do(rpc, self.officer, counter=counter, ticket=number, **fields)

    async def ticket_in(self, state: str, service: str = "A", **fields: Any) -> Any:
        """A ticket with its id, brought to `state` at counter 1; the counter stays open."""
        ticket = await self.take(service, **fields)
        if state == "WAITING":
            return ticket
        if state == "CANCELLED":
            await self.do("CancelTicket", ticket_id=ticket.id)
            return ticket
        await self.open()
        assert (await self.call_next()).number == ticket.number
        for step in PATH[state]:
            await self.at_counter(step, ticket.number)
        return ticket


PATH = {
    "CALLED": [],
    "SERVING": ["StartTicket"],
    "COMPLETED": ["StartTicket", "CompleteTicket"],
    "ON_HOLD": ["StartTicket", "HoldTicket"],
    "NO_SHOW": ["SkipTicket"],
}

STATES = ("WAITING", "CANCELLED", *PATH)


def state_name(ticket: Any) -> str:
    return str(type(ticket).State.Name(ticket.state)).removeprefix("STATE_")
