"""Which service day it is for an office, and what holds on it.

An agenda is what a script needs to know of the day; the script checks it against the office and
refuses a stale one, so a wrong agenda costs a retry and nothing else. No store, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from services.queue import kecamatan
from services.queue.model import Policy
from services.queue.policy import close_at_ms, day_bounds_ms, hours_ms, parse_policy


@dataclass(frozen=True, slots=True)
class Agenda:
    """A date of an office. Times are ms UTC.

    `document` and `names` are empty once the day is open: then the frozen ones hold.
    """

    day: str
    start: int
    end: int
    hours: tuple[tuple[int, int], ...]
    close_at: int
    policy: Policy
    salt: str
    generation: str = ""
    document: bytes = b""
    names: bytes = b""

    @property
    def hours_text(self) -> str:
        return ",".join(f"{opens}-{closes}" for opens, closes in self.hours)


def local_date(timezone: str, t: int) -> str:
    """The date of `t` (ms UTC) in the office's time zone."""
    moment = datetime.fromtimestamp(t / 1000, UTC).astimezone(ZoneInfo(timezone))
    return moment.date().isoformat()


def running(day: str, document: bytes, salt: str) -> Agenda:
    """The agenda of a day that is or was open, from its frozen policy document."""
    return _agenda(day, parse_policy(document), salt)


def coming(file: bytes, generation: str, t: int, salt: str, always_open: bool) -> Agenda:
    """The agenda of the date of `t`, not yet open, from the applied file."""
    spec = kecamatan.load(file).spec
    day = local_date(spec.timezone, t)
    document = kecamatan.policy_document(spec, day, always_open)
    names = kecamatan.frozen(spec)
    return _agenda(day, parse_policy(document), salt, generation, document, names)


def _agenda(
    day: str,
    policy: Policy,
    salt: str,
    generation: str = "",
    document: bytes = b"",
    names: bytes = b"",
) -> Agenda:
    start, end = day_bounds_ms(policy, day)
    hours, close_at = hours_ms(policy, day), close_at_ms(policy, day)
    return Agenda(day, start, end, hours, close_at, policy, salt, generation, document, names)
