"""Answers that many want and one asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Kept:
    """Answers by key, each asked for once in `seconds` however many want it. Failures are not
    kept."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[Any, tuple[float, asyncio.Future[Any]]] = {}

    async def get(self, key: Any, ask: Callable[[], Awaitable[T]]) -> T:
        now = asyncio.get_running_loop().time()
        since, answer = self._known.get(key, (0.0, None))
        if answer is None or (answer.done() and (_failed(answer) or now - since > self._seconds)):
            self._drop_old(now)
            answer = asyncio.ensure_future(ask())
            self._known[key] = now, answer
        return await asyncio.shield(answer)

    def forget(self, key: Any) -> None:
        self._known.pop(key, None)

    def _drop_old(self, now: float) -> None:
        old = [k for k, (t, a) in self._known.items() if a.done() and now - t > self._seconds]
        for key in old:
            del self._known[key]


def _failed(answer: asyncio.Future[Any]) -> bool:
    return answer.cancelled() or answer.exception() is not None
