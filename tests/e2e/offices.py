"""The offices of these tests, and the ways to speak to them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import httpx

from services.chassis.client import AUTHORIZATION, channel
from services.chassis.errors import Problem
from tests.e2e.processes import Town
from tunggu.queue.v1 import kecamatan_pb2 as kecamatan
from tunggu.queue.v1 import kecamatan_pb2_grpc, queue_pb2, queue_pb2_grpc
from tunggu.queue.v1.ticket_pb2 import LANE_PRIORITY

MARISO, MAMAJANG, MAKASSAR = OFFICES = "73.71.01", "73.71.02", "73.71.03"
SERVICES = "ABC"
COUNTERS = 8
PATIENCE = 60.0  # seconds for which a client repeats what is not answered
PAUSE = 0.1  # seconds between two tries
AGAIN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}

Create = queue_pb2.CreateTicketRequest


@dataclass(frozen=True)
class Way:
    """Stubs of one channel, to all replicas or to one."""

    queue: queue_pb2_grpc.QueueServiceAsyncStub
    admin: kecamatan_pb2_grpc.KecamatanServiceAsyncStub
    channel: grpc.aio.Channel

    @classmethod
    def to(cls, target: str) -> Way:
        through = channel(target)
        return cls(
            queue_pb2_grpc.QueueServiceStub(through),
            kecamatan_pb2_grpc.KecamatanServiceStub(through),
            through,
        )

    async def __aenter__(self) -> Way:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()


@dataclass(frozen=True)
class Ways:
    """`all` spreads over the replicas, `each` goes to one of them, `phone` to the gateway."""

    town: Town
    all: Way
    each: list[Way]
    phone: httpx.AsyncClient

    def token(self, role: str, subject: str) -> str:
        return self.town.token(role, subject)


@contextmanager
def acting(authorization: str) -> Iterator[None]:
    """Calls inside carry the token."""
    before = AUTHORIZATION.set(authorization)
    try:
        yield
    finally:
        AUTHORIZATION.reset(before)


def new_id() -> str:
    """A request id that nobody else has."""
    return secrets.token_urlsafe(18)


def office_file(code: str, *, services: str = SERVICES, quota: int = 9999) -> kecamatan.Kecamatan:
    """An office whose counters all serve all its services."""
    offered = [
        kecamatan.ServiceSpec(code=s, name=f"Layanan {s}", quota=kecamatan.Quota(day=quota))
        for s in services
    ]
    counters = [
        kecamatan.CounterSpec(id=str(c), name=f"Loket {c}", services=list(services))
        for c in range(1, COUNTERS + 1)
    ]
    spec = kecamatan.KecamatanSpec(
        code=code,
        name=code,
        timezone="Asia/Makassar",
        hours=kecamatan.Hours(),
        services=offered,
        counters=counters,
    )
    return kecamatan.Kecamatan(
        api_version="tunggu.makassarkota.go.id/v1alpha1",
        kind="Kecamatan",
        metadata=kecamatan.Metadata(name="office-" + code.replace(".", "-")),
        spec=spec,
    )


async def apply(
    town: Town, way: Way, code: str, *, services: str = SERVICES, quota: int = 9999
) -> None:
    """Puts the office on the list; its day is opened by whoever comes first."""
    request = kecamatan.ApplyKecamatanRequest(
        kecamatan=code,
        file=office_file(code, services=services, quota=quota),
        request_id=new_id(),
    )
    with acting(town.token("ADMIN")):
        await answered(way.admin.ApplyKecamatan, request)


async def post(http: httpx.AsyncClient, wish: Create) -> Any:
    """The ticket (a dict) by HTTP, or in a word why there was no answer to the question."""
    lane = "PRIORITY" if wish.lane == LANE_PRIORITY else "REGULAR"
    try:
        answer = await http.post(
            f"/v1/kecamatan/{wish.kecamatan}/tickets",
            json={"service": wish.service, "lane": lane},
            headers={"idempotency-key": wish.request_id},
        )
    except httpx.TransportError as error:
        return type(error).__name__
    if answer.status_code in (503, 504):
        return "HTTP " + answer.json()["reason"]
    assert answer.status_code == 201, answer.text
    return answer.json()["ticket"]


async def answered(call: Any, request: Any) -> Any:
    """The answer; what gave none is repeated as it is, for a bounded time."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await call(request)
            except Problem as problem:
                if problem.status not in AGAIN:
                    raise
            await asyncio.sleep(PAUSE)


async def tried(call: Any, request: Any) -> Any:
    """The answer or the refusal, a Problem."""
    try:
        return await call(request)
    except Problem as problem:
        return problem


async def refused(call: Any, request: Any) -> Problem:
    """The refusal that a call must meet."""
    answer = await tried(call, request)
    assert isinstance(answer, Problem), f"not refused: {answer}"
    return answer
