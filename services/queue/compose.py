"""How the queue is put together from its settings."""

from __future__ import annotations

import asyncio
from typing import Any

from services.chassis import server
from services.queue.admin import KecamatanServicer
from services.queue.archive import Archive
from services.queue.config import QueueConfig
from services.queue.displays import Displays
from services.queue.in_turn import InTurn, fair_turns
from services.queue.metrics import shown
from services.queue.offices import Offices
from services.queue.servicer import QueueServicer
from services.queue.store import Store
from tunggu.queue.v1 import kecamatan_pb2, kecamatan_pb2_grpc, queue_pb2, queue_pb2_grpc

QUEUE = queue_pb2.DESCRIPTOR.services_by_name["QueueService"]
KECAMATAN = kecamatan_pb2.DESCRIPTOR.services_by_name["KecamatanService"]


async def serve(settings: QueueConfig) -> None:
    """Serves until SIGTERM, then drains."""
    redis = settings.redis()
    store = Store(redis, settings.domain_clock(), settings.always_open)
    offices = Offices(store, Archive(redis), settings.tick)
    displays = Displays(redis)
    draining = asyncio.Event()
    turns = fair_turns()
    queue: Any = InTurn(QueueServicer(store, offices, displays, draining), turns)
    admin: Any = InTurn(KecamatanServicer(store, offices, settings.always_open), turns)

    async def ready() -> bool:
        return bool(await redis.ping()) and offices.ready

    with shown(offices, displays.seen):
        await server.serve(
            settings,
            [
                server.Service(
                    QUEUE, lambda s: queue_pb2_grpc.add_QueueServiceServicer_to_server(queue, s)
                ),
                server.Service(
                    KECAMATAN,
                    lambda s: kecamatan_pb2_grpc.add_KecamatanServiceServicer_to_server(admin, s),
                ),
            ],
            ready=ready,
            draining=draining,
            background=[offices.run],
        )
    await redis.aclose()
