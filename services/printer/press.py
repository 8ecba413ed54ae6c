"""One slip at a time, and no copy of it twice.

A copy that has left, or of which some may have left, is never sent again: whoever needs another
asks for another copy. A copy of which nothing has left may be asked for again. What is remembered
is in memory, for as many tickets as an office gives in a day, and not by their ids.
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from services.chassis.errors import Problem
from services.printer import metrics
from services.printer.slip import Slip
from services.printer.status import State
from services.printer.wire import Away, Cut, Way, Wire

MOST_WAITING = 4  # slips; one kiosk has one person before it
MOST_TICKETS = 4096
log = logging.getLogger(__name__)


class Press:
    """`compose` makes bytes of a slip. `state` is of the last look: None, there is no way."""

    def __init__(self, way: Way, compose: Callable[[Slip], bytes]) -> None:
        self._way = way
        self._compose = compose
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._copies: OrderedDict[bytes, dict[int, bool]] = OrderedDict()
        self.state: State | None = None

    async def print(self, slip: Slip) -> int:
        """The highest copy of the ticket that there is. PRINTER_AWAY, NO_PAPER, OVERLOADED:
        nothing has left; PRINT_UNCERTAIN: something may have."""
        if self._waiting >= MOST_WAITING:
            raise Problem("OVERLOADED")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._print(slip)
        finally:
            self._waiting -= 1

    async def look(self) -> None:
        """Asks the printer how it is, and shows that to Prometheus."""
        async with self._turn:
            with suppress(Away):
                await asyncio.to_thread(self._look)

    async def _print(self, slip: Slip) -> int:
        copies = self._copies_of(slip.ticket)
        if slip.copy not in copies:
            await self._counted(slip, copies)
        if not copies[slip.copy]:
            raise Problem("PRINT_UNCERTAIN")
        return max(copies)

    async def _counted(self, slip: Slip, copies: dict[int, bool]) -> None:
        try:
            await self._send(slip, copies)
        except Problem as problem:
            metrics.FAILED.labels(problem.reason).inc()
            fields = {"reason": problem.reason, "detail": problem.private}
            log.warning("not printed", extra={"fields": fields})
            raise
        metrics.PRINTED.inc()
        log.info("printed")

    async def _send(self, slip: Slip, copies: dict[int, bool]) -> None:
        data = self._compose(slip)
        copies[slip.copy] = False  # until it is known to be otherwise
        try:
            await asyncio.to_thread(self._put, data)
        except Away as error:
            del copies[slip.copy]
            raise Problem(error.reason, private=str(error)) from None
        except Cut as error:
            raise Problem("PRINT_UNCERTAIN", private=str(error)) from None
        copies[slip.copy] = True

    def _put(self, data: bytes) -> None:
        """Away, Cut."""
        with self._opened() as wire:
            before = wire.state()
            self._show(before)
            if before.paper is False:
                raise Away("no paper", reason="NO_PAPER")
            if not before.ready:
                raise Away("offline")
            wire.send(data, self._way.patience)
            wire.settle(before, self._way.patience)

    def _look(self) -> None:
        with self._opened() as wire:
            self._show(wire.state())

    @contextmanager
    def _opened(self) -> Iterator[Wire]:
        """Away, which is shown."""
        try:
            with self._way.opened() as wire:
                yield wire
        except Away as error:
            if error.reason == "PRINTER_AWAY":
                self._show(None)
            raise

    def _show(self, state: State | None) -> None:
        self.state = state
        metrics.show(state)

    def _copies_of(self, ticket: str) -> dict[int, bool]:
        """By copy, whether it left whole."""
        key = hashlib.sha256(ticket.encode()).digest()
        copies = self._copies.setdefault(key, {})
        self._copies.move_to_end(key)
        while len(self._copies) > MOST_TICKETS:
            self._copies.popitem(last=False)
        return copies
