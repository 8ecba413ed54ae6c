"""Webhooks, how far each has got, and what is posted to it. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

MOST = 20
"""Webhooks of an office."""

BATCH = 200
"""Events in one post: below 150 KB."""

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 300.0
"""Before the second attempt, then doubled, up to the longest."""

LONGEST_ASKED_S = 3600.0
"""The longest wait that the other side may ask for."""


class State(StrEnum):
    """How a webhook goes."""

    ACTIVE = "ACTIVE"
    FAILING = "FAILING"
    PAUSED = "PAUSED"


@dataclass(frozen=True, slots=True)
class Webhook:
    """What was registered; `created_at` is ms UTC, `start` the cursor that it began with,
    `payload_hash` tells another request of the same id from a repetition."""

    id: str
    url: str
    description: str
    secret: str = field(repr=False)
    start: str
    created_at: int
    payload_hash: str = ""

    def dumped(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def parse(cls, text: bytes | str) -> Self:
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Position:
    """How far a webhook has got; all times ms UTC, 0 = none.

    `cursor` is what WatchEvents goes on from, `day` and `event` the last event that was taken.
    `break_` tells why what follows does not follow it; it goes with the next post.
    """

    cursor: str = ""
    day: str = ""
    event: int = -1
    delivered_at: int = 0
    failing_since: int = 0
    attempts: int = 0
    reason: str = ""
    retry_at: int = 0
    paused: bool = False
    break_: str = ""

    @property
    def state(self) -> State:
        if self.paused:
            return State.PAUSED
        return State.FAILING if self.failing_since else State.ACTIVE


@dataclass(frozen=True, slots=True)
class Item:
    """An event: its exact bytes and the cursor after it."""

    leaf: bytes
    cursor: str

    @property
    def place(self) -> tuple[str, int]:
        """Day and number."""
        fields = json.loads(self.leaf)
        return fields["d"], fields["n"]


def break_of(reason: str, day: str, event: int) -> str:
    """EVENTS_EXPIRED: what came after that event is lost. JOURNAL_REWOUND: what was posted of that
    day and later does not hold; the day is posted anew."""
    return json.dumps({"reason": reason, "day": day, "event": event}, separators=(",", ":"))


def post_id(webhook: str, before: str, batch: Sequence[Item]) -> str:
    """The same for the same events to the same webhook, whoever posts them."""
    parts = [webhook, before, batch[-1].cursor, str(len(batch))]
    return "jrn_" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def document(code: str, batch: Sequence[Item], break_: str, now: float) -> bytes:
    """The body. A leaf is a string, so that its hash can be reckoned; `now` in seconds."""
    data: dict[str, Any] = {"kecamatan": code, "events": [_event(item) for item in batch]}
    if break_:
        data["break"] = json.loads(break_)
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    whole = {"type": "journal.events", "timestamp": at.replace("+00:00", "Z"), "data": data}
    return json.dumps(whole, separators=(",", ":")).encode()


def _event(item: Item) -> dict[str, Any]:
    day, number = item.place
    return {"day": day, "event": number, "cursor": item.cursor, "leaf": item.leaf.decode()}


def wait_s(attempts: int, asked: float | None, chance: float) -> float:
    """Before the next attempt, after so many failed ones. `chance` in [0, 1) spreads the waits of
    many; what the other side asks for is the least."""
    own = min(FIRST_WAIT_S * 2.0 ** min(attempts - 1, 16), LONGEST_WAIT_S)
    return max(own * (0.5 + chance / 2), min(asked or 0.0, LONGEST_ASKED_S))
