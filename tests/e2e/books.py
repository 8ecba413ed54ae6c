"""What was acknowledged, held against what was written: the journal, and all of Redis."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from redis import Redis

from services.queue.journal import parse
from services.queue.keys import CITY_KEY, Keys
from services.survey.keys import Keys as SurveyKeys
from tests.e2e.hall import DAY, OFFICE, OTHER, Hall
from tests.e2e.proof import Account

AT = f"/v1/kecamatan/{OFFICE}"
EVENTS = {
    "CreateTicket": "issue",
    "CancelTicket": "cancel",
    "CheckInTicket": "present",
    "ReturnTicket": "return",
    "SetTicketLane": "lane",
    "RequeueTicket": "requeue",
    "OpenCounter": "counter.open",
    "CloseCounter": "counter.close",
    "SetCounterServices": "counter.set",
    "CallNextTicket": "call",
    "RecallTicket": "recall",
    "StartTicket": "start",
    "CompleteTicket": "done",
    "SkipTicket": "noshow",
    "HoldTicket": "hold",
    "TransferTicket": "xfer",
    "StopIssuing": "issue.stop",
    "ResumeIssuing": "issue.go",
}
DUE = {"day.open", "issue.go"}  # what the clock writes by itself

Content = dict[str, Any]


def newest(redis: Redis, key: str) -> Any:
    """Of a stream, to which things are only added."""
    return redis.xrevrange(key, count=1)


def whole(redis: Redis, key: str) -> Any:
    """Of a sorted set."""
    return redis.zrange(key, 0, -1)


_READ: dict[str, Any] = {"journal": newest, "audit": newest, "ripe": whole, "unripe": whole}


class Store:
    """What Redis holds of both offices, by key: changes with any write."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def content(self, administers: bool = False) -> Content:
        """`administers`: OTHER comes and goes, and ticks open and archive its days meanwhile;
        then only what no tick writes is looked at there."""
        pipe = self._redis.pipeline(transaction=True)
        names = [Keys(OTHER, DAY).of("file"), *self._office(OFFICE)]
        names += [] if administers else self._office(OTHER)
        for name in names:
            _READ.get(name.rpartition(":")[2], Redis.hgetall)(pipe, name)
        pipe.smembers(CITY_KEY)
        pipe.keys()
        *values, city, keys = pipe.execute()
        size = sum(b"notify:" not in key for key in keys)  # it follows the office in its own time
        found = dict(zip(names, values, strict=True)) | {CITY_KEY: city}
        return found if administers else found | {"keys, records of request ids too": size}

    def _office(self, code: str) -> list[str]:
        keys = Keys(code, DAY)
        lasting = ("office", "journal", "file", "policies", "frozen", "days", "audit")
        daily = ("tickets", "ids", "holders", "counters", "counts", "ripe", "unripe")
        survey = SurveyKeys(code, DAY)
        answers = [*map(survey.of_day, ("counts", "answers", "assessed", "requests"))]
        return [*map(keys.of, lasting), *map(keys.of_day, daily), *answers]

    def settle(self) -> None:
        """Returns when ticks have nothing to do any more."""
        before: Content = {}
        quiet = 0
        while quiet < 3:
            time.sleep(0.7)
            quiet = 0 if written(before, now := self.content()) else quiet + 1
            before = now


def written(before: Content, now: Content) -> Content:
    """What differs: each key, of a hash each field, as it was and as it is."""
    return {
        f"{key} {part}": (was.get(part), has.get(part))
        for key in now
        for was, has in [(_parts(before.get(key)), _parts(now[key]))]
        for part in was.keys() | has.keys()
        if was.get(part) != has.get(part)
    }


def _parts(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {"": value}


@dataclass
class Books:
    """Acknowledged events of OFFICE, by number."""

    hall: Hall
    acknowledged: dict[int, str] = field(default_factory=dict)
    read: int = -1

    def note(self, operation: str, answer: Any) -> None:
        """An answer of 200 or 201 to a mutation."""
        kind = EVENTS[operation.partition("By")[0]]
        changed = next(iter(answer.values()))
        if changed["kecamatan"] == OFFICE:
            self.acknowledged.setdefault(changed["event"], kind)

    def leaves(self, after: int = -1) -> list[bytes]:
        """The day's, without line ends, from the number after `after` on."""
        path = f"{AT}/days/{DAY}/events"
        found: list[bytes] = []
        while page := self._get(path, after=after + len(found)).splitlines():
            found += page
        return found

    def policy(self) -> str:
        """The hash of the day's."""
        return str(parse(self.leaves()[0]).pol)

    def account(self) -> Account:
        """The whole day as a stranger reads it."""
        return Account(tuple(self.leaves()), self._get(f"{AT}/policies/{self.policy()}"))

    def _get(self, path: str, **parameters: int) -> bytes:
        return self.hall.citizen.get(path, params=parameters).raise_for_status().content

    def balance(self) -> list[str]:
        """What the journal has beside what was acknowledged, and the other way round."""
        new = {event.n: event.e for event in map(parse, self.leaves(self.read))}
        told = {n: kind for n, kind in self.acknowledged.items() if n > self.read}
        self.read = max([self.read, *new])
        extra = [f"{n} {e}" for n, e in new.items() if told.get(n) != e and e not in DUE]
        return extra + [f"{n} {e} is not there" for n, e in told.items() if n not in new]
