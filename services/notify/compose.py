"""How notify is put together from its settings."""

from __future__ import annotations

import asyncio
import logging

from redis.exceptions import RedisError

from services.chassis import server
from services.chassis.credential import internal_channel
from services.notify import channels
from services.notify.agencies.compose import agencies
from services.notify.bindings import Bindings
from services.notify.catching_up import CatchingUp
from services.notify.config import NotifyConfig
from services.notify.offices import Offices
from services.notify.once import Once
from services.notify.outbox import Outbox
from services.notify.queue_client import QueueClient
from services.notify.sender import Sender
from services.notify.servicer import NotifyServicer
from services.notify.store import Store
from services.notify.vapid import with_vapid
from services.notify.whatsapp_servicer import WhatsAppServicer
from services.redis_link.link import Link
from tunggu.notify.v1 import notify_pb2, notify_pb2_grpc, whatsapp_pb2, whatsapp_pb2_grpc

NOTIFY = notify_pb2.DESCRIPTOR.services_by_name["NotifyService"]
WHATSAPP = whatsapp_pb2.DESCRIPTOR.services_by_name["WhatsAppService"]

log = logging.getLogger(__name__)


async def serve(settings: NotifyConfig) -> None:
    """Serves until SIGTERM, then drains. ConfigError: a key cannot be read."""
    redis = settings.redis()
    async with internal_channel(settings.queue, settings.key, "notify", settings) as through:
        settings = await _with_vapid(settings, redis)
        offered = channels.load(settings)
        queue, store, clock = QueueClient(through), Store(redis), settings.domain_clock()
        sender = Sender(Outbox(redis, settings.takeover), queue, offered, settings)
        offices = Offices(store, queue, sender, settings.look)
        catching_up = CatchingUp(store, queue, offices, clock)
        bindings = Bindings(store, offices, offered, catching_up)
        notify = NotifyServicer(store, queue, offered, catching_up, bindings, clock)
        once = Once(redis, settings.whatsapp_app_secret)
        whatsapp = WhatsAppServicer(settings, offered.get("whatsapp"), bindings, once)

        others = agencies(settings, redis, queue)

        async def ready() -> bool:
            return bool(await redis.ping())

        await server.serve(
            settings,
            [
                server.Service(
                    NOTIFY, lambda s: notify_pb2_grpc.add_NotifyServiceServicer_to_server(notify, s)
                ),
                server.Service(
                    WHATSAPP,
                    lambda s: whatsapp_pb2_grpc.add_WhatsAppServiceServicer_to_server(whatsapp, s),
                ),
                others.service,
            ],
            ready=ready,
            draining=asyncio.Event(),
            background=[offices.run, others.run],
        )
        await sender.finish()
        await others.close()
    for channel in offered.values():
        await channel.close()
    await redis.aclose()


async def _with_vapid(settings: NotifyConfig, redis: Link) -> NotifyConfig:
    """Waits for a Redis that is not there yet, as the rest of the process would."""
    while True:
        try:
            return await with_vapid(settings, redis)
        except RedisError as error:
            log.warning("cannot read the key of Web Push yet: %s", type(error).__name__)
        await asyncio.sleep(0.5)
