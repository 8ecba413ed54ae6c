"""NotifyService over gRPC."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import grpc

from services.chassis.errors import Problem
from services.notify import asking, view
from services.notify.bindings import Bindings
from services.notify.catching_up import CatchingUp
from services.notify.channels import Channel, Target
from services.notify.model import FAR, Stored, passed, subscription_id
from services.notify.moves import STATES
from services.notify.queue_client import QueueClient, thresholds_of
from services.notify.store import Move, Step, Store
from services.redis_link.clock import Clock
from tunggu.notify.v1 import notify_pb2 as pb
from tunggu.notify.v1 import notify_pb2_grpc
from tunggu.queue.v1.ticket_pb2 import Ticket

Context = grpc.aio.ServicerContext[Any, Any]


class NotifyServicer(notify_pb2_grpc.NotifyServiceServicer):
    """Admission is the chassis' (roles), the queue's (who knows a ticket's id) and `asking`'s
    (form); the rule is the script's."""

    def __init__(
        self,
        store: Store,
        queue: QueueClient,
        offered: Mapping[str, Channel],
        catching_up: CatchingUp,
        bindings: Bindings,
        clock: Clock,
    ) -> None:
        self._store = store
        self._queue = queue
        self._offered = offered
        self._catching_up = catching_up
        self._bindings = bindings
        self._clock = clock

    async def CreateSubscription(
        self, request: pb.CreateSubscriptionRequest, context: Context
    ) -> Any:
        wanted, language = asking.target_of(request), asking.language_of(request)
        ticket = await self._queue.ticket(request.ticket_id)
        ask = asking.request("CreateSubscription", request, ticket.kecamatan)
        asking.check_live(ticket)
        channel = self._channel(wanted)
        code = asking.new_code(ticket.kecamatan) if channel.link("") else ""
        if not code:  # else there is nothing to check until the citizen writes
            await channel.check(wanted)
        now = self._clock.read(time.time_ns() // 1_000_000)
        target = Stored(wanted.channel, language, now, wanted.address, wanted.secrets, code)
        sub = subscription_id(request.ticket_id, wanted.channel, wanted.address)
        kept = await self._store.create_subscription(
            ask, _at(ticket), _standing(ticket), request.ticket_id, await self._near(ticket),
            sub, target,
        )  # fmt: skip
        await self._catching_up.after(request.ticket_id)
        shown = view.subscription(sub, ticket.number, kept, self._offered)
        return pb.CreateSubscriptionResponse(subscription=shown)

    def _channel(self, wanted: Target) -> Channel:
        channel = self._offered.get(wanted.channel)
        if channel is None:
            raise Problem("CHANNEL_NOT_OFFERED")
        return channel

    async def _near(self, ticket: Ticket) -> int:
        """The threshold that whoever subscribes has passed already, and sees on the page."""
        if ticket.state != Ticket.STATE_WAITING:
            return FAR
        office = await self._queue.office(ticket.kecamatan)
        return passed(ticket.ahead, thresholds_of(office))

    async def DeleteSubscription(
        self, request: pb.DeleteSubscriptionRequest, context: Context
    ) -> Any:
        ticket = await self._queue.ticket(request.ticket_id)
        sub = asking.subscription_of(request)
        ask = asking.request("DeleteSubscription", request, ticket.kecamatan)
        await self._store.delete_subscription(ask, _at(ticket), ticket.number, sub)
        return pb.DeleteSubscriptionResponse()

    async def ListDeliveries(self, request: pb.ListDeliveriesRequest, context: Context) -> Any:
        ticket = await self._queue.ticket(request.ticket_id)
        where = (ticket.kecamatan, ticket.service_day, ticket.number)
        record = await self._store.record(*where)
        if record is None:
            return pb.ListDeliveriesResponse()
        targets = await self._store.targets(*where, [*record.subs, *record.waiting])
        kept = await self._store.deliveries(*where, record.logged)
        return pb.ListDeliveriesResponse(
            subscriptions=[
                view.subscription(sub, ticket.number, stored, self._offered)
                for sub, stored in targets
            ],
            deliveries=[view.delivery(text) for text in kept],
        )

    async def ListChannels(self, request: pb.ListChannelsRequest, context: Context) -> Any:
        return view.offers(self._offered)

    async def BindPhone(self, request: pb.BindPhoneRequest, context: Context) -> Any:
        phone = asking.phone_of(request)
        return pb.BindPhoneResponse(reply=await self._bindings.bind(request.text, phone))

    async def ReleasePhone(self, request: pb.ReleasePhoneRequest, context: Context) -> Any:
        phone = asking.phone_of(request)
        return pb.ReleasePhoneResponse(reply=await self._bindings.release(phone))


def _at(ticket: Ticket) -> Step:
    return Step(ticket.kecamatan, ticket.service_day)


def _standing(ticket: Ticket) -> Move:
    return Move(ticket.number, ticket.event, STATES[ticket.state])
