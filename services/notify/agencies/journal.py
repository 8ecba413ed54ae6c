"""The queue as agencies' webhooks need it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable

from services.queue_link.kept import Kept
from services.queue_link.link import QueueLink, said
from tunggu.queue.v1 import queue_pb2

OFFICES_S = 30.0
"""How old the list of offices may be."""


class QueueJournal:
    """Over the link that the process has anyway."""

    def __init__(self, link: QueueLink) -> None:
        self._link = link
        self._offices = Kept(OFFICES_S)

    def events(self, code: str, cursor: str) -> AsyncIterator[tuple[bytes, str]]:
        """Leaves after a cursor, each with the cursor after it, until the stream ends or breaks
        off with a Problem."""
        return self._link.events(code, cursor)

    async def newest(self, code: str) -> tuple[str, int]:
        """The last event: its day and number; ("", -1) before the first. KECAMATAN_NOT_FOUND."""
        request = queue_pb2.GetBoardRequest(kecamatan=code)
        board = json.loads((await said(self._link.queue.GetBoard, request)).body)
        return (board["day"], board["event"]) if board["event"] >= 0 else ("", -1)

    async def offices(self) -> Iterable[str]:
        """Their codes."""
        return await self._offices.get("all", self._link.running_days)
