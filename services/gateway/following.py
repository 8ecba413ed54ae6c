"""A stream of a service followed for a feed: again and again, for as long as anybody watches."""

import asyncio
import random
from collections.abc import AsyncIterable, Callable
from typing import TypeVar

import grpc

from services.chassis.errors import Problem
from services.gateway.streams import Feed

# What the same request would get again, however often it is sent.
LASTING = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT)
BACKOFF = (0.1, 5.0)  # seconds before the first and at most before any reconnection

M = TypeVar("M")


async def follow(
    feed: Feed, watch: Callable[[], AsyncIterable[M]], take: Callable[[M], None]
) -> None:
    """Gives `take` each message of the stream, and of another one whenever it ends or breaks off.
    Returns when the feed has ended; a problem that lasts ends it."""
    delay = BACKOFF[0]
    while not feed.ended:
        try:
            async for message in watch():
                delay = BACKOFF[0]
                take(message)
        except Problem as problem:
            if problem.status in LASTING:
                feed.end(problem)
                return
        feed.lost()
        await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311  (spread, no secret)
        delay = min(2 * delay, BACKOFF[1])
