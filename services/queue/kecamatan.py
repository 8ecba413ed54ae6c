"""The Kecamatan file: whether it holds together, and the policy that it means for a date.

A pure function of the message: no store, no clock. The file's own words (names, texts, display)
stay out of the policy document, which has only what decides who is called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from google.protobuf import json_format

from services.chassis.errors import Problem
from services.queue import bounds, grammar
from services.queue.policy import canonical, parse_policy
from tunggu.queue.v1 import kecamatan_pb2 as pb
from tunggu.queue.v1 import ticket_pb2

API_VERSION = "tunggu.makassarkota.go.id/v1alpha1"
KIND = "Kecamatan"
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS = (("00:00", "24:00"),)

UNLIMITED = 9999
TYPICAL_MINUTES = 10
DEFAULTS = {
    "priority_after": 2,
    "skip_calls": 3,
    "skip_after": 90,
    "return_after_calls": 3,
    "return_within": 3600,
    "return_times": 1,
    "hold_times": 2,
    "hold_within": 7200,
    "transfers": 3,
}
MAX_SECONDS = 86_400
MAX_COUNT = 9999

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


# What holds on a date ---------------------------------------------------------------------------


def hours_on(hours: pb.Hours, day: str) -> tuple[tuple[str, str], ...]:
    """The date's (open, close) in order, none when closed: exception before season before week."""
    for exception in hours.exceptions:
        if exception.date == day:
            return () if exception.closed else _intervals(exception.hours)
    week = next((s.weekly for s in hours.seasons if getattr(s, "from") <= day <= s.to), None)
    weekday = WEEK[date.fromisoformat(day).weekday()]
    return _intervals(getattr(week or hours.weekly, weekday))


def _intervals(intervals: Iterable[pb.Interval]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((i.open, i.close) for i in intervals))


def policy_document(spec: pb.KecamatanSpec, day: str, always_open: bool = False) -> bytes:
    """The canonical bytes of docs/RULES.md for the local date `day`."""
    return canonical(
        {
            "code": spec.code,
            "counters": [{"id": c.id, "services": sorted(c.services)} for c in spec.counters],
            "hours": [
                {"close": close, "open": opens}
                for opens, close in (ALWAYS if always_open else hours_on(spec.hours, day))
            ],
            "rule": _rule_document(spec.rule),
            "services": [_service_document(s) for s in spec.services],
            "timezone": spec.timezone,
        }
    )


def _service_document(service: pb.ServiceSpec) -> dict[str, Any]:
    day = service.quota.day if service.HasField("quota") else UNLIMITED
    web = service.quota.web if service.quota.HasField("web") else day
    names = ticket_pb2.Channel.keys()[1:]
    named = [ticket_pb2.Channel.Name(c) for c in service.channels] or names
    return {
        "channels": sorted(name.removeprefix("CHANNEL_") for name in named),
        "code": service.code,
        "quota": {"day": day, "web": web},
    }


def _rule_document(rule: pb.RuleSpec) -> dict[str, Any]:
    skip, back, hold = rule.skip, getattr(rule, "return"), rule.hold
    return {
        "hold": {
            "times": _given(hold, "times", "hold_times"),
            "within": _given(hold, "within", "hold_within"),
        },
        "priorityAfter": _given(rule, "priority_after", "priority_after"),
        "return": {
            "afterCalls": _given(back, "after_calls", "return_after_calls"),
            "times": _given(back, "times", "return_times"),
            "within": _given(back, "within", "return_within"),
        },
        "skip": {
            "after": _given(skip, "after", "skip_after"),
            "calls": _given(skip, "calls", "skip_calls"),
        },
        "transfers": _given(rule, "transfers", "transfers"),
    }


def _given(message: Any, field: str, default: str) -> int:
    if not message.HasField(field):
        return DEFAULTS[default]
    value = getattr(message, field)
    return int(getattr(value, "seconds", value))


def with_defaults(rule: pb.RuleSpec) -> pb.RuleSpec:
    """The rule as published: every part named."""
    document = _rule_document(rule)
    for part, seconds in (("skip", "after"), ("return", "within"), ("hold", "within")):
        document[part][seconds] = f"{document[part][seconds]}s"
    return json_format.ParseDict(document, pb.RuleSpec())


def frozen(spec: pb.KecamatanSpec) -> bytes:
    """The names and first guesses that boards use all day, whatever is applied meanwhile."""
    services = {
        s.code: {"name": s.name, "typicalMinutes": s.typical_minutes or TYPICAL_MINUTES}
        for s in spec.services
    }
    return canonical({"name": spec.name, "services": services})


# The file as bytes ------------------------------------------------------------------------------


def dump(file: pb.Kecamatan) -> bytes:
    """Canonical JSON, so that an unchanged file is the same bytes."""
    mapping = json_format.MessageToDict(file)
    return json.dumps(mapping, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def load(text: bytes) -> pb.Kecamatan:
    return json_format.Parse(text, pb.Kecamatan())


# Whether it holds together ----------------------------------------------------------------------


def validate(code: str, file: pb.Kecamatan) -> None:
    """Raises INVALID_KECAMATAN with the first field that is wrong and why."""
    spec = file.spec
    _want(file.api_version == API_VERSION, "apiVersion", f"must be {API_VERSION}")
    _want(file.kind == KIND, "kind", f"must be {KIND}")
    _like(_LABEL, file.metadata.name, "metadata.name", "must be a DNS label")
    _like(grammar.CODE, spec.code, "spec.code", "must look like 73.71.03")
    _want(spec.code == code, "spec.code", f"must equal the address, {code}")
    _text(spec.name, "spec.name", 64)
    _want(len(spec.address) <= 256, "spec.address", "must have at most 256 characters")
    _want(spec.timezone in available_timezones(), "spec.timezone", "must be an IANA time zone")
    _want(file.spec.HasField("hours"), "spec.hours", "is missing")
    for field, why in bounds.excess(spec, "spec"):
        _want(False, field, why)
    _hours(spec.hours)
    _services(spec.services)
    _counters(spec)
    _rule(spec.rule)
    _extras(spec)
    parse_policy(policy_document(spec, "2026-01-05"))
    ZoneInfo(spec.timezone)


def _want(good: bool, field: str, why: str) -> None:
    if not good:
        raise Problem("INVALID_KECAMATAN", {"field": field, "why": why})


def _like(pattern: re.Pattern[str], value: str, field: str, why: str) -> None:
    _want(bool(pattern.fullmatch(value)), field, why)


def _text(value: str, field: str, most: int) -> None:
    good = value == value.strip() and 0 < len(value) <= most and value.isprintable()
    _want(good, field, f"must have 1 to {most} printable characters")


def _number(value: int, field: str, least: int, most: int) -> None:
    _want(least <= value <= most, field, f"must be from {least} to {most}")


def _unique(values: Sequence[Any], field: str) -> None:
    _want(len(set(values)) == len(values), field, "must not repeat an entry")


def _hours(hours: pb.Hours) -> None:
    _week(hours.weekly, "spec.hours.weekly")
    for i, season in enumerate(hours.seasons):
        path = f"spec.hours.seasons[{i}]"
        first, last = getattr(season, "from"), season.to
        _date(first, f"{path}.from")
        _date(last, f"{path}.to")
        _want(first <= last, f"{path}.to", "must not be before from")
        _week(season.weekly, f"{path}.weekly")
    _unique([e.date for e in hours.exceptions], "spec.hours.exceptions")
    for i, exception in enumerate(hours.exceptions):
        path = f"spec.hours.exceptions[{i}]"
        _date(exception.date, f"{path}.date")
        _want(
            exception.closed != bool(exception.hours), path, "must either be closed or have hours"
        )
        _day(exception.hours, f"{path}.hours")


def _date(value: str, field: str) -> None:
    try:
        good = bool(grammar.DATE.fullmatch(value)) and bool(date.fromisoformat(value))
    except ValueError:
        good = False
    _want(good, field, "must be a date, YYYY-MM-DD")


def _week(week: pb.Week, path: str) -> None:
    for name in WEEK:
        _day(getattr(week, name), f"{path}.{name}")


def _day(intervals: Sequence[pb.Interval], path: str) -> None:
    before = ""
    for i, interval in enumerate(intervals):
        field = f"{path}[{i}]"
        _like(grammar.MINUTE, interval.open, f"{field}.open", "must be HH:MM")
        close = interval.close
        _like(grammar.CLOSING_MINUTE, close, f"{field}.close", "must be HH:MM")
        _want(interval.open < close, f"{field}.close", "must be after open")
        _want(before <= interval.open, f"{field}.open", "must not be before the last close")
        before = close


def _services(services: Sequence[pb.ServiceSpec]) -> None:
    _number(len(services), "spec.services", 1, 26)
    for i, service in enumerate(services):
        path = f"spec.services[{i}]"
        _like(grammar.SERVICE, service.code, f"{path}.code", "must be one letter, A to Z")
        _text(service.name, f"{path}.name", 64)
        _number(service.typical_minutes, f"{path}.typicalMinutes", 0, 480)
        _quota(service, f"{path}.quota")
        known = set(service.channels) <= set(ticket_pb2.Channel.values()[1:])
        _want(known, f"{path}.channels", "must name channels")
        _unique(service.channels, f"{path}.channels")
    _unique([s.code for s in services], "spec.services")


def _quota(service: pb.ServiceSpec, path: str) -> None:
    if not service.HasField("quota"):
        return
    _number(service.quota.day, f"{path}.day", 0, MAX_COUNT)
    if service.quota.HasField("web"):
        _number(service.quota.web, f"{path}.web", 0, service.quota.day)


def _counters(spec: pb.KecamatanSpec) -> None:
    _number(len(spec.counters), "spec.counters", 1, 99)
    known = {service.code for service in spec.services}
    for i, counter in enumerate(spec.counters):
        path = f"spec.counters[{i}]"
        _like(
            grammar.COUNTER, counter.id, f"{path}.id", "must have 1 to 8 letters, digits or hyphens"
        )
        _want(len(counter.name) <= 64, f"{path}.name", "must have at most 64 characters")
        _want(bool(counter.services), f"{path}.services", "must name at least one service")
        _want(set(counter.services) <= known, f"{path}.services", "names an unknown service")
        _unique(counter.services, f"{path}.services")
    _unique([c.id for c in spec.counters], "spec.counters")


def _rule(rule: pb.RuleSpec) -> None:
    for path, value in _flat(_rule_document(rule), "spec.rule"):
        seconds = path.endswith(("after", "within"))
        _number(value, path, 0, MAX_SECONDS if seconds else MAX_COUNT)
    _number(_given(rule.skip, "calls", "skip_calls"), "spec.rule.skip.calls", 1, 99)
    for name, duration in (
        ("skip.after", rule.skip.after),
        ("return.within", getattr(rule, "return").within),
        ("hold.within", rule.hold.within),
    ):
        _want(duration.nanos == 0, f"spec.rule.{name}", "must be whole seconds")


def _flat(mapping: dict[str, Any], path: str) -> Iterator[tuple[str, int]]:
    for key, value in mapping.items():
        below = f"{path}.{key}"
        if isinstance(value, dict):
            yield from _flat(value, below)
        else:
            yield below, value


def _extras(spec: pb.KecamatanSpec) -> None:
    for i, text in enumerate(spec.display.running_text):
        _want(bool(text.id), f"spec.display.runningText[{i}].id", "must have a text")
    for i, film in enumerate(spec.display.films):
        _want(bool(film.url), f"spec.display.films[{i}].url", "must have an address")
        _day(film.hours, f"spec.display.films[{i}].hours")
    thresholds = list(spec.notify.thresholds)
    falling = all(a > b for a, b in pairwise(thresholds))
    small = all(1 <= value <= 99 for value in thresholds) and len(thresholds) <= 5
    field = "spec.notify.thresholds"
    _want(falling and small, field, "must be at most five numbers from 99 to 1, falling")
    for i, camera in enumerate(spec.cameras):
        _want(bool(camera.id), f"spec.cameras[{i}].id", "must not be empty")
    _unique([camera.id for camera in spec.cameras], "spec.cameras")
