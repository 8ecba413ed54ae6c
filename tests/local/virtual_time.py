"""An event loop whose time jumps to the next thing to do, so that a day takes no time.

Only for coroutines that wait for timers and for each other, not for sockets.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from services.local.clock import Clock

T = TypeVar("T")


class _Jumping(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "nobody will ever wake anybody"
            self.now += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.jumping = _Jumping()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now


class VirtualClock(Clock):
    """Starts at `start_ms` when its loop does."""

    def now_ms(self) -> float:
        return self.start_ms + asyncio.get_running_loop().time() * 1000 * self.speed


def live(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs it in a loop of its own, from virtual time 0 on."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(coroutine)
