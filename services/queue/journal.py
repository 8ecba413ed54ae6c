"""The leaf: one event of a day as one line of canonical JSON.

`encode` writes the bytes, `parse` reads them and refuses every line that `encode` would not have
written. Order, time and legality of events are not judged here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.queue.model import Channel, Lane, Tally

LEAF_BYTES = 384
MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""

WHYS = ("hours", "power", "disaster", "full", "other")


class Malformed(ValueError):  # noqa: N818 - a finding about a line, not a failure of ours
    """The line is no leaf; the message says what is wrong with it."""


class Unknown(Malformed):
    """The line is of a version or type that this program does not know: it cannot judge it."""


@dataclass(frozen=True, slots=True)
class Event:
    """A leaf's fields under their own names; fields that `e` does not have stay empty.

    The list `s` of counter.set is `services`, so that `s` is always one service.
    """

    o: str
    d: str
    n: int
    t: int
    e: str
    pol: str = ""
    why: str = ""
    k: str = ""
    c: str = ""
    s: str = ""
    services: tuple[str, ...] = ()
    l: Lane = Lane.REGULAR  # noqa: E741 - the leaf's own field name
    ch: Channel = Channel.WEB
    h: str = ""
    by: str = ""
    ms: int = 0
    tally: Tally | None = None


FIELDS: dict[str, tuple[str, ...]] = {
    "day.open": ("pol",),
    "issue.go": ("why",),
    "issue.stop": ("why",),
    "counter.open": ("c",),
    "counter.close": ("c",),
    "counter.set": ("c", "services"),
    "issue": ("k", "s", "l", "ch", "h"),
    "call": ("k", "c"),
    "recall": ("k", "c"),
    "start": ("k", "c"),
    "done": ("k", "c"),
    "noshow": ("k", "c"),
    "hold": ("k", "c"),
    "return": ("k",),
    "xfer": ("k", "c", "s"),
    "lane": ("k", "l"),
    "requeue": ("k", "c"),
    "cancel": ("k", "by"),
    "present": ("k",),
    "clock": ("ms",),
    "day.close": ("tally",),
}
"""The fields of each type after the head, in the order of the leaf."""

_TALLY = ("issued", "done", "noshow", "cancel", "lapsed")
_HEAD = ("v", "o", "d", "n", "t", "e")
_LEAF_NAME = {"services": "s"}
_KEYS = {
    e: _HEAD + tuple(_LEAF_NAME.get(name, name) for name in names) for e, names in FIELDS.items()
}


def encode(event: Event) -> bytes:
    """The canonical bytes, without a line end. The event's fields must obey their grammar."""
    head = f'{{"v":1,"o":"{event.o}","d":"{event.d}","n":{event.n},"t":{event.t},"e":"{event.e}"'
    rest = "".join([_render(name, getattr(event, name)) for name in FIELDS[event.e]])
    return f"{head}{rest}}}".encode("ascii")


def _render(name: str, value: Any) -> str:
    if name == "services":
        return ',"s":["' + '","'.join(value) + '"]'
    if name == "ms":
        return f',"ms":{value}'
    if name == "tally":
        return ',"tally":{' + ",".join(f'"{f}":{getattr(value, f)}' for f in _TALLY) + "}"
    return f',"{name}":"{value}"'


def parse(line: bytes) -> Event:
    """The event of a leaf. Raises `Malformed`, or `Unknown` for another `v` or `e`."""
    leaf = _read(line)
    kind = _kind(leaf)
    if tuple(leaf) != _KEYS[kind]:
        raise Malformed(f"the fields of {kind} are missing, too many or out of order")
    event = _build(kind, leaf)
    if encode(event) != line:
        raise Malformed("the bytes are not the canonical ones of this event")
    return event


def _read(line: bytes) -> dict[str, Any]:
    if len(line) > LEAF_BYTES:
        raise Malformed(f"longer than {LEAF_BYTES} bytes")
    try:
        leaf = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError):
        raise Malformed("not a line of ASCII JSON") from None
    if not isinstance(leaf, dict):
        raise Malformed("not a JSON object")
    return leaf


def _kind(leaf: Mapping[str, Any]) -> str:
    version, kind = leaf.get("v"), leaf.get("e")
    if type(version) is not int:
        raise Malformed("v is missing or no integer")
    if version != 1:
        raise Unknown("another version of the leaf")
    if type(kind) is not str:
        raise Malformed("e is missing or no text")
    if kind not in FIELDS:
        raise Unknown("an unknown type of event")
    return kind


def _build(kind: str, leaf: Mapping[str, Any]) -> Event:
    values = {name: _field(name, leaf[name]) for name in ("o", "d", "n", "t")}
    for name in FIELDS[kind]:
        values[name] = _field(name, leaf[_LEAF_NAME.get(name, name)])
    return Event(e=kind, **values)


def _field(name: str, value: Any) -> Any:
    try:
        return _GRAMMAR[name](value)
    except (ValueError, TypeError, KeyError):
        raise Malformed(f"{_LEAF_NAME.get(name, name)} is not well formed") from None


def _text(pattern: str) -> Callable[[Any], str]:
    matches = re.compile(pattern).fullmatch

    def check(value: Any) -> str:
        if type(value) is not str or not matches(value):
            raise ValueError(pattern)
        return value

    return check


def _integer(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_INTEGER:
        raise ValueError("integer")
    return value


_service = _text("[A-Z]")
# Years that every calendar and time zone here can place.
_iso_day = _text("20[0-9]{2}-[0-9]{2}-[0-9]{2}")


def _day(value: Any) -> str:
    date.fromisoformat(_iso_day(value))
    return str(value)


def _services(value: Any) -> tuple[str, ...]:
    codes = [_service(code) for code in value]
    if type(value) is not list or not codes or codes != sorted(set(codes)):
        raise ValueError("services")
    return tuple(codes)


def _tally(value: Any) -> Tally:
    if type(value) is not dict or tuple(value) != _TALLY:
        raise ValueError("tally")
    return Tally(**{name: _integer(count) for name, count in value.items()})


_GRAMMAR: dict[str, Callable[[Any], Any]] = {
    "o": _text("[0-9]{2}[.][0-9]{2}[.][0-9]{2}"),
    "d": _day,
    "n": _integer,
    "t": _integer,
    "pol": _text("[0-9a-f]{64}"),
    "why": _text("|".join(WHYS)),
    "k": _text("[A-Z](?:[0-9]{3}|[1-9][0-9]{3,})"),
    "c": _text("[A-Za-z0-9][A-Za-z0-9-]{0,7}"),
    "s": _service,
    "services": _services,
    "l": Lane,
    "ch": Channel,
    "h": _text("(?:[0-9a-f]{32})?"),
    "by": _text("holder|desk"),
    "ms": _integer,
    "tally": _tally,
}
