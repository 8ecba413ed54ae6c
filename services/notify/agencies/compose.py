"""How the agencies' part of notify is put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from services.chassis.server import Service
from services.notify.agencies.deliverer import Deliverer
from services.notify.agencies.journal import QueueJournal
from services.notify.agencies.servicer import WebhookServicer
from services.notify.agencies.store import WebhookStore
from services.notify.config import NotifyConfig
from services.notify.outgoing.posting import Outgoing
from services.queue_link.link import QueueLink
from services.redis_link.link import Link
from tunggu.notify.v1 import webhooks_pb2, webhooks_pb2_grpc

WEBHOOKS = webhooks_pb2.DESCRIPTOR.services_by_name["WebhookService"]


@dataclass(frozen=True)
class Agencies:
    """What a process serves, does in the background, and lets go of at its end."""

    service: Service
    run: Callable[[], Coroutine[Any, Any, None]]
    close: Callable[[], Awaitable[None]]


def agencies(settings: NotifyConfig, redis: Link, queue: QueueLink) -> Agencies:
    out = Outgoing(settings.agency_policy())
    store, journal = WebhookStore(redis), QueueJournal(queue)
    deliverer = Deliverer(store, journal, out, settings.webhook_patience, settings.takeover)
    servicer = WebhookServicer(store, journal, out, queue.office, deliverer.look)
    return Agencies(
        Service(
            WEBHOOKS, lambda s: webhooks_pb2_grpc.add_WebhookServiceServicer_to_server(servicer, s)
        ),
        deliverer.run,
        out.close,
    )
