"""What became due while a subscription was being made.

The journal is followed by tickets that have a subscription. What happened to a ticket between the
look at it and the saving is found by looking again.
"""

from __future__ import annotations

import time

from services.notify import metrics
from services.notify.model import NEAR
from services.notify.moves import move_of
from services.notify.offices import Offices
from services.notify.queue_client import QueueClient, desk_of, thresholds_of
from services.notify.store import Step, Store, facts
from services.redis_link.clock import Clock
from tunggu.queue.v1.ticket_pb2 import Ticket


class CatchingUp:
    """Does for one ticket what a follower does for all."""

    def __init__(self, store: Store, queue: QueueClient, offices: Offices, clock: Clock) -> None:
        self._store = store
        self._queue = queue
        self._offices = offices
        self._clock = clock

    async def after(self, ticket_id: str) -> None:
        """Any failure leaves the subscription as it is; asking again mends it."""
        ticket = await self._queue.ticket(ticket_id)
        office = await self._queue.office(ticket.kecamatan)
        at = Step(ticket.kecamatan, ticket.service_day)
        self._offices.see(at.code)
        move = move_of(ticket, lambda counter: desk_of(office, counter))
        moved = await self._store.move_ticket(at, move)
        metrics.DUE.labels(at.code, move.kind or "CAUGHT_UP").inc(moved)
        near = 0
        if ticket.state == Ticket.STATE_WAITING:
            now = self._clock.read(time.time_ns() // 1_000_000)
            place, due = [(ticket.number, ticket.ahead)], facts(due=now)
            near = await self._store.come_near(at, place, thresholds_of(office), due)
            metrics.DUE.labels(at.code, NEAR).inc(near)
        if moved or near:
            self._offices.wake(at.code)
