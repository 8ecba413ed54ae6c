"""The figures of the hall's displays: read from what they reported, so equal on all replicas.

A display that has been silent for as long as reports are kept has none. `film` is a place in the
office's file, never a title; `version` is of the page's files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from services.queue.displays import Display
from services.queue.figures import EQUAL, Family, Row

OF_PAGES = f"by the pages of the display since it was first heard of. {EQUAL}"


@dataclass(frozen=True, slots=True)
class OfDisplay:
    """A metric of a display; the labels `kecamatan` and `display` come first."""

    family: Family
    rows: Callable[[Display], Iterable[Row]]


def _one(read: Callable[[Display], float]) -> Callable[[Display], Iterable[Row]]:
    return lambda display: [((), read(display))]


def _behind(display: Display) -> Iterator[Row]:
    if display.behind is not None:
        yield (), display.behind


def _info(display: Display) -> Iterator[Row]:
    if display.version:
        yield (display.version,), 1


def _films(read: int) -> Callable[[Display], Iterable[Row]]:
    return lambda display: (((str(film),), total[read]) for film, total in display.films.items())


def _gauge(name: str, meaning: str, *labels: str) -> Family:
    return Family(name, "gauge", ("display", *labels), f"{meaning} {EQUAL}", lambda _: ())


def _counter(name: str, meaning: str, *labels: str) -> Family:
    return Family(name, "counter", ("display", *labels), f"{meaning} {OF_PAGES}", lambda _: ())


DISPLAYS = (
    OfDisplay(
        _gauge("tunggu_display_last_seen_timestamp_seconds", "When a display last reported."),
        _one(lambda display: display.seen_at / 1000),
    ),
    OfDisplay(
        _gauge("tunggu_display_live", "1 if it then showed the present."),
        _one(lambda display: display.live),
    ),
    OfDisplay(
        _gauge("tunggu_display_sound", "1 if a call would then have been heard."),
        _one(lambda display: display.sound),
    ),
    OfDisplay(
        _gauge("tunggu_display_events_behind", "Events that its board did not have then."),
        _behind,
    ),
    OfDisplay(
        _gauge("tunggu_display_info", "What the page is, always 1.", "version"),
        _info,
    ),
    OfDisplay(
        _counter("tunggu_display_film_plays", "Times that a film was shown to its end", "film"),
        _films(0),
    ),
    OfDisplay(
        _counter("tunggu_display_film_seconds", "Seconds of films shown to their end", "film"),
        _films(1),
    ),
)


def rows_of(code: str, displays: Iterable[Display]) -> Iterator[tuple[str, Row]]:
    """Each figure of an office's displays with the name of its family."""
    for display in displays:
        for metric in DISPLAYS:
            for labels, figure in metric.rows(display):
                yield metric.family.name, ((code, display.id, *labels), figure)
