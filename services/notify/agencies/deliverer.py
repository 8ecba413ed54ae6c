"""Sees to it that every webhook of every office has one replica that posts to it."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable
from typing import Protocol

from services.chassis.errors import Problem
from services.notify.agencies.courier import Courier, Journal, Lost
from services.notify.agencies.model import Webhook
from services.notify.agencies.store import WebhookStore
from services.notify.outgoing.posting import Outgoing

LOOK_S = 2.0
"""Between two looks for webhooks that nobody posts to."""

log = logging.getLogger(__name__)


class Offices(Journal, Protocol):
    """The queue, as far as it is needed here."""

    async def offices(self) -> Iterable[str]:
        """Their codes."""


class Deliverer:
    """`run` works until cancelled. `patience` in seconds: so long may a webhook fail. `lease` in
    seconds: for so long a replica that fell silent keeps others from its webhooks."""

    def __init__(
        self,
        store: WebhookStore,
        journal: Offices,
        out: Outgoing,
        patience: float,
        lease: float = 15.0,
    ) -> None:
        self._store = store
        self._journal = journal
        self._out = out
        self._patience = patience
        self._lease_s = lease
        self._owner = secrets.token_hex(8)
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._called = asyncio.Event()

    def look(self) -> None:
        """Something has changed: look now."""
        self._called.set()

    async def run(self) -> None:
        try:
            while True:
                self._called.clear()
                await self._round()
                await self._rest()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._called.wait(), LOOK_S)
        except TimeoutError:
            pass

    async def _round(self) -> None:
        self._tasks = {key: task for key, task in self._tasks.items() if not task.done()}
        try:
            for code in await self._journal.offices():
                for webhook in await self._store.webhooks(code):
                    if (code, webhook.id) not in self._tasks:
                        task = asyncio.create_task(self._serve(code, webhook))
                        self._tasks[code, webhook.id] = task
        except Problem as problem:
            log.warning("cannot look for webhooks", extra={"fields": {"reason": problem.reason}})

    async def _serve(self, code: str, webhook: Webhook) -> None:
        """Posts to it while the lease can be had and kept."""
        try:
            if (await self._store.position(code, webhook.id)).paused:
                return
            if await self._leased(code, webhook):
                await self._posting(code, webhook)
        except Lost:
            pass
        except Problem as problem:
            fields = {"kecamatan": code, "webhook": webhook.id, "reason": problem.reason}
            log.info("posting to a webhook is interrupted", extra={"fields": fields})
        except Exception:
            log.exception("unexpected", extra={"fields": {"kecamatan": code}})

    async def _leased(self, code: str, webhook: Webhook) -> bool:
        ms = int(self._lease_s * 1000)
        return await self._store.lease(code, webhook.id, self._owner, ms)

    async def _posting(self, code: str, webhook: Webhook) -> None:
        courier = Courier(
            code, webhook, self._owner, self._store, self._journal, self._out, self._patience
        )
        posting = asyncio.create_task(courier.run())
        try:
            while not posting.done():
                await asyncio.wait({posting}, timeout=self._lease_s / 3)
                if not await self._leased(code, webhook):
                    raise Lost
            await posting
        finally:
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=True)
            await self._store.lease(code, webhook.id, self._owner, 0)
