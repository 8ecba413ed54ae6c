"""Long walks in short steps, so that ten thousand writes do not keep a request waiting."""

import asyncio
from collections import deque
from collections.abc import Callable

# Watchers a turn. A write costs 10 to 20 us with its system call, so a turn takes some 4 ms;
# going on at the next turn costs some 20 us, which a smaller step would make felt.
STEP = 256

Step = Callable[[int], bool]


class Turns:
    """Takes one step of one walk at each turn of the event loop; all walks go on side by side.

    Between two turns the loop serves whatever else is due. A step is given how much it may
    do at most, and says whether there is more.
    """

    def __init__(self) -> None:
        self._steps: deque[Step] = deque()
        self._due = False

    def add(self, step: Step) -> None:
        """Begins a walk, at the next turn."""
        self._steps.append(step)
        self._go_on()

    def _turn(self) -> None:
        self._due = False
        step = self._steps.popleft()
        try:
            if step(STEP):
                self._steps.append(step)
        finally:
            self._go_on()

    def _go_on(self) -> None:
        if self._steps and not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._turn)
