"""Fair turns: who asks much does not hold up who asks little.

Work has a key, such as an office's code. Each key has a line of its own and lines take turns, so
that a rush on one key costs the others at most the `each` pieces of it that run. Absent: time,
and any reading of what the work is.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .errors import Problem

_Line = deque[asyncio.Future[None]]


class Turns:
    """At most `running` pieces at once, `each` of one key; at most `waiting` wait, for at most
    `patience` seconds.

    Beyond that who came last in the longest line is refused, so that the lines are bounded and no
    key crowds out another.
    """

    def __init__(self, running: int, each: int, waiting: int, patience: float) -> None:
        self._free = running
        self._each = each
        self._most = waiting
        self._patience = patience
        self._waiting = 0
        self._running: dict[str, int] = {}
        self._lines: dict[str, _Line] = {}  # in the order of their turns

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Around the work, once it is its turn. OVERLOADED: there are too many."""
        if self._free and key not in self._lines and self._running.get(key, 0) < self._each:
            self._begin(key)
        else:
            await self._wait(key)
        try:
            yield
        finally:
            self._end(key)

    def _begin(self, key: str) -> None:
        self._free -= 1
        self._running[key] = self._running.get(key, 0) + 1

    def _end(self, key: str) -> None:
        self._free += 1
        self._running[key] -= 1
        if not self._running[key]:
            del self._running[key]
        self._let_in()

    async def _wait(self, key: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._lines.setdefault(key, deque()).append(turn)
        self._waiting += 1
        if self._waiting > self._most:
            self._shed()
        try:
            async with asyncio.timeout(self._patience):
                await self._called(key, turn)
        except TimeoutError:
            raise Problem("OVERLOADED") from None

    async def _called(self, key: str, turn: asyncio.Future[None]) -> None:
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(key, turn)
            elif turn.exception() is None:  # it was let in in the same moment
                self._end(key)
            raise

    def _forget(self, key: str, turn: asyncio.Future[None]) -> None:
        """It is cancelled; it may have been passed over before it could say so."""
        line = self._lines.get(key)
        if line and turn in line:
            self._waiting -= 1
            line.remove(turn)
            if not line:
                del self._lines[key]

    def _shed(self) -> None:
        longest = max(self._lines, key=lambda key: len(self._lines[key]))
        turn = self._leave(longest, last=True)
        if not turn.done():
            turn.set_exception(Problem("OVERLOADED"))

    def _let_in(self) -> None:
        """Who is next of the first line that may begin; that line is then the last."""
        while self._free:
            free = (key for key in self._lines if self._running.get(key, 0) < self._each)
            key = next(free, None)
            if key is None:
                return
            turn = self._leave(key)
            if key in self._lines:
                self._lines[key] = self._lines.pop(key)
            if not turn.done():
                self._begin(key)
                turn.set_result(None)

    def _leave(self, key: str, *, last: bool = False) -> asyncio.Future[None]:
        line = self._lines[key]
        turn = line.pop() if last else line.popleft()
        self._waiting -= 1
        if not line:
            del self._lines[key]
        return turn
