"""What is said to whom, and until when it is of use. Pure: no gRPC, no Redis, no clock, no I/O.

Moments are ms UTC: `due`, `back` and `done` of domain time, `at` and everything that expires of
real time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NEAR, CALLED = "NEAR", "CALLED"
PASSED_OVER, ISSUING_STOPPED = "PASSED_OVER", "ISSUING_STOPPED"

MINUTE_MS = 60_000
LIFE_MS = {
    NEAR: 15 * MINUTE_MS,
    CALLED: 15 * MINUTE_MS,
    PASSED_OVER: 60 * MINUTE_MS,
    ISSUING_STOPPED: 60 * MINUTE_MS,
}
"""How long a message may be of use, real time from when it became due; events end it sooner."""

FAR = 1000
"""More than any threshold."""

MOST_SUBSCRIPTIONS = 5

# States of a ticket in its record.
WAITING, AT_COUNTER, SERVING, NO_SHOW, ON_HOLD, OVER = "W", "C", "S", "N", "H", "X"


@dataclass(frozen=True, slots=True)
class Stored:
    """A subscription as it is kept. `at` is when it was made; a `code` without an address waits
    for the citizen to write."""

    channel: str
    language: str
    at: int
    address: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)
    code: str = ""

    @classmethod
    def parse(cls, text: bytes | str) -> Stored:
        return cls(**json.loads(text))

    @property
    def waits(self) -> bool:
        return bool(self.code) and not self.address

    def text(self) -> str:
        return dumped({name: getattr(self, name) for name in self.__slots__})


@dataclass(frozen=True, slots=True)
class Entry:
    """A delivery in the outbox: one message for one subscription. `claim` is what it is said once
    by, `place` its number among the ticket's deliveries, `tries` the attempts that were made.
    `desk` is the counter's name."""

    day: str
    number: str
    sub: str
    kind: str
    claim: str
    message: str
    place: int
    at: int
    due: int
    tries: int = 0
    ahead: int = 0
    counter: str = ""
    desk: str = ""
    back: int = 0
    why: str = ""

    @classmethod
    def parse(cls, text: bytes | str) -> Entry:
        """Numbers may have come through Lua as 3.0."""
        fields = json.loads(text)
        return cls(**{name: _plain(value) for name, value in fields.items()})

    def text(self) -> str:
        return dumped({name: getattr(self, name) for name in self.__slots__})

    @property
    def log(self) -> str:
        """Where its outcome is kept."""
        return f"{self.number}.{self.place}"

    @property
    def channel(self) -> str:
        return channel_of(self.sub)

    @property
    def expires_at(self) -> int:
        return self.at + LIFE_MS[self.kind]


@dataclass(frozen=True, slots=True)
class Record:
    """Where a ticket stands, as lua/_step.lua keeps it."""

    id: str
    subs: Sequence[str]
    waiting: Sequence[str]
    state: str
    near: int
    said: Sequence[str]
    logged: int
    over: bool

    @classmethod
    def parse(cls, text: bytes | str) -> Record:
        kept = json.loads(text)
        return cls(
            kept["id"], kept["subs"].split(), kept["waiting"].split(), kept["state"],
            int(kept["near"]), kept["said"].split(), int(kept["logged"]), kept["over"],
        )  # fmt: skip


def of_use(entry: Entry, record: Record | None, stop: str, now: int, domain_now: int) -> bool:
    """Whether the message should still be sent; `stop` names the running stop of issuing, `now`
    and `domain_now` the moment."""
    if record is None or record.over or entry.sub not in record.subs or now > entry.expires_at:
        return False
    if entry.kind == NEAR:
        nearest = [claim for claim in record.said if claim.startswith("NEAR.")]
        return record.state == WAITING and nearest[-1:] == [entry.claim]
    if entry.kind == CALLED:
        calls = [claim for claim in record.said if claim.startswith("CALLED.")]
        return record.state in (AT_COUNTER, SERVING) and calls[-1:] == [entry.claim]
    if entry.kind == PASSED_OVER:
        return record.state == NO_SHOW and not 0 < entry.back < domain_now
    return stop == f"{entry.day}.{entry.claim.partition('.')[2]}"


def passed(ahead: int, thresholds: Sequence[int]) -> int:
    """The nearest threshold that somebody with so many ahead has passed, FAR if none."""
    return min((at for at in thresholds if ahead <= at), default=FAR)


def subscription_id(ticket_id: str, channel: str, address: str) -> str:
    """The same for the same target of the same ticket; it says nothing of the target."""
    digest = hashlib.sha256(f"{ticket_id}\0{channel}\0{address}".encode()).hexdigest()
    return f"{channel}-{digest[:20]}"


def channel_of(sub: str) -> str:
    return sub.partition("-")[0]


def dumped(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) else value
