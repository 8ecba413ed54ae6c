"""Who comes in when thousands do at once: first come, first served, a few at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.chassis.errors import Problem


class Door:
    """Lets at most `width` be inside. Who waits longer than `patience` seconds is sent away."""

    def __init__(self, width: int, patience: float) -> None:
        self._width = asyncio.Semaphore(width)
        self._patience = patience

    @asynccontextmanager
    async def inside(self) -> AsyncIterator[None]:
        """OVERLOADED for who waited too long."""
        if self._width.locked():
            await self._wait()
        else:
            await self._width.acquire()
        try:
            yield
        finally:
            self._width.release()

    async def passed(self) -> None:
        """Goes through; at most `width` do so at one turn of the event loop. OVERLOADED."""
        async with self.inside():
            await asyncio.sleep(0)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._width.acquire()
        except TimeoutError:
            raise Problem("OVERLOADED") from None
