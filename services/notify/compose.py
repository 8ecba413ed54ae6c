"""How notify is put together from its settings."""

from __future__ import annotations

import asyncio

from services.chassis import server
from services.notify import channels
from services.notify.config import NotifyConfig
from services.redis_link.redis_policy import redis_connection


async def serve(settings: NotifyConfig) -> None:
    """Serves until SIGTERM, then drains. ConfigError: the key cannot be read."""
    redis = redis_connection(settings.redis_url)
    offered = channels.load(settings)

    async def ready() -> bool:
        return bool(await redis.ping())

    await server.serve(settings, [], ready=ready, draining=asyncio.Event())
    for channel in offered.values():
        await channel.close()
    await redis.aclose()
