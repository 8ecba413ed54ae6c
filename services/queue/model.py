"""What a service day is made of: policy, tickets, counters, and the state folded from leaves.

Times are milliseconds UTC, durations whole seconds, days `YYYY-MM-DD`. `Day`, `Ticket` and
`Counter` change only through `services.queue.fold.apply`. Names of people, officers and offices
are absent: nothing here can tell who a holder is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

RECALL_GAP_MS = 20_000
CLOCK_TOLERANCE_MS = 5_000
BOARD_CALLS = 10


class State(StrEnum):
    WAITING = "WAITING"
    CALLED = "CALLED"
    SERVING = "SERVING"
    COMPLETED = "COMPLETED"
    NO_SHOW = "NO_SHOW"
    ON_HOLD = "ON_HOLD"
    CANCELLED = "CANCELLED"
    LAPSED = "LAPSED"


class CounterState(StrEnum):
    OPEN = "OPEN"
    CLOSED = "CLOSED"


class Lane(StrEnum):
    REGULAR = "R"
    PRIORITY = "P"


class Channel(StrEnum):
    WEB = "W"
    KIOSK = "K"
    WHATSAPP = "A"
    DESK = "D"


REMOTE = frozenset({Channel.WEB, Channel.WHATSAPP})
"""The channels that `quota_web` counts."""


@dataclass(frozen=True, slots=True)
class ServicePolicy:
    code: str
    channels: frozenset[Channel]
    quota_day: int
    quota_web: int


@dataclass(frozen=True, slots=True)
class Rule:
    """The published numbers of the office; durations in seconds, the rest counts."""

    priority_after: int
    skip_calls: int
    skip_after: int
    return_after_calls: int
    return_within: int
    return_times: int
    hold_times: int
    hold_within: int
    transfers: int


@dataclass(frozen=True, slots=True)
class Policy:
    """One date's published policy; `document` are the bytes whose SHA-256 is `hash` (hex)."""

    code: str
    timezone: str
    hours: tuple[tuple[str, str], ...]
    services: dict[str, ServicePolicy]
    counters: dict[str, tuple[str, ...]]
    rule: Rule
    document: bytes
    hash: str


@dataclass(slots=True)
class Ticket:
    """A number of a service and day.

    `ord` is the n of its issue and never changes; `nb` is compared with the day's cs of `service`.
    `first_call` and `last_call` belong to the latest call (its recalls included), `called_at` is
    the first call ever. `counter` is set while CALLED or SERVING and kept once COMPLETED.
    `since` is when it entered `state`, `event` the n of its last event.
    """

    number: str
    service: str
    issued_for: str
    lane: Lane
    channel: Channel
    holder: str
    ord: int
    issued_at: int
    since: int
    event: int
    state: State = State.WAITING
    nb: int = 0
    counter: str | None = None
    calls: int = 0
    first_call: int = 0
    last_call: int = 0
    holds: int = 0
    returns: int = 0
    transfers: int = 0
    present: bool = False
    called_at: int | None = None
    started_at: int | None = None
    closed_at: int | None = None


@dataclass(slots=True)
class Counter:
    """A desk. `ticket` is the one CALLED or SERVING there, `event` the n of its last event."""

    id: str
    services: tuple[str, ...]
    credit: int
    state: CounterState = CounterState.CLOSED
    ticket: str | None = None
    last_completed: str | None = None
    event: int = -1


@dataclass(frozen=True, slots=True)
class Call:
    """A call or recall, as the board shows it."""

    number: str
    counter: str
    event: int
    t: int


@dataclass(frozen=True, slots=True)
class Tally:
    issued: int
    done: int
    noshow: int
    cancel: int
    lapsed: int


Line = list[tuple[int, str]]
"""Those who wait for one service in one lane: (ord, number), ascending."""


@dataclass(slots=True)
class Day:
    """A service day as its leaves up to `n` tell it; n = -1 before the first.

    By service: `waiting[service][lane]` lines, `cs` calls, `issued` numbers given, `used` and
    `web` as the quotas count, `completed` by the service of issue, `lines`: the n of the last
    event that changed who waits for it or in which lane, and `late`: those who wait with nb > 0,
    because they came back or were transferred. The virtual order of a service depends on `lines`
    and `cs` alone. `holders` has each holder's latest number, `calls` is newest first.
    `stop_why` is the reason of the running stop, empty when the office issues. `tally` is what
    day.close claimed. `held_at` is the t of the last clock event: while the clock is held there,
    no other is written.
    """

    code: str
    day: str
    policy: Policy
    waiting: dict[str, dict[Lane, Line]]
    cs: dict[str, int]
    issued: dict[str, int]
    used: dict[str, int]
    web: dict[str, int]
    completed: dict[str, int]
    lines: dict[str, int]
    late: dict[str, set[str]]
    counters: dict[str, Counter]
    n: int = -1
    t: int = 0
    opened: bool = False
    closed: bool = False
    hours_on: bool = False
    office_on: bool = True
    stop_why: str = ""
    tickets: dict[str, Ticket] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    tally: Tally | None = None
    held_at: int = -1
