"""What a kiosk asks to be printed: the words on its screen, and nothing that is not on paper.

A slip cannot hold a control character, so no text of it is ever a command to the printer,
and its code leads to a ticket's page of the site that asks, never elsewhere.
"""

import json
import re
from dataclasses import dataclass, fields
from typing import Any

from services.chassis.errors import Problem

MOST_COPIES = 99
LONGEST = 512  # characters of an address that a phone still reads off paper
LIMITS = {
    "office": 120, "when": 80, "lead": 80, "service": 200, "ahead": 120, "wait": 120,
    "keep": 200, "promise": 240,
}  # fmt: skip
EMPTY = {"wait", "promise"}  # may be

_TICKET = re.compile(r"[0-9]{6}-[0-9]{6}-[0-9A-Za-z_-]{22}")
_NUMBER = re.compile(r"[A-Z][0-9]{3,6}")


@dataclass(frozen=True, slots=True)
class Slip:
    """`ticket` is its holder's key: it is in no log. `copy` is 1 for the first paper of it."""

    ticket: str
    copy: int
    number: str
    address: str
    office: str
    when: str
    lead: str
    service: str
    ahead: str
    wait: str
    keep: str
    promise: str


NAMES = tuple(field.name for field in fields(Slip))


def read(body: bytes, origin: str) -> Slip:
    """NOT_JSON, UNKNOWN_FIELD, INVALID_REQUEST with the field."""
    given = _object(body)
    for name in given.keys() - set(NAMES):
        raise Problem("UNKNOWN_FIELD", {"field": name[:40]})
    values: dict[str, Any] = {name: given.get(name) for name in NAMES}
    slip = Slip(**values)
    _want("copy", type(slip.copy) is int and 1 <= slip.copy <= MOST_COPIES)
    _want("ticket", _like(_TICKET, slip.ticket))
    _want("number", _like(_NUMBER, slip.number))
    _want("address", slip.address == f"{origin}/t/{slip.ticket}" and len(slip.address) <= LONGEST)
    for name, limit in LIMITS.items():
        _want(name, _line(getattr(slip, name), limit, name in EMPTY))
    return slip


def _object(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise Problem("NOT_JSON") from None
    if not isinstance(given, dict):
        raise Problem("NOT_JSON")
    return given


def _like(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _line(value: object, limit: int, empty: bool) -> bool:
    """One line of what can be seen; `isprintable` refuses controls and lone surrogates."""
    if not isinstance(value, str) or len(value) > limit or not value.isprintable():
        return False
    return empty or bool(value.strip())


def _want(field: str, good: bool) -> None:
    if not good:
        raise Problem("INVALID_REQUEST", {"field": field})
