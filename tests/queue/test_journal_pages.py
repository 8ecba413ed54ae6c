"""A reader's way through the days, where the journal grows under its eyes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.chassis.errors import Problem
from services.queue.journal_pages import START, EventReader

YESTERDAY, TODAY = "2026-03-02", "2026-03-03"


@dataclass
class Days:
    """An archive in memory, which is also the office that is followed. `midnight` is written when
    the reader asks for the next day, after it has seen that its day has nothing more."""

    kept: dict[str, list[bytes]]
    midnight: dict[str, list[bytes]] = field(default_factory=dict)
    code: str = "73.71.03"

    def next_move(self) -> asyncio.Event:
        return asyncio.Event()

    async def leaves(self, code: str, day: str, after: int, count: int) -> list[bytes]:
        if day not in self.kept:
            raise Problem("DAY_NOT_FOUND", {"kecamatan": code, "day": day})
        return self.kept[day][after + 1 : after + 1 + count]

    async def first_day(self, code: str) -> str:
        return min(self.kept)

    async def next_day(self, code: str, day: str) -> str:
        for name, leaves in self.midnight.items():
            self.kept.setdefault(name, []).extend(leaves)
        self.midnight = {}
        return min((d for d in self.kept if d > day), default="")


async def read(days: Any, count: int, cursor: str = START) -> list[tuple[str, int, bytes]]:
    found: list[tuple[str, int, bytes]] = []
    async for page in EventReader(days, days).pages(cursor):
        found += [item[:3] for item in page]
        if len(found) >= count:
            break
    return found


async def test_a_reader_goes_from_day_to_day():
    days = Days({YESTERDAY: [b"a", b"b"], TODAY: [b"c"]})
    assert await read(days, 3) == [(YESTERDAY, 0, b"a"), (YESTERDAY, 1, b"b"), (TODAY, 0, b"c")]


async def test_what_is_written_at_midnight_while_the_reader_looks_is_not_skipped():
    days = Days({YESTERDAY: [b"open"]})
    reader = EventReader(days, days)
    pages = reader.pages(START)
    assert [item[:3] for item in await anext(pages)] == [(YESTERDAY, 0, b"open")]
    days.midnight = {YESTERDAY: [b"last", b"close"], TODAY: [b"new"]}
    assert [item[:3] for item in await anext(pages)] == [
        (YESTERDAY, 1, b"last"),
        (YESTERDAY, 2, b"close"),
    ]
    assert [item[:3] for item in await anext(pages)] == [(TODAY, 0, b"new")]


@pytest.mark.parametrize("left", [[b"a"], [b"a", b"other"], [b"a", b"other", b"more"]])
async def test_a_reader_whose_last_event_is_gone_is_told_even_before_the_office_notices(left):
    days = Days({TODAY: [b"a", b"b"]})
    pages = EventReader(days, days).pages(START)
    assert len(await anext(pages)) == 2
    days.kept[TODAY] = left
    with pytest.raises(Problem, match="JOURNAL_REWOUND"):
        await anext(pages)


async def test_a_place_is_as_good_as_the_cursor_of_its_event():
    days = Days({YESTERDAY: [b"a", b"b"], TODAY: [b"c"]})
    assert await read(days, 2, f"{YESTERDAY}/0") == [(YESTERDAY, 1, b"b"), (TODAY, 0, b"c")]
    assert await read(days, 1, f"{YESTERDAY}/1") == [(TODAY, 0, b"c")]
    assert await read(days, 1, f"{TODAY}/-1") == [(TODAY, 0, b"c")]


async def test_a_place_on_a_date_without_events_goes_on_with_the_next_day():
    days = Days({"2026-03-01": [b"a"], TODAY: [b"c"]})
    for n in (-1, 7):
        assert await read(days, 1, f"{YESTERDAY}/{n}") == [(TODAY, 0, b"c")]


async def test_a_place_before_all_that_is_kept_has_expired():
    with pytest.raises(Problem, match="EVENTS_EXPIRED"):
        await read(Days({TODAY: [b"c"]}), 1, f"{YESTERDAY}/7")


async def test_a_place_after_the_end_of_its_day_says_that_the_journal_was_rewound():
    with pytest.raises(Problem, match="JOURNAL_REWOUND"):
        await read(Days({TODAY: [b"c"]}), 1, f"{TODAY}/1")


async def test_from_a_place_on_the_event_before_it_must_stay():
    days = Days({TODAY: [b"a", b"b"]})
    pages = EventReader(days, days).pages(f"{TODAY}/0")
    assert [item[:3] for item in await anext(pages)] == [(TODAY, 1, b"b")]
    days.kept[TODAY] = [b"other", b"b"]
    with pytest.raises(Problem, match="JOURNAL_REWOUND"):
        await read(days, 1, f"{TODAY}/2")


@pytest.mark.parametrize("cursor", [f"{TODAY}/", f"{TODAY}/-2", f"{TODAY}/x", "2026-3-3/1", "/1"])
async def test_what_is_no_place_is_an_invalid_request(cursor):
    with pytest.raises(Problem, match="INVALID_REQUEST"):
        await read(Days({TODAY: [b"c"]}), 1, cursor)
