"""What /metrics says: fetched, parsed, and held against the words that it may use."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from services.chassis.errors import catalogue
from services.gateway import compose, pages
from services.gateway.admission import Limit
from services.gateway.crowd import Cause
from services.gateway.routes import Routes
from services.notify.channels import Kind, Result
from services.queue import grammar
from services.queue.model import Channel, CounterState, Lane
from services.queue.steps import LUA, verb_of
from tunggu.notify.v1.notify_pb2 import DeliveryChannel

Key = tuple[str, tuple[tuple[str, str], ...]]
"""A sample's name and its labels in order."""


@dataclass(frozen=True)
class Scrape:
    """One answer of /metrics."""

    text: str

    @classmethod
    def of(cls, port: int) -> Scrape:
        # Not by a proxy that the environment may name.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            return cls(answer.read().decode())

    @cached_property
    def samples(self) -> dict[Key, float]:
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
        }

    @cached_property
    def helps(self) -> dict[str, str]:
        """HELP by family, ours only."""
        return dict(re.findall(r"^# HELP (tunggu_\w+) (.*)$", self.text, re.MULTILINE))

    def total(self, name: str, **labels: str) -> float:
        """The sum of the samples of that name that have these labels; 0 where there are none."""
        return sum(
            value
            for (known, has), value in self.samples.items()
            if known == name and labels.items() <= dict(has).items()
        )

    def has(self, name: str) -> bool:
        return any(known == name for known, _ in self.samples)

    def equal_everywhere(self) -> dict[Key, float]:
        """The samples that HELP promises to be equal on all replicas."""
        promised = {name for name, text in self.helps.items() if text.endswith(EVERYWHERE)}
        return {
            key: value for key, value in self.samples.items() if promised & set(_families(key[0]))
        }

    def strange_labels(self) -> list[tuple[str, str, str]]:
        """Samples' (name, label, value) that are none of the allowed ones."""
        return [
            (name, label, value)
            for name, labels in self.samples
            for label, value in labels
            if not ALLOWED.get(label, _never)(value)
        ]

    def personal(self, *secrets: str) -> list[str]:
        """Lines that hold one of the secrets, or what looks like a ticket, an id or a token."""
        return [
            line
            for line in self.text.splitlines()
            if PERSONAL.search(line) or any(secret in line for secret in secrets)
        ]


EVERYWHERE = "Equal on all replicas: max without (instance)."

PERSONAL = re.compile(
    r'"[A-Z][0-9]{3,}"'  # a ticket's number
    r"|[0-9]{6}-[0-9]{6}-"  # a ticket's id
    r"|eyJ|Bearer"  # a token
    r"|[0-9a-f]{32}"  # a hash
    r"|@"  # a subject
)


def _families(sample: str) -> Iterable[str]:
    yield sample
    yield re.sub("_(bucket|sum|count)$", "", sample)


def _never(_: str) -> bool:
    return False


def _like(pattern: str) -> Callable[[str], bool]:
    return lambda value: re.fullmatch(pattern, value) is not None


NOBODY: Any = SimpleNamespace(
    office=None
)  # which addresses there are depends on nobody who answers


def _methods() -> set[str]:
    services = (*compose.SERVICES, *compose.SURVEY, *compose.NOTIFY)
    rpcs = {f"{service.full_name}/{rpc.name}" for service in services for rpc in service.methods}
    templates = {route.template for route in Routes(services).all}
    templates |= {path.decode() for path in pages.pages(NOBODY).fixed}
    templates |= {"(none)", "/healthz", "/readyz", "/version"}
    http = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other")
    return rpcs | {f"{method} {template}" for method in http for template in templates}


REASONS = {*catalogue(), "OK", "CANCELLED", "GONE", "POWER", "DISASTER", "FULL", "OTHER"}
CHANNELS_PAGE = Path(__file__).parent.parent / "docs" / "CHANNELS.md"
WORDS = set(re.findall(r"`([A-Z_]+)`", CHANNELS_PAGE.read_text("utf-8")))
DELIVERY_CHANNELS = {name.removeprefix("DELIVERY_CHANNEL_") for name, _ in DeliveryChannel.items()}
VERBS = {verb_of(script.stem) for script in LUA.rglob("[!_]*.lua")} | {"Read"}

ALLOWED: dict[str, Callable[[str], bool]] = {
    "kecamatan": _like("[0-9]{2}[.][0-9]{2}[.][0-9]{2}"),
    "service": _like("[A-Z]|queue|survey|notify|gateway|printer"),
    "lane": {lane.name for lane in Lane}.__contains__,
    "channel": {channel.name for channel in Channel}.union(DELIVERY_CHANNELS).__contains__,
    "kind": {*Kind, "CAUGHT_UP"}.__contains__,
    "result": {*Result}.__contains__,
    "outcome": {"ACCEPTED", "FAILED", "EXPIRED", *WORDS}.__contains__,
    "state": {state.value for state in CounterState}.__contains__,
    "reason": (REASONS | WORDS).__contains__,
    "verb": VERBS.__contains__,
    "method": _methods().__contains__,
    "stream": {"board", "ticket", "city"}.__contains__,
    "limit": set(Limit).__contains__,
    "cause": set(Cause).__contains__,
    "le": _like(r"[0-9.]+|\+Inf"),
    "generation": _like("[0-2]"),
    "version": _like(r"[0-9.]+|[0-9a-f]{12}"),
    "display": _like(grammar.DISPLAY.pattern),
    "film": _like("[1-9]|[1-5][0-9]|6[0-4]"),
    "python": _like("[0-9.]+"),
    "major": _like("[0-9]+"),
    "minor": _like("[0-9]+"),
    "patchlevel": _like("[0-9]+"),
    "implementation": _like("CPython"),
}
