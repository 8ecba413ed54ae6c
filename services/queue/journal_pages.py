"""The journal from a cursor on, for WatchEvents.

A cursor is `<day>.<n>.<digest of the leaf>`: it names an event and what it said, so that a journal
that lost its end in a failover is noticed even where new events have taken the numbers. A place,
`<day>/<n>`, says the same without the digest: for who knows the event from elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncGenerator

from services.chassis.errors import Problem
from services.queue.archive import Archive
from services.queue.live import Live

PAGE = 500
START = "start"

Item = tuple[str, int, bytes, str]
"""Day, number, leaf, and the cursor after it."""

_DAY = r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
_PLACE = re.compile(rf"{_DAY}/(-1|[0-9]{{1,9}})")
_CURSOR = re.compile(rf"{_DAY}\.([0-9]{{1,9}})\.([0-9a-f]{{12}})")


def cursor_after(day: str, n: int, leaf: bytes) -> str:
    return f"{day}.{n}.{hashlib.sha256(leaf).hexdigest()[:12]}"


class EventReader:
    """One reader's way through an office's days, archived ones included."""

    def __init__(self, live: Live, archive: Archive) -> None:
        self._live = live
        self._archive = archive
        self._day = ""
        self._n = -1
        self._cursor = ""  # of the event read last, empty before the day's first

    async def pages(self, cursor: str) -> AsyncGenerator[list[Item], None]:
        """Events after the cursor, a page at a time, for ever. EVENTS_EXPIRED, JOURNAL_REWOUND,
        KECAMATAN_NOT_FOUND once the office is off the list."""
        await self._place(cursor)
        while True:
            moved = self._live.next_move()
            if page := await self._page():
                yield page
            else:
                self._live.check_listed()
                await moved.wait()

    async def _place(self, cursor: str) -> None:
        if place := _PLACE.fullmatch(cursor):
            self._day, self._n = place[1], int(place[2])
            await self._check_place()
        elif match := _CURSOR.fullmatch(cursor):
            self._day, self._n, self._cursor = match[1], int(match[2]), cursor
            await self._check(cursor)
        elif not cursor:
            newest = await self._archive.newest(self._live.code)
            if newest:
                self._day, self._n, self._cursor = *newest[:2], cursor_after(*newest)
        elif cursor != START:
            raise Problem("INVALID_REQUEST", {"field": "cursor"})

    async def _check_place(self) -> None:
        """Before a day's first event, or on a date without any, nothing has to be there."""
        leaves = await self._leaves(self._n, 1) if self._n >= 0 else []
        if leaves:
            self._cursor = cursor_after(self._day, self._n, leaves[0])
        elif earliest := await self._earliest_after(self._day):
            raise Problem("EVENTS_EXPIRED", {"earliest": earliest})
        elif self._n >= 0 and await self._leaves(0, 1):
            raise Problem("JOURNAL_REWOUND")

    async def _check(self, cursor: str) -> None:
        leaves = await self._leaves(self._n, 1)
        if not leaves and (earliest := await self._earliest_after(self._day)):
            raise Problem("EVENTS_EXPIRED", {"earliest": earliest})
        if not leaves or cursor_after(self._day, self._n, leaves[0]) != cursor:
            raise Problem("JOURNAL_REWOUND")

    async def _earliest_after(self, day: str) -> str:
        """A cursor before the earliest kept day, if all that are kept come after `day`."""
        first = await self._archive.first_day(self._live.code)
        return START if first > day else ""

    async def _page(self) -> list[Item]:
        """The next events, none if there are none yet."""
        if page := await self._rest():
            return page
        following = await self._archive.next_day(self._live.code, self._day)
        if not following:
            return []
        if page := await self._rest():  # written after the first look, before the next day began
            return page
        self._day, self._n, self._cursor = following, -1, ""
        return await self._rest()

    async def _rest(self) -> list[Item]:
        """A page of what is left of the day. With it comes the event read last, which must still
        say the same: JOURNAL_REWOUND."""
        if not self._day:
            return []
        first = self._n if self._cursor else self._n + 1
        leaves = await self._leaves(first, PAGE)
        items = [
            (self._day, first + i, leaf, cursor_after(self._day, first + i, leaf))
            for i, leaf in enumerate(leaves)
        ]
        if self._cursor and (not items or items.pop(0)[3] != self._cursor):
            raise Problem("JOURNAL_REWOUND")
        if items:
            _, self._n, _, self._cursor = items[-1]
        return items

    async def _leaves(self, first: int, count: int) -> list[bytes]:
        """The day's leaves from number `first` on, none where the day itself is not there."""
        try:
            return await self._archive.leaves(self._live.code, self._day, first - 1, count)
        except Problem as problem:
            if problem.reason != "DAY_NOT_FOUND":
                raise
            return []
