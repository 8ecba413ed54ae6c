"""How notify is put together from its settings."""

from __future__ import annotations

import asyncio

from services.chassis import server
from services.chassis.credential import internal_channel
from services.notify import channels
from services.notify.bindings import Bindings
from services.notify.catching_up import CatchingUp
from services.notify.config import NotifyConfig
from services.notify.offices import Offices
from services.notify.outbox import Outbox
from services.notify.queue_client import QueueClient
from services.notify.sender import Sender
from services.notify.servicer import NotifyServicer
from services.notify.store import Store
from services.redis_link.redis_policy import redis_connection
from tunggu.notify.v1 import notify_pb2, notify_pb2_grpc

NOTIFY = notify_pb2.DESCRIPTOR.services_by_name["NotifyService"]


async def serve(settings: NotifyConfig) -> None:
    """Serves until SIGTERM, then drains. ConfigError: the key cannot be read."""
    clock = settings.domain_clock()
    redis = redis_connection(settings.redis_url)
    store = Store(redis)
    offered = channels.load(settings)

    async def ready() -> bool:
        return bool(await redis.ping())

    async with internal_channel(settings.queue, settings.key, "notify", settings) as through:
        queue = QueueClient(through)
        sender = Sender(Outbox(redis, settings.takeover), queue, offered, settings)
        offices = Offices(store, queue, sender, settings.look)
        catching_up = CatchingUp(store, queue, offices, clock)
        bindings = Bindings(store, offices, catching_up)
        servicer = NotifyServicer(store, queue, offered, catching_up, bindings, clock)
        service = server.Service(
            NOTIFY, lambda s: notify_pb2_grpc.add_NotifyServiceServicer_to_server(servicer, s)
        )
        await server.serve(
            settings,
            [service],
            ready=ready,
            draining=asyncio.Event(),
            background=[offices.run],
        )
        await sender.finish()
    for channel in offered.values():
        await channel.close()
    await redis.aclose()
