"""KecamatanService over gRPC: the offices, as ops apply them and as the public sees them."""

from __future__ import annotations

from typing import Any

import grpc

from services.chassis.errors import Problem
from services.queue import asking, kecamatan
from services.queue.agenda import local_date
from services.queue.board import is_open, notice
from services.queue.forecast import Estimate
from services.queue.live import Live
from services.queue.model import CounterState, Day
from services.queue.offices import Offices
from services.queue.store import Store
from services.queue.view import timestamp
from tunggu.queue.v1 import kecamatan_pb2 as pb
from tunggu.queue.v1 import kecamatan_pb2_grpc, ticket_pb2

Context = grpc.aio.ServicerContext[Any, Any]


class KecamatanServicer(kecamatan_pb2_grpc.KecamatanServiceServicer):
    """Figures come from the fold, names and hours from the file as it is applied now."""

    def __init__(self, store: Store, offices: Offices, always_open: bool) -> None:
        self._store = store
        self._offices = offices
        self._always_open = always_open

    async def ApplyKecamatan(self, request: pb.ApplyKecamatanRequest, context: Context) -> Any:
        code = asking.code_of(request)
        kecamatan.validate(code, request.file)
        ask = asking.request("ApplyKecamatan", request, code)
        await self._store.apply_kecamatan(ask, kecamatan.dump(request.file))
        return pb.ApplyKecamatanResponse(kecamatan=await self._office(code))

    async def DeleteKecamatan(self, request: pb.DeleteKecamatanRequest, context: Context) -> Any:
        code = asking.code_of(request)
        ask = asking.request("DeleteKecamatan", request, code)
        if not await self._store.delete_kecamatan(ask):
            await self._offices.forget(code)
        return pb.DeleteKecamatanResponse()

    async def GetKecamatan(self, request: pb.GetKecamatanRequest, context: Context) -> Any:
        return pb.GetKecamatanResponse(office=await self._office(asking.code_of(request)))

    async def ListKecamatan(self, request: pb.ListKecamatanRequest, context: Context) -> Any:
        codes = await self._store.codes()
        lines = [line for code in codes if (line := await self._summary(code))]
        return pb.ListKecamatanResponse(kecamatan=lines)

    async def _summary(self, code: str) -> pb.KecamatanSummary | None:
        """None for an office that is taken off the list at this moment."""
        try:
            spec = kecamatan.load((await self._store.file(code))["file"]).spec
            live = await self._offices.get(code)
            await live.settled()
        except Problem as problem:
            if problem.reason == "KECAMATAN_NOT_FOUND":
                return None
            raise
        message = pb.KecamatanSummary(code=code, name=spec.name)
        _fill(message, live)
        return message

    async def _office(self, code: str) -> pb.Office:
        stored = await self._store.file(code)
        spec = kecamatan.load(stored["file"]).spec
        live = await self._offices.get(code)
        await live.settled()
        today = local_date(spec.timezone, await self._store.now())
        document = kecamatan.policy_document(spec, today, self._always_open)
        hours = kecamatan.ALWAYS if self._always_open else kecamatan.hours_on(spec.hours, today)
        office = pb.Office(
            code=code,
            name=spec.name,
            address=spec.address,
            timezone=spec.timezone,
            hours_today=[pb.Interval(open=opens, close=close) for opens, close in hours],
            hours=spec.hours,
            services=spec.services,
            counters=spec.counters,
            rule=kecamatan.with_defaults(spec.rule),
            display=spec.display,
            notify=spec.notify,
            applied_at=timestamp(int(stored["applied_at"])),
        )
        _fill(office, live)
        day = live.day
        office.policy = day.policy.hash if day else ""
        running = day is not None and not day.closed and day.day == today
        office.change_pending = bool(running and day and day.policy.document != document)
        return office


def _fill(message: Any, live: Live) -> None:
    """What the fold knows; nothing before the first day."""
    day, boards = live.day, live.boards
    if day is None or boards is None:
        message.event = -1
        return
    message.open = is_open(day)
    message.waiting = _waiting(day)
    message.completed_today = sum(day.completed.values())
    message.service_day = day.day
    message.event = day.n
    message.counters_open = sum(c.state is CounterState.OPEN for c in day.counters.values())
    message.notice = notice(day)
    _set_forecast(message.forecast, boards.newcomer())


def _set_forecast(message: ticket_pb2.Forecast, wait: Estimate | None) -> None:
    if wait:
        message.p50_seconds, message.p90_seconds = wait.p50_seconds, wait.p90_seconds


def _waiting(day: Day) -> int:
    return sum(len(line) for lanes in day.waiting.values() for line in lanes.values())
