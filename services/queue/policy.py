"""The published policy: its document, the date's hours, and who is next.

Everything is a function of the document and the day's state. Nothing here changes a day, reads a
clock, or knows how the document was applied. The rule of call is `docs/RULES.md`, "next(c)".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Any
from zoneinfo import ZoneInfo

from services.queue import grammar
from services.queue.model import (
    Channel,
    Day,
    Lane,
    Policy,
    Rule,
    ServicePolicy,
    State,
    Ticket,
)

CLOSING_GRACE = timedelta(hours=2)
"""How long after the last closing the day's queue is still worked off."""

MAX_COUNT = 999_999
MAX_SECONDS = 86_400


# The document


def canonical(mapping: Mapping[str, Any]) -> bytes:
    """Canonical JSON: sorted keys, no spaces, ASCII. These bytes are hashed and published."""
    return json.dumps(mapping, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def parse_policy(document: bytes) -> Policy:
    """The policy of a document. Raises ValueError, in one clause, for any document that does not
    obey `docs/RULES.md`, bytes that are not canonical included."""
    mapping = _load(document)
    _keys(mapping, "the policy", "code counters hours rule services timezone")
    services = _services(mapping["services"])
    return Policy(
        code=_word(mapping["code"], grammar.CODE, "code"),
        timezone=_timezone(mapping["timezone"]),
        hours=_hours(mapping["hours"]),
        services=services,
        counters=_counters(mapping["counters"], services),
        rule=_rule(mapping["rule"]),
        document=document,
        hash=hashlib.sha256(document).hexdigest(),
    )


def _load(document: bytes) -> dict[str, Any]:
    try:
        mapping = json.loads(document)
        same = canonical(mapping) == document
    except (ValueError, RecursionError):
        raise ValueError("the policy is not JSON") from None
    if not isinstance(mapping, dict):
        raise ValueError("the policy is not a JSON object")
    if not same:
        raise ValueError("the policy is not canonical JSON (sorted keys, no spaces, ASCII)")
    return mapping


def _keys(value: Any, what: str, names: str) -> None:
    if not isinstance(value, dict) or sorted(value) != sorted(names.split()):
        raise ValueError(f"{what} needs exactly the fields {names}")


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{what} must be a list with at least one entry")
    return value


def _word(value: Any, pattern: re.Pattern[str], what: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"{what} is not well formed")
    return value


def _count(value: Any, what: str, most: int = MAX_COUNT) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{what} must be an integer from 0 to {most}")
    return value


def _sorted_codes(value: Any, what: str, known: Iterable[str]) -> list[str]:
    codes = _list(value, what)
    if any(code not in list(known) for code in codes):
        raise ValueError(f"{what} names something unknown")
    if codes != sorted(set(codes)):
        raise ValueError(f"{what} must be sorted, each once")
    return codes


def _timezone(value: Any) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, TypeError, AttributeError, OSError):
        raise ValueError("timezone is unknown") from None
    return str(value)


def _hours(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list):
        raise ValueError("hours must be a list")
    before = "00:00"
    for entry in value:
        _keys(entry, "an entry of hours", "close open")
        opens = _word(entry["open"], grammar.CLOSING_MINUTE, "open")
        closes = _word(entry["close"], grammar.CLOSING_MINUTE, "close")
        if not before <= opens < closes:
            raise ValueError("hours must be in order and not overlap")
        before = closes
    return tuple((entry["open"], entry["close"]) for entry in value)


def _services(value: Any) -> dict[str, ServicePolicy]:
    services = [_service(entry) for entry in _list(value, "services")]
    if len({service.code for service in services}) < len(services):
        raise ValueError("two services have the same code")
    return {service.code: service for service in services}


def _service(entry: Any) -> ServicePolicy:
    _keys(entry, "a service", "channels code quota")
    code = _word(entry["code"], grammar.SERVICE, "a service's code")
    channels = _sorted_codes(entry["channels"], f"channels of {code}", Channel.__members__)
    _keys(entry["quota"], f"quota of {code}", "day web")
    return ServicePolicy(
        code=code,
        channels=frozenset(Channel[name] for name in channels),
        quota_day=_count(entry["quota"]["day"], f"quota.day of {code}"),
        quota_web=_count(entry["quota"]["web"], f"quota.web of {code}"),
    )


def _counters(value: Any, services: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    counters: dict[str, tuple[str, ...]] = {}
    for entry in _list(value, "counters"):
        _keys(entry, "a counter", "id services")
        counter = _word(entry["id"], grammar.COUNTER, "a counter's id")
        if counter in counters:
            raise ValueError("two counters have the same id")
        named = _sorted_codes(entry["services"], f"services of counter {counter}", services)
        counters[counter] = tuple(named)
    return counters


def _rule(value: Any) -> Rule:
    _keys(value, "rule", "hold priorityAfter return skip transfers")
    hold, back, skip = value["hold"], value["return"], value["skip"]
    _keys(hold, "rule.hold", "times within")
    _keys(back, "rule.return", "afterCalls times within")
    _keys(skip, "rule.skip", "after calls")
    return Rule(
        priority_after=_count(value["priorityAfter"], "rule.priorityAfter"),
        skip_calls=_count(skip["calls"], "rule.skip.calls"),
        skip_after=_count(skip["after"], "rule.skip.after", MAX_SECONDS),
        return_after_calls=_count(back["afterCalls"], "rule.return.afterCalls"),
        return_within=_count(back["within"], "rule.return.within", MAX_SECONDS),
        return_times=_count(back["times"], "rule.return.times"),
        hold_times=_count(hold["times"], "rule.hold.times"),
        hold_within=_count(hold["within"], "rule.hold.within", MAX_SECONDS),
        transfers=_count(value["transfers"], "rule.transfers"),
    )


# The date's hours


def day_bounds_ms(policy: Policy, day: str) -> tuple[int, int]:
    """Start and end (exclusive) of the local date."""
    return _at(policy, day, "00:00"), _at(policy, day, "24:00")


def hours_ms(policy: Policy, day: str) -> tuple[tuple[int, int], ...]:
    """The date's hours as (open, close), close exclusive."""
    return tuple((_at(policy, day, o), _at(policy, day, c)) for o, c in policy.hours)


def close_at_ms(policy: Policy, day: str) -> int:
    """From when on nothing but day.close may be written; a date without hours never begins."""
    start, end = day_bounds_ms(policy, day)
    if not policy.hours:
        return start
    grace = int(CLOSING_GRACE / timedelta(milliseconds=1))
    return min(_at(policy, day, policy.hours[-1][1]) + grace, end)


def within_hours(policy: Policy, day: str, t: int) -> bool:
    return any(opens <= t < closes for opens, closes in hours_ms(policy, day))


def _at(policy: Policy, day: str, minute: str) -> int:
    local = date.fromisoformat(day)
    if minute == "24:00":
        local, minute = local + timedelta(days=1), "00:00"
    moment = datetime.fromisoformat(f"{local}T{minute}").replace(tzinfo=ZoneInfo(policy.timezone))
    return int(moment.timestamp() * 1000)


# Who is next


def is_live(day: Day, ticket: Ticket, t: int) -> bool:
    """Whether the ticket can still be served: a return or hold that has run out is not live."""
    rule = day.policy.rule
    if ticket.state is State.NO_SHOW:
        in_time = t <= ticket.since + rule.return_within * 1000
        return in_time and ticket.returns < rule.return_times
    if ticket.state is State.ON_HOLD:
        return t <= ticket.since + rule.hold_within * 1000
    return ticket.state in (State.WAITING, State.CALLED, State.SERVING)


def next_ticket(day: Day, counter_id: str) -> str | None:
    """The number that the counter must call now, None when nobody waits for its set."""
    counter = day.counters[counter_id]
    regular = _ripe_head(day, counter.services, Lane.REGULAR)
    priority = _ripe_head(day, counter.services, Lane.PRIORITY)
    if regular and priority:
        due = counter.credit >= day.policy.rule.priority_after
        return (priority if due or priority < regular else regular)[1]
    head = regular or priority
    return head[1] if head else _least_unripe(day, counter.services)


def _ripe_head(day: Day, services: Iterable[str], lane: Lane) -> tuple[int, str] | None:
    heads = []
    for service in services:
        calls = day.cs[service]
        for entry in day.waiting[service][lane]:
            if day.tickets[entry[1]].nb <= calls:
                heads.append(entry)
                break
    return min(heads, default=None)


def _least_unripe(day: Day, services: Iterable[str]) -> str | None:
    waiting = [
        (day.tickets[number].nb - day.cs[service], lane is Lane.REGULAR, order, number)
        for service in services
        for lane, line in day.waiting[service].items()
        for order, number in line
    ]
    return min(waiting)[3] if waiting else None


def virtual_order(day: Day, service: str) -> list[str]:
    """The numbers that wait for the service in the order of call by one virtual counter of that
    service alone, credit 0, nobody else arriving. A ticket's place in it is its `ahead`.

    It depends on `day.lines[service]` and `day.cs[service]` alone; O(n log n).
    """
    ripe, unripe = _split(day, service)
    calls, credit, after = day.cs[service], 0, day.policy.rule.priority_after
    regular, priority = ripe[Lane.REGULAR], ripe[Lane.PRIORITY]
    calling: list[str] = []
    while regular or priority or unripe:
        while unripe and unripe[0][0] <= calls:
            _, later, order, number = heappop(unripe)
            heappush(regular if later else priority, (order, number))
        if priority and (not regular or credit >= after or priority[0] < regular[0]):
            calling.append(heappop(priority)[1])
            credit = 0
        elif regular:
            calling.append(heappop(regular)[1])
            credit = min(after, credit + 1)
        else:
            _, later, _, number = heappop(unripe)
            calling.append(number)
            credit = min(after, credit + 1) if later else 0
        calls += 1
    return calling


def _split(
    day: Day, service: str
) -> tuple[dict[Lane, list[tuple[int, str]]], list[tuple[int, bool, int, str]]]:
    """The ripe lines, and the others as a heap of (nb, in the regular lane, ord, number)."""
    calls, tickets = day.cs[service], day.tickets
    ripe: dict[Lane, list[tuple[int, str]]] = {}
    unripe: list[tuple[int, bool, int, str]] = []
    for lane, line in day.waiting[service].items():
        ripe[lane] = [entry for entry in line if tickets[entry[1]].nb <= calls]
        if len(ripe[lane]) < len(line):
            regular = lane is Lane.REGULAR
            late = ((tickets[k].nb, regular, order, k) for order, k in line)
            unripe += [entry for entry in late if entry[0] > calls]
    heapify(unripe)
    return ripe, unripe
