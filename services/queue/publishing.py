"""When watchers of an office get which board: as often as the cadence admits, and no oftener.

A rush so costs a watcher one message a second, and a board is made only if it is sent. Absent:
what a board shows, and who the watchers are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from services.queue.board import Built
from services.queue.lines import Line

URGENT_S = 0.1
QUIET_S = 1.0
"""Boards are at least this far apart: after news people look up for, and otherwise."""


@dataclass(frozen=True)
class Publication:
    """A board as sent to watchers, and `all_lines` of its moment. `lines` and `tickets` (numbers)
    are what changed since the publication before; with `whole` the next day or a rewound one
    begins and all is new."""

    seq: int
    built: Built
    all_lines: dict[str, Line]
    lines: dict[str, Line]
    tickets: tuple[str, ...]
    whole: bool


@dataclass
class Pending:
    """What changed since the last publication."""

    tickets: dict[str, None] = field(default_factory=dict)
    whole: bool = True


class Source(Protocol):
    """The office as watchers are shown it."""

    ready: bool

    def check_listed(self) -> None:
        """KECAMATAN_NOT_FOUND once the office is off the list."""

    def board(self) -> Built:
        """The board as of now; only while `ready`."""
        ...

    def lines(self) -> dict[str, Line]:
        """Who waits, by service, at the board's moment."""
        ...


class Publisher:
    """The publications of one office. `changed` and `renew` say what is new, `announce` that it
    may be sent; `watch` is one watcher's view."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._published = asyncio.Event()
        self._publication: Publication | None = None
        self._sent: dict[str, Line] = {}
        self._pending = Pending()
        self._watchers = 0
        self._timer: asyncio.Handle | None = None
        self._due = float("inf")
        self._sent_at = float("-inf")

    def changed(self, number: str) -> None:
        """A ticket has changed."""
        self._pending.tickets[number] = None

    def renew(self) -> None:
        """A day begins, ends or is read anew: what was sent before says nothing about it."""
        self._pending = Pending()

    def wake(self) -> None:
        """Has watchers look whether the office is still listed."""
        self._published.set()

    def announce(self, urgent: bool) -> None:
        """Publishes as soon as the cadence admits, if anybody watches; urgent news pulls a quiet
        publication forward."""
        if not self._watchers:
            return
        loop = asyncio.get_running_loop()
        when = max(loop.time(), self._sent_at + (URGENT_S if urgent else QUIET_S))
        if self._timer:
            if self._due <= when:
                return
            self._timer.cancel()
        self._timer, self._due = loop.call_at(when, self._publish), when

    def _publish(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None
        if not self._source.ready:
            return
        built = self._source.board()
        before = self._publication
        if before and built.etag == before.built.etag and not self._pending.whole:
            return
        lines = self._source.lines()
        self._publication = Publication(
            before.seq + 1 if before else 0,
            built,
            lines,
            {service: line for service, line in lines.items() if self._sent.get(service) != line},
            tuple(self._pending.tickets),
            self._pending.whole,
        )
        self._sent, self._pending = lines, Pending(whole=False)
        self._sent_at = asyncio.get_running_loop().time()
        self._published.set()
        self._published = asyncio.Event()

    @contextmanager
    def _watching(self) -> Iterator[None]:
        self._watchers += 1
        try:
            yield
        finally:
            self._watchers -= 1

    async def watch(self) -> AsyncGenerator[tuple[Publication, bool], None]:
        """Every publication from now on, and whether the watcher must take it as a whole: at first,
        after one that it missed, on a new day. KECAMATAN_NOT_FOUND once it is off the list."""
        with self._watching():
            if self._publication is None or self._watchers == 1:
                self._publish()
            seen = -1
            while True:
                published, now = self._published, self._publication
                if now and now.seq > seen:
                    yield now, now.whole or now.seq != seen + 1 or seen < 0
                    seen = now.seq
                else:
                    self._source.check_listed()
                    await published.wait()
