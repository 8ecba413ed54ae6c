"""A display's report between its message and what is kept of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from services.chassis.errors import Problem
from services.queue import asking, grammar
from services.queue.bounds import LISTS
from services.queue.displays import Display, Plays, Report
from services.queue.view import timestamp
from tunggu.queue.v1 import queue_pb2 as pb

FILMS = LISTS["DisplaySpec.films"]

LARGEST = {"plays": 1_000_000, "seconds": 100_000_000}
"""What a page can have played in its life, and more."""


def report_of(request: pb.ReportDisplayRequest) -> Report:
    """INVALID_REQUEST, with the field."""
    day = request.day
    if request.event < -1:
        raise Problem("INVALID_REQUEST", {"field": "event"})
    return Report(
        _like(grammar.DISPLAY, request.display, "display"),
        _like(grammar.PAGE, request.page, "page"),
        _like(grammar.VERSION, request.version, "version"),
        asking.day_of(day, "day") if day else "",
        request.event,
        request.live,
        request.sound,
        _plays(request.films),
    )


def display_message(code: str, display: Display) -> pb.Display:
    films = [
        pb.FilmPlays(film=film, plays=plays, seconds=seconds)
        for film, (plays, seconds) in display.films.items()
    ]
    seen_at = timestamp(display.seen_at)
    return pb.Display(kecamatan=code, id=display.id, seen_at=seen_at, films=films)


def _like(pattern: re.Pattern[str], value: str, field: str) -> str:
    if not pattern.fullmatch(value):
        raise Problem("INVALID_REQUEST", {"field": field})
    return value


def _plays(films: Iterable[pb.FilmPlays]) -> Plays:
    found: dict[int, tuple[int, int]] = {}
    for i, one in enumerate(films):
        if not 1 <= one.film <= FILMS or one.film in found:
            raise Problem("INVALID_REQUEST", {"field": f"films[{i}].film"})
        for name, most in LARGEST.items():
            if not 0 <= getattr(one, name) <= most:
                raise Problem("INVALID_REQUEST", {"field": f"films[{i}].{name}"})
        found[one.film] = one.plays, one.seconds
    return found
