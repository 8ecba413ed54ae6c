"""Streams that end when their server drains."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def until(draining: asyncio.Event, items: AsyncGenerator[T, None]) -> AsyncIterator[T]:
    """The items until the server drains: an open stream would keep it from stopping."""
    stop = asyncio.ensure_future(draining.wait())
    following: asyncio.Future[T] | None = None
    try:
        while not draining.is_set():
            following = asyncio.ensure_future(anext(items))
            await asyncio.wait({following, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                return
            yield following.result()
    finally:
        stop.cancel()
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        await items.aclose()
