"""The displays of the hall: what each last said of itself, kept in Redis for a short while.

One hash an office, of at most MOST displays. Whoever reports drops those that have been silent for
LIFE_MS, and the hash goes LIFE_MS after the last report, so nothing outlives twice that. Times are
real ones by Redis' clock. Absent: the journal; no order depends on anything here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.chassis.errors import Problem
from services.queue.keys import Keys
from services.queue.steps import ERRORS, ROUND_TRIPS
from services.redis_link.link import Link
from services.redis_link.lua import Scripts
from services.redis_link.redis_policy import asked

LUA = Path(__file__).with_name("lua") / "displays"
VERB = "ReportDisplay"

MOST = 16
"""Displays of an office."""

PAGES = 4
"""Pages of a display whose counts are remembered, the latest."""

LIFE_MS = 3_600_000
"""For how long a report is kept."""

Plays = Mapping[int, tuple[int, int]]
"""By a film's place in the office's file, from 1: how often it was played, and seconds in all."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a page says. `day` is empty before it has a board; `films` count its whole life."""

    display: str
    page: str
    version: str
    day: str
    event: int
    live: bool
    sound: bool
    films: Plays


@dataclass(frozen=True, slots=True)
class Display:
    """As it last reported, `seen_at` ms UTC. `behind`: events that its board did not have then,
    None before it had a board. `films` are those of all its pages together."""

    id: str
    seen_at: int
    version: str
    live: bool
    sound: bool
    behind: int | None
    films: Plays


class Displays:
    """Those of all offices. Any number of processes may hold one."""

    def __init__(self, redis: Link) -> None:
        self._redis = redis
        self._scripts = Scripts.load(LUA)

    async def report_display(self, code: str, report: Report) -> Display:
        """KECAMATAN_NOT_FOUND, TOO_MANY_DISPLAYS. May be repeated whatever became of it."""
        keys = [Keys(code, "").of(name) for name in ("displays", "file", "office")]
        shown = {
            "day": report.day, "event": report.event, "version": report.version,
            "live": report.live, "sound": report.sound,
        }  # fmt: skip
        args: list[str | int] = [
            report.display, report.page, json.dumps(shown), json.dumps(report.films),
            LIFE_MS, MOST, PAGES,
        ]  # fmt: skip
        with ROUND_TRIPS.labels(VERB).time():
            word, said = await self._run(keys, args)
        if word == b"NO":
            raise Problem(said.decode(), {"kecamatan": code, "most": str(MOST)})
        return _display(report.display, said)

    async def _run(self, keys: list[str], args: list[str | int]) -> Any:
        try:
            return await asked(self._scripts.run(self._redis, "report_display", keys, args))
        except Problem as failed:
            ERRORS.labels(VERB, failed.reason).inc()
            raise

    async def seen(self, codes: Sequence[str]) -> dict[str, list[Display]]:
        """By office, in order of their names; an office that cannot be read has none."""
        keys = [Keys(code, "").of("displays") for code in codes]
        replies = await self._redis.many([(key, ("HGETALL", key)) for key in keys])
        return {code: _displays(reply) for code, reply in zip(codes, replies, strict=True)}


def _displays(reply: Any) -> list[Display]:
    if isinstance(reply, Exception):
        return []
    pairs = zip(reply[::2], reply[1::2], strict=True)
    return [_display(name.decode(), text) for name, text in sorted(pairs)]


def _display(id: str, text: bytes) -> Display:
    """From what lua/displays/report_display.lua writes."""
    fields = json.loads(text)
    shown = fields["shown"]
    films = {int(film): (int(n), int(seconds)) for film, (n, seconds) in fields["films"].items()}
    return Display(
        id,
        int(fields["at"]),
        shown["version"],
        shown["live"],
        shown["sound"],
        shown.get("behind"),
        dict(sorted(films.items())),
    )
