"""A city in mapped time: a real Redis, and real queue processes whose clocks stand or run as told.

A process keeps nothing, so time is moved by ending it and starting the next one with another
clock. `City.at` does that and returns only when a whole round of ticks has passed, so that what
the clock makes due is written, and what is not written then will not be.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import grpc
from google.protobuf import json_format
from redis import Redis

from services.chassis import token
from services.chassis.errors import Problem, from_rpc_error
from services.queue.verify import split, verify
from tests.conftest import RedisServer, start_redis
from tunggu.queue.v1 import kecamatan_pb2, kecamatan_pb2_grpc, queue_pb2, queue_pb2_grpc

PATIENCE_S = 60.0
"""Nothing takes nearly as long; what does is broken."""

STANDING, TICK_S = 0.0, 0.02
MORNING, AFTERNOON = ("07:30", "12:00"), ("13:00", "15:30")

ROLES = {
    **dict.fromkeys(("ApplyKecamatan", "DeleteKecamatan"), "ADMIN"),
    **dict.fromkeys(("SetCounterServices", "StopIssuing", "ResumeIssuing"), "SUPERVISOR"),
    **dict.fromkeys(("RequeueTicket", "ListAudit"), "SUPERVISOR"),
    **dict.fromkeys(("OpenCounter", "CloseCounter", "CallNextTicket", "RecallTicket"), "OFFICER"),
    **dict.fromkeys(("StartTicket", "CompleteTicket", "SkipTicket", "HoldTicket"), "OFFICER"),
    **dict.fromkeys(("TransferTicket", "SetTicketLane", "GetCounter"), "OFFICER"),
    **dict.fromkeys(("CancelTicket", "ReturnTicket", "CheckInTicket", "GetTicket"), "OFFICER"),
}
"""Who asks; nobody in particular for the rest, and for a ticket that is named by its id."""


def ms(moment: str, timezone: str = "Asia/Makassar") -> int:
    """Ms UTC of "2026-03-02 07:30", seconds and their fraction if given, in local time."""
    local = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(timezone))
    return round(local.timestamp() * 1000)


def week(*hours: tuple[str, str], **days: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The same hours from Monday to Sunday but for the days that are named."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return {day: intervals(*days.get(day, hours)) for day in names}


def intervals(*hours: tuple[str, str]) -> list[dict[str, str]]:
    return [{"open": opens, "close": closes} for opens, closes in hours]


def office_file(code: str, **spec: Any) -> dict[str, Any]:
    """A Kecamatan file as a mapping. By default two services, two counters, the hours of
    Makassar's offices."""
    plain = {
        "code": code,
        "name": "Makassar",
        "timezone": "Asia/Makassar",
        "hours": {
            "weekly": week(MORNING, AFTERNOON, fri=[("07:30", "11:30"), AFTERNOON], sat=[], sun=[])
        },
        "services": [{"code": "A", "name": "Akta"}, {"code": "B", "name": "Berkas"}],
        "counters": [
            {"id": "1", "name": "Loket 1", "services": ["A", "B"]},
            {"id": "2", "name": "Loket 2", "services": ["A", "B"]},
        ],
    }
    return {
        "apiVersion": "tunggu.makassarkota.go.id/v1alpha1",
        "kind": "Kecamatan",
        "metadata": {"name": f"office-{code.replace('.', '-')}"},
        "spec": {**plain, **spec},
    }


async def until(true: Any, what: str) -> None:
    """Waits for a condition, an awaitable or a plain one; fails after a minute."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = true()
        if await answer if asyncio.iscoroutine(answer) else answer:
            return
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        await asyncio.sleep(0.01)


async def refusal(asked: Awaitable[Any]) -> str:
    """The reason for which it is refused."""
    try:
        answer = await asked
    except Problem as problem:
        return problem.reason
    raise AssertionError(f"not refused: {answer}")


async def unless(asked: Awaitable[Any], *reasons: str) -> Any:
    """The answer, None if it is refused for one of the reasons."""
    try:
        return await asked
    except Problem as problem:
        if problem.reason not in reasons:
            raise
        return None


@dataclass
class Replica:
    """One queue process and the channel to it."""

    process: subprocess.Popen[bytes]
    channel: grpc.aio.Channel
    socket: Path
    keys: Path

    async def ask(self, verb: str, request: Any, role: str = "") -> Any:
        """The answer, of a process that just starts too. Problem as the server said it."""
        service = queue_pb2_grpc.QueueServiceStub(self.channel)
        stub = service if hasattr(service, verb) else _admin(self.channel)
        call = getattr(stub, verb)(
            request, metadata=self._token(role), timeout=PATIENCE_S, wait_for_ready=True
        )
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error

    def _token(self, role: str) -> list[tuple[str, str]]:
        if not role:
            return []
        text = token.mint(self.keys / token.PRIVATE, [role], ["*"], subject=role.lower())
        return [("authorization", f"Bearer {text}")]

    async def end(self, *, gently: bool = False) -> None:
        """At once; `gently` it finishes the calls that it has begun."""
        (self.process.terminate if gently else self.process.kill)()
        await asyncio.to_thread(self.process.wait)
        await self.channel.close()


def _admin(channel: grpc.aio.Channel) -> Any:
    return kecamatan_pb2_grpc.KecamatanServiceStub(channel)


@dataclass
class City:
    """The Redis, what runs on it, and the offices. `replicas[0]` is asked unless one is named."""

    folder: Path
    redis: RedisServer
    hours: str = "real"
    replicas: list[Replica] = field(default_factory=list)
    started: int = 0
    clock: str = ""

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    def look(self) -> Redis:
        """A client of the Redis itself, to see what is there."""
        return Redis(unix_socket_path=str(self.redis.socket))

    async def at(self, moment: int, speed: float = STANDING, replicas: int = 1) -> None:
        """Ends what runs, and starts queues whose clock reads `moment` (ms UTC) now. Returns after
        a round of ticks by one of them."""
        await self.stop()
        with self.look() as redis:
            epoch = int(redis.time()[0]) * 1000
        self.clock = f"{epoch},{moment},{speed!r}"
        before = self._rounds()
        self.replicas = [self.start(self.clock) for _ in range(replicas)]
        self._point_to(self.replicas[0])
        await until(lambda: self._rounds() > before + replicas, "a round of ticks")

    @property
    def address(self) -> Path:
        """A socket that always leads to `replicas[0]`, for a gateway that outlives them."""
        return self.folder / "queue.sock"

    def _point_to(self, replica: Replica) -> None:
        following = self.folder / "following.sock"
        following.symlink_to(replica.socket)
        following.rename(self.address)

    def start(self, clock: str, tick: float = TICK_S) -> Replica:
        """One more queue, not waited for."""
        self.started += 1
        socket = self.folder / f"queue-{self.started}.sock"
        settings = {
            "TUNGGU_ADDRESS": f"unix:{socket}",
            "TUNGGU_REDIS_URL": self.redis.url,
            "TUNGGU_ENV": "development",
            "TUNGGU_HOURS": self.hours,
            "TUNGGU_CLOCK": clock,
            "TUNGGU_TICK": str(tick),
            "TUNGGU_JWKS": str(self.keys / token.PUBLIC),
            "TUNGGU_LOG_LEVEL": "error",
        }
        command = [sys.executable, "-P", "-m", "services.queue"]
        process = subprocess.Popen(command, env=environ() | settings)
        channel = grpc.aio.insecure_channel(f"unix:{socket}", options=_IMPATIENT)
        return Replica(process, channel, socket, self.keys)

    def _rounds(self) -> int:
        """Rounds of ticks that were begun so far, by all queues: each lists the offices once."""
        with self.look() as redis:
            stats: Any = redis.info("commandstats")
        return int(stats.get("cmdstat_smembers", {"calls": 0})["calls"])

    async def rounds(self, count: int = 2) -> None:
        """Waits until so many more rounds have begun; with one replica all but the last are
        complete then."""
        enough = self._rounds() + count
        await until(lambda: self._rounds() >= enough, "rounds of ticks")

    async def stop(self) -> None:
        await asyncio.gather(*(replica.end() for replica in self.replicas))
        self.replicas = []

    async def office(self, code: str = "73.71.03", **spec: Any) -> Office:
        """An office whose file is applied now, by a queue that runs."""
        office = Office(self, code)
        await office.apply(**spec)
        return office


def environ() -> dict[str, str]:
    """The environment without settings that a person may have exported."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TUNGGU_")}


_IMPATIENT = [
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
]


@asynccontextmanager
async def mapped_city(folder: Path, hours: str = "real") -> AsyncIterator[City]:
    """A city without offices and without running queues; ends everything that it started."""
    redis = start_redis(folder)
    token.make_key(folder / "keys")
    city = City(folder, redis, hours)
    try:
        yield city
    finally:
        await city.stop()
        redis.kill()


@dataclass
class Office:
    """An office as its people and anyone else see it, through the queue's own API."""

    city: City
    code: str

    async def do(self, verb: str, *, to: Replica | None = None, **fields: Any) -> Any:
        """Any RPC by its name. Problem: it was refused."""
        named = {} if "ticket_id" in fields else {"kecamatan": self.code}
        message = f"{verb}Request"
        package = queue_pb2 if hasattr(queue_pb2, message) else kecamatan_pb2
        request = getattr(package, message)(**named, **fields)
        role = "" if "ticket_id" in fields else ROLES.get(verb, "")
        return await (to or self.city.replicas[0]).ask(verb, request, role)

    async def apply(self, **spec: Any) -> Any:
        file = json_format.ParseDict(office_file(self.code, **spec), kecamatan_pb2.Kecamatan())
        return (await self.do("ApplyKecamatan", file=file)).kecamatan

    # What people do

    async def take(self, service: str = "A", **fields: Any) -> Any:
        return (await self.do("CreateTicket", service=service, **fields)).ticket

    async def issues(self, service: str = "A") -> bool:
        """Whether a number can be taken now. It is taken then; else the office is closed."""
        return await unless(self.take(service), "OFFICE_CLOSED") is not None

    async def open(self, *counters: str) -> None:
        for counter in counters:
            await self.do("OpenCounter", counter=counter)

    async def call(self, counter: str = "1") -> str:
        return str((await self.do("CallNextTicket", counter=counter)).ticket.number)

    async def at(self, counter: str, verb: str, number: str, **fields: Any) -> Any:
        answer = await self.do(f"{verb}Ticket", counter=counter, ticket=number, **fields)
        return answer.ticket

    async def serve(self, counter: str = "1") -> str:
        """Call, start and complete the next; its number."""
        number = await self.call(counter)
        await self.at(counter, "Start", number)
        await self.at(counter, "Complete", number)
        return number

    async def ticket(self, id: str) -> Any:
        return (await self.do("GetTicket", ticket_id=id)).ticket

    # What anyone sees

    async def board_bytes(self, to: Replica | None = None) -> bytes:
        return bytes((await self.do("GetBoard", to=to)).body)

    async def board(self) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(await self.board_bytes())
        return shown

    async def seen(self) -> Any:
        """GetKecamatan, once the queue that is asked has the newest event."""
        await self.followed()
        return (await self.do("GetKecamatan")).office

    async def followed(self) -> None:
        """Waits until the board shows the newest event of the stream."""

        async def shown() -> bool:
            board = await self.board()
            return (board["day"], board["event"]) == self.newest()

        await until(shown, f"the board of {self.code}")

    def newest(self) -> tuple[str, int]:
        """Day and number of the stream's last event, ("", -1) without any."""
        with self.city.look() as redis:
            rows: Any = redis.xrevrange(f"tunggu:{{{self.code}}}:journal", count=1)
        if not rows:
            return "", -1
        day, _, n = rows[0][0].decode().partition("-")
        return f"{day[:4]}-{day[4:6]}-{day[6:]}", int(n)

    def streamed_days(self) -> list[str]:
        """The days that the stream still has."""
        with self.city.look() as redis:
            rows: Any = redis.xrange(f"tunggu:{{{self.code}}}:journal")
        compact = sorted({row[0].decode().partition("-")[0] for row in rows})
        return [f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in compact]

    def wrote_nothing(self) -> bool:
        """Whether the office has no journal, no day, and no trace of a refused caller: only the
        file and who applied it."""
        key = f"tunggu:{{{self.code}}}"
        with self.city.look() as redis:
            names: Any = redis.keys(f"{key}*")
            acted: Any = redis.xrange(f"{key}:audit")
        verbs = {fields[b"v"] for _, fields in acted}
        return set(names) <= {f"{key}:file".encode(), f"{key}:audit".encode()} and verbs == {
            b"ApplyKecamatan"
        }

    async def leaves(self, day: str) -> list[bytes]:
        """The whole day by ListEvents, a page at a time; empty if there was no such day."""
        leaves: list[bytes] = []
        while True:
            asked = self.do("ListEvents", day=day, after=len(leaves) - 1, page_size=50)
            page = await unless(asked, "DAY_NOT_FOUND")
            if page is None or not page.body:
                return leaves
            leaves += split(page.body)

    async def events(self, day: str) -> list[dict[str, Any]]:
        return [json.loads(leaf) for leaf in await self.leaves(day)]

    async def lines(self, day: str, timezone: str = "Asia/Makassar") -> list[str]:
        """The day's journal in words: "07:30 issue.go hours", "07:31:05 call A001 1"."""
        return [_line(event, timezone) for event in await self.events(day)]

    async def tally(self, day: str) -> dict[str, int]:
        last = (await self.events(day))[-1]
        assert last["e"] == "day.close", last
        return dict(last["tally"])

    async def days(self) -> dict[str, list[bytes]]:
        """Every day that is kept, by WatchEvents from the start to the newest event."""
        days: dict[str, list[bytes]] = {}
        end = self.newest()
        service = queue_pb2_grpc.QueueServiceStub(self.city.replicas[0].channel)
        request = queue_pb2.WatchEventsRequest(kecamatan=self.code, cursor="start")
        if end[0]:
            watching = service.WatchEvents(request, timeout=PATIENCE_S)
            async for item in watching:
                days.setdefault(item.day, []).append(item.leaf)
                if (item.day, item.event) == end:
                    break
            watching.cancel()
        return days

    async def verified(self) -> list[str]:
        """The days of the office, each of them clean under the policy that it names, and the same
        by ListEvents as by WatchEvents."""
        days = await self.days()
        for day, leaves in days.items():
            assert leaves == await self.leaves(day)
            digest = json.loads(leaves[0])["pol"]
            document = (await self.do("GetPolicy", hash=digest)).body
            assert hashlib.sha256(document).hexdigest() == digest
            report = verify(leaves, document, closed=day != max(days))
            assert report.verdict == "CLEAN", (self.code, day, report.breaches, report.notes)
        return sorted(days)


def _line(event: dict[str, Any], timezone: str) -> str:
    moment = datetime.fromtimestamp(event["t"] / 1000, ZoneInfo(timezone))
    text = moment.isoformat(timespec="milliseconds")[11:23].removesuffix(".000").removesuffix(":00")
    said = (str(event[name]) for name in ("why", "k", "c", "ms") if name in event)
    return " ".join([text, event["e"], *said])
