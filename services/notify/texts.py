"""Messages in words (texts.toml). Pure: the file is read once, at the first use.

Placeholders: `number` of the ticket, `ahead`, `desk` and `office` by name, `back` the local time
until which one may return, `why` issuing stopped.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.notify.model import NEAR, PASSED_OVER, Entry

LANGUAGES = ("id", "en")
PLACEHOLDERS = frozenset({"number", "ahead", "desk", "office", "back", "why"})


@dataclass(frozen=True, slots=True)
class Place:
    """What a text has to know of an office."""

    name: str
    timezone: str


@cache
def document() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("texts.toml").read_text("utf-8"))


def written(entry: Entry, language: str, place: Place) -> tuple[str, str]:
    """Title and body."""
    names = document()["names"][language]
    facts = {
        "number": entry.number,
        "ahead": entry.ahead,
        "desk": _desk(entry, language),
        "office": names["office"].format(name=place.name),
        "back": _clock(entry.back, place.timezone, names["clock"]),
        "why": document()["why"][language].get(entry.why, document()["why"][language]["other"]),
    }
    text = document()[_variant(entry)][language]
    return text["title"].format_map(facts), text["body"].format_map(facts)


def reply(name: str, language: str, number: str = "") -> str:
    """BOUND or RELEASED."""
    return str(document()[name][language]["body"].format(number=number))


def _variant(entry: Entry) -> str:
    if entry.kind == NEAR:
        return {0: "NEAR_NEXT", 1: "NEAR_ONE"}.get(entry.ahead, NEAR)
    if entry.kind == PASSED_OVER and not entry.back:
        return "PASSED_OVER_FOR_GOOD"
    return entry.kind


def _desk(entry: Entry, language: str) -> str:
    """Its own name, which offices write in Indonesian; in English the number on its sign."""
    if entry.desk and language == "id":
        return entry.desk
    return str(document()["names"][language]["desk"].format(id=entry.counter))


def _clock(moment: int, timezone: str, form: str) -> str:
    local = datetime.fromtimestamp(moment / 1000, UTC).astimezone(ZoneInfo(timezone))
    return local.strftime(form)
