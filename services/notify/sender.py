"""Makes the deliveries of all offices: so many at once, so many to one host, and none to a host
that fails again and again.

Everything that matters is in the outbox: a sender that dies leaves its deliveries to others.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from services.chassis.errors import Problem
from services.notify import metrics
from services.notify.bounds import Lanes, Slots
from services.notify.channels import ACCEPTED, Channel, Outcome, Result, retry
from services.notify.config import NotifyConfig
from services.notify.letters import letter, target
from services.notify.model import Record, Stored, of_use
from services.notify.outbox import Outbox, Taken
from services.notify.pace import Breaker, pause
from services.notify.queue_client import QueueClient
from services.queue_link.link import AWAY

BATCH = 16
POLL_S = 1.0
"""A replica that made nothing due itself looks so often whether there is something to do."""

DEPTH_S = 5.0
FRESH_S = 1.0
"""What was read so long ago is read again before the channel is asked."""

SETTLE_S = 1.0
"""After Redis was away the others settle what they had before anything is taken over."""

PAUSE_S = 0.2

T = TypeVar("T")
log = logging.getLogger(__name__)


class Sender:
    """All offices' deliveries of this process."""

    def __init__(
        self,
        outbox: Outbox,
        queue: QueueClient,
        offered: Mapping[str, Channel],
        settings: NotifyConfig,
    ) -> None:
        self._outbox = outbox
        self._queue = queue
        self._offered = offered
        self._settings = settings
        self._clock = settings.domain_clock()
        self._slots = Slots(settings.at_once)
        self._lanes = Lanes(settings.at_once_host)
        self._breaker = Breaker(time.monotonic)
        self._running: dict[asyncio.Task[None], tuple[str, str]] = {}
        self._woken: dict[str, asyncio.Event] = {}

    # Taking -------------------------------------------------------------------------------------

    async def serve(self, code: str, day: Callable[[], str], woken: asyncio.Event) -> None:
        """Makes an office's deliveries until cancelled; `woken` is set when one became due."""
        self._woken[code] = woken
        try:
            await self._look_after(code, day, woken)
        finally:
            metrics.forget(code)

    async def _look_after(self, code: str, day: Callable[[], str], woken: asyncio.Event) -> None:
        while True:
            try:
                await self._outbox.open(code)
                await self._serve(code, day, woken)
            except Problem as problem:
                fields = {"kecamatan": code, "reason": problem.reason}
                log.warning("cannot look after the outbox", extra={"fields": fields})
            except Exception:  # a bug must not leave an office alone
                log.exception("unexpected", extra={"fields": {"kecamatan": code}})
            await asyncio.sleep(PAUSE_S)

    async def _serve(self, code: str, day: Callable[[], str], woken: asyncio.Event) -> None:
        over_at, depth_at = time.monotonic() + SETTLE_S, 0.0
        while True:
            woken.clear()
            now = time.monotonic()
            if now > depth_at:
                depth_at = now + DEPTH_S
                await self._measure(code, day())
            soon = await self._outbox.wake(code)
            found = await self._round(code, take_over=now > over_at)
            if now > over_at:
                over_at = now + self._settings.takeover / 4
            if not found:
                await _until(woken, POLL_S if soon is None else min(POLL_S, soon))

    async def _round(self, code: str, *, take_over: bool) -> int:
        """How many deliveries began."""
        count, taken = await self._slots.reserve(BATCH), []
        try:
            if take_over:
                taken = self._not_ours(code, await self._outbox.take_over(code, count))
                metrics.TAKEN_OVER.inc(len(taken))
            if len(taken) < count:
                taken += await self._outbox.take(code, count - len(taken))
        finally:
            await self._slots.release(count - len(taken))
            for each in taken:
                self._start(code, each)
        return len(taken)

    def _start(self, code: str, taken: Taken) -> None:
        task = asyncio.create_task(self._deliver(code, taken))
        self._running[task] = code, taken.id
        task.add_done_callback(self._running.pop)

    def _not_ours(self, code: str, taken: list[Taken]) -> list[Taken]:
        """Without what we are at already, and have not settled while Redis was away."""
        at = set(self._running.values())
        return [each for each in taken if (code, each.id) not in at]

    async def finish(self) -> None:
        """Lets what has begun come to its end."""
        if self._running:
            await asyncio.wait(self._running, timeout=2 * self._settings.send_timeout)

    async def _measure(self, code: str, day: str) -> None:
        depth = await self._outbox.depth(code, day)
        metrics.OUTBOX.labels(code).set(depth.waiting + depth.later)
        metrics.OLDEST.labels(code).set(depth.oldest / 1000)
        metrics.SUBSCRIPTIONS.labels(code).set(depth.subscriptions)

    # One delivery ---------------------------------------------------------------------------------

    async def _deliver(self, code: str, taken: Taken) -> None:
        try:
            await self._look_and_send(code, taken)
        except Problem as problem:  # it stays ours until another replica, or we, take it over
            log.warning("cannot deliver now", extra={"fields": {"reason": problem.reason}})
        except Exception:
            log.exception("unexpected", extra={"fields": {"kecamatan": code}})
        finally:
            await self._slots.release()

    async def _look_and_send(self, code: str, taken: Taken) -> None:
        read, ready = time.monotonic(), await self._ready(code, taken)
        if ready is None:
            return
        host = target(ready[1]).host
        async with self._lanes.lane(host):
            if time.monotonic() - read > FRESH_S:
                ready = await self._ready(code, taken, renew=True)
            if ready is not None:
                await self._send(code, taken, host, *ready)

    async def _ready(
        self, code: str, taken: Taken, *, renew: bool = False
    ) -> tuple[Record, Stored] | None:
        """What a delivery needs; None if it is no longer ours, or settled as of no use."""
        within, look = self._settings.takeover / 2, self._outbox.look
        case = await insist(lambda: look(code, taken, renew=renew), within)
        if not case.ours:
            return None
        now = time.time_ns() // 1_000_000
        use = of_use(taken.entry, case.record, case.stop, now, self._clock.read(now))
        if not use or case.record is None or case.target is None:
            await self._settle(code, taken, {"state": "EXPIRED"}, tried=False)
            return None
        if taken.entry.channel not in self._offered:
            await self._fail(code, taken, "CHANNEL_NOT_OFFERED")
            return None
        return case.record, case.target

    async def _send(
        self, code: str, taken: Taken, host: str, record: Record, stored: Stored
    ) -> None:
        if rest := self._breaker.wait(host):
            wait = rest * (1 + random.random() / 2)  # noqa: S311
            rests = {"state": "QUEUED", "reason": "HOST_RESTS"}
            await self._settle(code, taken, rests, wait=wait, tried=False)
            return
        try:
            outcome = await self._attempt(code, taken, record, stored)
        except BaseException:
            self._breaker.abandoned(host)
            raise
        self._judge(host, outcome)
        name = _label(taken)
        metrics.ATTEMPTS.labels(name, outcome.result.value, outcome.reason or "OK").inc()
        await self._conclude(code, taken, outcome)

    async def _attempt(self, code: str, taken: Taken, record: Record, stored: Stored) -> Outcome:
        office = await insist(lambda: self._queue.office(code), self._settings.takeover / 4)
        message = letter(code, taken.entry, record, stored, office, self._settings.site)
        try:
            async with asyncio.timeout(self._settings.send_timeout):
                return await self._offered[taken.entry.channel].send(target(stored), message)
        except TimeoutError:
            return retry("TIMEOUT")
        except Exception:  # a channel's bug must not lose a message
            log.exception("a channel failed", extra={"fields": {"channel": taken.entry.channel}})
            return retry("UNEXPECTED")

    def _judge(self, host: str, outcome: Outcome) -> None:
        """A host that asks to wait answers, and is not asked to prove it."""
        if outcome.result is not Result.RETRY:
            self._breaker.succeeded(host)
        elif outcome.after is None:
            self._breaker.failed(host)
        else:
            self._breaker.abandoned(host)
        metrics.RESTING.set(self._breaker.resting)

    async def _conclude(self, code: str, taken: Taken, outcome: Outcome) -> None:
        entry = taken.entry
        if outcome == ACCEPTED:
            done = self._clock.read(time.time_ns() // 1_000_000)
            seconds = (done - entry.due) / 1000 / (self._clock.speed or 1)
            metrics.DELAY.labels(_label(taken)).observe(max(0.0, seconds))
            await self._settle(code, taken, {"state": "ACCEPTED", "done": done})
        elif outcome.result is Result.GONE:
            failed = {"state": "FAILED", "reason": outcome.reason}
            await self._settle(code, taken, failed, gone=True)
        elif (wait := self._again(taken, outcome)) is not None:
            queued = {"state": "QUEUED", "reason": outcome.reason}
            await self._settle(code, taken, queued, wait=wait)
        else:
            await self._fail(code, taken, outcome.reason)

    def _again(self, taken: Taken, outcome: Outcome) -> float | None:
        """Seconds until the next attempt, None if there is none."""
        tries = taken.entry.tries + 1
        if outcome.result is not Result.RETRY or tries >= self._settings.attempts:
            return None
        wait = pause(tries, self._settings.backoff, outcome.after, random.random())  # noqa: S311
        return wait if time.time() + wait < taken.entry.expires_at / 1000 else None

    async def _fail(self, code: str, taken: Taken, reason: str) -> None:
        metrics.DEAD.labels(_label(taken), reason).inc()
        await self._settle(code, taken, {"state": "FAILED", "reason": reason}, dead=True)

    async def _settle(self, code: str, taken: Taken, outcome: dict[str, Any], **how: Any) -> None:
        """Until Redis has it: what is not settled is delivered once more."""
        ours = await insist(lambda: self._outbox.settle(code, taken, outcome, **how))
        if (wait := how.get("wait")) is not None:
            asyncio.get_running_loop().call_later(wait, self._woken[code].set)
        if ours and outcome["state"] != "QUEUED":
            metrics.DELIVERIES.labels(code, _label(taken), outcome["state"]).inc()


async def insist(ask: Callable[[], Awaitable[T]], within: float = float("inf")) -> T:
    """The answer, asked again while the other side is away, for so many seconds."""
    end = time.monotonic() + within
    while True:
        try:
            return await ask()
        except Problem as problem:
            if problem.status not in AWAY or time.monotonic() > end:
                raise
        await asyncio.sleep(PAUSE_S)


def _label(taken: Taken) -> str:
    """The channel as metrics name it: `WEB_PUSH`."""
    return taken.entry.channel.upper()


async def _until(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
