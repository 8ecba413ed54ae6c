"""Posts one office's journal to one webhook, as long as this replica holds its lease.

A batch is posted until it is taken, then its cursor is noted, then comes the next: in order, at
least once. Between a post that was taken and its note lies the only place where a batch can come
twice; its id is then the same if its events are.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from prometheus_client import Counter

from services.chassis.errors import Problem
from services.notify import signing
from services.notify.agencies import model
from services.notify.agencies.model import Item, Position, Webhook
from services.notify.agencies.store import WebhookStore
from services.notify.channels import Outcome, Result, refused
from services.notify.channels._attempt import attempt, judged
from services.notify.outgoing.posting import Outgoing, Reply

LINGER_S = 0.05
"""How long a batch waits for more events once it has one."""

START = "start"
PAUSE_S = 0.2
"""Before a stream that ended is opened again: a queue that restarts, a connection of old age."""

POSTS = Counter(
    "tunggu_notify_webhook_posts", "Attempts to post events to an agency. Sum.",
    ["kecamatan", "outcome"],
)  # fmt: skip
EVENTS = Counter(
    "tunggu_notify_webhook_events", "Events that agencies have taken. Sum.", ["kecamatan"]
)
log = logging.getLogger(__name__)


class Journal(Protocol):
    """The queue, as far as it is needed here."""

    def events(self, code: str, cursor: str) -> AsyncIterator[tuple[bytes, str]]:
        """Leaves after a cursor, each with the cursor after it."""

    async def newest(self, code: str) -> tuple[str, int]:
        """The last event: its day and number; ("", -1) before the first."""


class Lost(Exception):  # noqa: N818
    """The webhook is another replica's now, or nobody's."""


class Courier:
    """`run` ends when the webhook is paused or lost. `patience` in seconds: so long may it fail."""

    def __init__(
        self,
        code: str,
        webhook: Webhook,
        owner: str,
        store: WebhookStore,
        journal: Journal,
        out: Outgoing,
        patience: float,
    ) -> None:
        self._code = code
        self._webhook = webhook
        self._secret = signing.secret_bytes(webhook.secret)
        self._owner = owner
        self._store = store
        self._journal = journal
        self._out = out
        self._patience = patience

    async def run(self) -> None:
        """Problem: the journal or Redis is away; begin again later. Lost."""
        position = await self._store.position(self._code, self._webhook.id)
        while not position.paused:
            cursor = position.cursor or self._webhook.start
            try:
                await self._follow(position, cursor)
            except Problem as problem:
                await self._turn(problem)
            await asyncio.sleep(PAUSE_S)
            position = await self._store.position(self._code, self._webhook.id)

    async def _follow(self, position: Position, cursor: str) -> None:
        """Until the stream ends or the webhook is paused."""
        break_ = position.break_
        async with aclosing(_batches(self._journal.events(self._code, cursor))) as batches:
            async for batch in batches:
                if not await self._deliver(cursor, batch, break_, position):
                    return
                cursor, break_, position = batch[-1].cursor, "", Position()

    async def _turn(self, problem: Problem) -> None:
        """The journal does not go on from here: note where it does, and why."""
        position = await self._store.position(self._code, self._webhook.id)
        if problem.reason == "EVENTS_EXPIRED":
            told = model.break_of(problem.reason, position.day, position.event)
            await self._note(cursor=START, break_=told)
        elif problem.reason == "JOURNAL_REWOUND":
            newest, _ = await self._journal.newest(self._code)
            day = min(filter(None, (position.day, newest)), default="")
            told = model.break_of(problem.reason, day, -1)
            await self._note(cursor=f"{day}/-1" if day else START, break_=told)
        else:
            raise problem
        fields = {"kecamatan": self._code, "webhook": self._webhook.id, "reason": problem.reason}
        log.warning("a webhook's journal does not go on where it was", extra={"fields": fields})

    async def _deliver(
        self, before: str, batch: list[Item], break_: str, position: Position
    ) -> bool:
        """Whether it was taken; else the webhook is paused."""
        id = model.post_id(self._webhook.id, before, batch)
        attempts, since = position.attempts, position.failing_since
        while True:
            outcome = await self._post(id, batch, break_)
            if outcome.result is Result.ACCEPTED:
                await self._taken(batch)
                return True
            now = _now()
            attempts, since = attempts + 1, since or now
            wait = model.wait_s(attempts, outcome.after, random.random())  # noqa: S311
            paused = outcome.result is Result.GONE or now - since >= self._patience * 1000
            await self._note(
                failing_since=since, attempts=attempts, reason=outcome.reason,
                retry_at=0 if paused else now + int(wait * 1000), paused=paused,
            )  # fmt: skip
            if paused:
                fields = {"kecamatan": self._code, "webhook": self._webhook.id}
                log.warning("a webhook is paused", extra={"fields": fields})
                return False
            await asyncio.sleep(wait)

    async def _post(self, id: str, batch: list[Item], break_: str) -> Outcome:
        body = model.document(self._code, batch, break_, time.time())
        headers = signing.headers(self._secret, id, body)
        outcome = await attempt(self._out, self._webhook.url, body, headers, _judged)
        POSTS.labels(self._code, outcome.reason or outcome.result.value).inc()
        return outcome

    async def _taken(self, batch: list[Item]) -> None:
        day, event = batch[-1].place
        await self._note(
            cursor=batch[-1].cursor, day=day, event=event, delivered_at=_now(), break_="",
            failing_since=0, attempts=0, reason="", retry_at=0,
        )  # fmt: skip
        EVENTS.labels(self._code).inc(len(batch))

    async def _note(self, **changes: Any) -> None:
        if not await self._store.note(self._code, self._webhook.id, self._owner, **changes):
            raise Lost


def _judged(reply: Reply) -> Outcome:
    """As anywhere, but that an address which is not found may be a deployment of theirs."""
    return refused("REJECTED") if reply.status == 404 else judged(reply)


def _now() -> int:
    return int(time.time() * 1000)


@dataclass(frozen=True, slots=True)
class _End:
    """After the last event; `error` is why there are no more."""

    error: Exception | None = None


async def _batches(events: AsyncIterator[tuple[bytes, str]]) -> AsyncGenerator[list[Item], None]:
    """Events as they come, those together that come together. Ends, or fails, as `events` does,
    after what came before."""
    ready: asyncio.Queue[Item | _End] = asyncio.Queue(2 * model.BATCH)
    reader = asyncio.create_task(_read(events, ready))
    try:
        while True:
            got = [await ready.get()]
            await asyncio.sleep(LINGER_S)
            while len(got) < model.BATCH and not ready.empty():
                got.append(ready.get_nowait())
            if batch := [item for item in got if isinstance(item, Item)]:
                yield batch
            if isinstance(got[-1], _End):
                break
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    if got[-1].error:
        raise got[-1].error


async def _read(
    events: AsyncIterator[tuple[bytes, str]], ready: asyncio.Queue[Item | _End]
) -> None:
    end = _End()
    try:
        async for leaf, cursor in events:
            await ready.put(Item(leaf, cursor))
    except Exception as error:  # noqa: BLE001  (who takes the batches raises it)
        end = _End(error)
    await ready.put(end)
