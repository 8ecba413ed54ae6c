"""All offices of the city, each followed and sent for; new ones are found by looking."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from services.chassis.errors import Problem
from services.notify.follower import Follower
from services.notify.queue_client import QueueClient
from services.notify.sender import Sender
from services.notify.store import Step, Store

log = logging.getLogger(__name__)


@dataclass
class Office:
    """One that is followed."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class Offices:
    """`run` follows all until cancelled, looking for new ones every `look` seconds."""

    def __init__(self, store: Store, queue: QueueClient, sender: Sender, look: float) -> None:
        self._store = store
        self._queue = queue
        self._sender = sender
        self._look = look
        self._offices: dict[str, Office] = {}

    @property
    def codes(self) -> list[str]:
        return sorted(self._offices)

    def see(self, code: str) -> None:
        """Somebody subscribed there: an office that is new is not waited for."""
        if code not in self._offices:
            self._offices[code] = self._follow(code)

    def wake(self, code: str) -> None:
        """Something became due there."""
        if code in self._offices:
            self._offices[code].woken.set()

    async def run(self) -> None:
        try:
            while True:
                await self._round()
                await asyncio.sleep(self._look if self._offices else min(self._look, 1.0))
        finally:
            await _end([task for office in self._offices.values() for task in office.tasks])

    async def _round(self) -> None:
        try:
            codes = (await self._queue.running_days()).keys()
        except Problem as problem:
            log.warning("cannot list the offices", extra={"fields": {"reason": problem.reason}})
            return
        for code in self._offices.keys() - codes:
            await _end(self._offices.pop(code).tasks)
            await self._forget(code)
        for code in codes - self._offices.keys():
            self._offices[code] = self._follow(code)

    def _follow(self, code: str) -> Office:
        office = Office()
        follower = Follower(code, self._store, self._queue, office.woken.set)
        serve = self._sender.serve(code, lambda: follower.day, office.woken)
        office.tasks = [asyncio.create_task(follower.run()), asyncio.create_task(serve)]
        return office

    async def _forget(self, code: str) -> None:
        """An office that has left the list has closed its day."""
        try:
            for day in await self._store.days(code):
                await self._store.close_day(Step(code, day))
        except Problem as problem:
            fields = {"kecamatan": code, "reason": problem.reason}
            log.warning("cannot forget an office's day", extra={"fields": fields})


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
