"""The calls to the queue that more than one service makes.

What may be a few seconds old is kept that long, so that many who look at an office cost the queue
one question.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.message import Message

from services.chassis.errors import Problem
from services.queue_link.kept import Kept
from tunggu.queue.v1 import kecamatan_pb2, kecamatan_pb2_grpc, queue_pb2, queue_pb2_grpc

PATIENCE_S = 1.5
"""How long any answer is waited for: who asks us waits for several, and not for long."""

OFFICE_S = 5.0
"""How old an office's description may be."""

UNTRUSTED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class QueueLink:
    """`channel` carries our own INTERNAL token."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.queue = queue_pb2_grpc.QueueServiceStub(channel)
        self.offices = kecamatan_pb2_grpc.KecamatanServiceStub(channel)
        self._known = Kept(OFFICE_S)

    async def office(self, code: str) -> kecamatan_pb2.Office:
        """KECAMATAN_NOT_FOUND."""

        async def ask() -> kecamatan_pb2.Office:
            request = kecamatan_pb2.GetKecamatanRequest(kecamatan=code)
            return (await said(self.offices.GetKecamatan, request)).office  # type: ignore[no-any-return]

        return await self._known.get(code, ask)

    async def running_days(self) -> dict[str, str]:
        """The running or last day of each office, empty before the first."""
        answer = await said(self.offices.ListKecamatan, kecamatan_pb2.ListKecamatanRequest())
        return {line.code: line.service_day for line in answer.kecamatan}

    async def events(self, code: str, cursor: str) -> AsyncIterator[tuple[bytes, str]]:
        """The leaves that come after the cursor (empty: from now on), each with the cursor after
        it, until the stream ends or breaks off with a Problem."""
        request = queue_pb2.WatchEventsRequest(kecamatan=code, cursor=cursor)
        async for message in self.queue.WatchEvents(request):
            yield message.leaf, message.cursor


async def said(call: Callable[..., Awaitable[Any]], request: Message) -> Any:
    """That the queue does not accept our own token is our trouble, not the caller's."""
    try:
        return await call(request, timeout=PATIENCE_S)
    except Problem as problem:
        if problem.status in UNTRUSTED:
            private = f"the queue refuses our token: {problem.reason}"
            raise Problem("SERVICE_UNAVAILABLE", private=private) from None
        raise
