"""How much may go on at once: in all, and by name."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Slots:
    """`free` deliveries may begin; whoever reserves gives back."""

    def __init__(self, count: int) -> None:
        self.free = count
        self._changed = asyncio.Condition()

    async def reserve(self, most: int) -> int:
        """At least one, once there is one."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.free > 0)
            count = min(most, self.free)
            self.free -= count
            return count

    async def release(self, count: int = 1) -> None:
        async with self._changed:
            self.free += count
            self._changed.notify_all()


class Lanes:
    """At most `width` at once for each name; names are known only while somebody uses them."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._lanes: dict[str, asyncio.Semaphore] = {}
        self._users: Counter[str] = Counter()

    @asynccontextmanager
    async def lane(self, name: str) -> AsyncIterator[None]:
        self._users[name] += 1
        try:
            async with self._lanes.setdefault(name, asyncio.Semaphore(self._width)):
                yield
        finally:
            self._users[name] -= 1
            if not self._users[name]:
                del self._users[name], self._lanes[name]
