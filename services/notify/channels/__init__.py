"""How messages reach people: one small interface, and one file a channel.

A module of this package that has `make(settings)` is a channel: it returns its Channel, or None
where the settings do not name one (no account, not development). `load` finds them all; nothing
else names them. A module whose name begins with `_` is no channel.

A channel knows neither tickets nor Redis: it is given a target and a message and says what became
of it. It repeats nothing by itself. What is thrown by `send` counts as RETRY with the reason
UNEXPECTED.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlsplit


class Kind(StrEnum):
    """What a message says."""

    NEAR = "NEAR"
    CALLED = "CALLED"
    PASSED_OVER = "PASSED_OVER"
    ISSUING_STOPPED = "ISSUING_STOPPED"


class Language(StrEnum):
    """Of a message's texts."""

    ID = "id"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one ticket, written out.

    `id` is the same in every attempt and on every subscription; who has seen it has seen the
    message. `path` is the ticket's page (`/t/…`), `url` the same with the site's address if that
    is known, else equal to `path`. `expires_at` is ms UTC of real time: after it the message is
    of no use. `topic` (at most 32 base64url characters) is the ticket's: a newer message replaces
    an older one that waits. `due_at` is ms UTC of domain time, `ahead` of NEAR, `counter` of
    CALLED, `return_by` ms UTC of PASSED_OVER, 0 if there is no return.
    """

    id: str
    kind: Kind
    language: Language
    title: str
    body: str
    path: str
    url: str
    expires_at: int
    topic: str
    kecamatan: str
    service_day: str
    number: str
    due_at: int
    urgency: str = "high"
    ahead: int = 0
    counter: str = ""
    return_by: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """Where to. `address` is an endpoint's URL or a phone number in digits; `secrets` is what else
    the channel needs (Web Push: `p256dh`, `auth`). Never logged."""

    channel: str
    address: str = field(default="", repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def host(self) -> str:
        """Whom the channel asks: the address's host, else the channel itself. What fails for one
        target of a host fails for all."""
        return urlsplit(self.address).hostname or self.channel


class Result(StrEnum):
    """What became of one attempt."""

    ACCEPTED = "ACCEPTED"  # the channel took it
    GONE = "GONE"  # the target is no more: its subscription ends
    RETRY = "RETRY"  # perhaps later
    REFUSED = "REFUSED"  # never


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt. `reason` is a short fixed word in capitals (a metric's label: no values in it),
    `after` the seconds that the other side asks to wait, None if it does not."""

    result: Result
    reason: str = ""
    after: float | None = None


ACCEPTED = Outcome(Result.ACCEPTED)


def gone(reason: str) -> Outcome:
    return Outcome(Result.GONE, reason)


def retry(reason: str, after: float | None = None) -> Outcome:
    return Outcome(Result.RETRY, reason, after)


def refused(reason: str) -> Outcome:
    return Outcome(Result.REFUSED, reason)


class Channel(Protocol):
    """One way to people. `name` is the DeliveryChannel in lower case: `web_push`."""

    name: str

    def key(self) -> str:
        """What a page needs to subscribe (VAPID public key, the number to write to), or ""."""

    def link(self, text: str) -> str:
        """The address by which a citizen writes `text` first; "" where the target comes with the
        subscription."""

    async def check(self, target: Target) -> None:
        """Problem TARGET_REFUSED (with `why`) or INVALID_REQUEST (with `field`) at saving."""

    async def send(self, target: Target, message: Message) -> Outcome:
        """One attempt, bounded in time. It checks the target again: it may have been saved under
        other rules, and a name may lead elsewhere by now."""

    async def close(self) -> None:
        """Lets go of connections."""


def load(settings: Any) -> dict[str, Channel]:
    """The channels that the settings name, by name. ConfigError: one is named wrongly."""
    found: dict[str, Channel] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            make = getattr(importlib.import_module(f"{__name__}.{module.name}"), "make", None)
            channel = make(settings) if make else None
            if channel is not None:
                found[channel.name] = channel
    return found
