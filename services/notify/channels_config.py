"""What the channels can be told: where they may post to, their keys and accounts.

A channel whose settings are absent is not offered; one that is named by half, or wrongly, stops
the start.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from services.chassis.config import ConfigError, secret, setting
from services.notify.outgoing.addresses import inner
from services.notify.outgoing.destinations import HTTPS_PORT, Policy
from services.redis_link.config import RedisConfig

PUSH_HOSTS = (
    "fcm.googleapis.com",  # Chrome, Edge on Android, Samsung Internet, Opera
    "jmt17.google.com",  # Chrome, for some subscriptions
    "updates.push.services.mozilla.com",  # Firefox
    "*.notify.windows.com",  # Edge on Windows
    "*.push.apple.com",  # Safari: web.push.apple.com
)
GRAPH = "https://graph.facebook.com/v24.0"

_CONTACT = re.compile(r"mailto:[^@\s]+@[a-z0-9-]+(\.[a-z0-9-]+)+|https://[a-z0-9-]+(\.[a-z0-9-]+)+")
_WHATSAPP = ("phone", "phone_id", "token", "app_secret", "verify_token")


@dataclass(frozen=True)
class ChannelsConfig(RedisConfig):
    """The channels' settings; loopback only in development."""

    contact: str = setting(
        "", "mailto:… or https://… by which push services reach the operator; empty: no Web Push"
    )
    push_hosts: tuple[str, ...] = setting(PUSH_HOSTS, "push services; *.name = all below it")
    webhook_hosts: tuple[str, ...] = setting(
        (), "hosts that citizens' webhooks may name: SMS gateways; empty: no webhooks"
    )
    agency_hosts: tuple[str, ...] = setting(("*",), "hosts that offices' webhooks may name")
    webhook_ports: tuple[str, ...] = setting((str(HTTPS_PORT),), "ports that webhooks may name")
    webhook_networks: tuple[str, ...] = setting(
        (), "inner networks of the city that webhooks may reach: 10.20.0.0/16"
    )
    webhook_patience: float = setting(
        24 * 3600.0, "seconds that an office's webhook may fail until it is paused", least=1
    )
    loopback: bool = setting(False, "http://127.0.0.1 may be posted to: development only")
    whatsapp_phone: str = setting(
        "", "the city's number, digits, that citizens write to; empty: no WhatsApp"
    )
    whatsapp_phone_id: str = setting("", "its id at the Cloud API")
    whatsapp_url: str = setting(GRAPH, "the Cloud API")

    vapid: str = secret(
        "private key of Web Push, P-256, PEM; absent: made at first start, kept in Redis", ""
    )
    webhook_secret: str = secret("what citizens' webhooks are signed with, whsec_…", "")
    whatsapp_token: str = secret("access token of the Cloud API", "")
    whatsapp_app_secret: str = secret("what the Cloud API signs with", "")
    whatsapp_verify_token: str = secret("what the Cloud API shows when it is connected", "")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loopback and self.env != "development":
            raise ConfigError("configuration: TUNGGU_LOOPBACK is for TUNGGU_ENV=development only")
        if self.contact and not _CONTACT.fullmatch(self.contact):
            raise ConfigError(
                f"configuration: TUNGGU_CONTACT must be mailto:… or https://…, not {self.contact!r}"
            )
        self._check_whatsapp()
        for make in (self.push_policy, self.webhook_policy, self.agency_policy):
            _tried(make)

    def _check_whatsapp(self) -> None:
        names = [f"whatsapp_{name}" for name in _WHATSAPP]
        absent = [_variable(name) for name in names if not getattr(self, name)]
        if absent and len(absent) < len(names):
            raise ConfigError(f"configuration: WhatsApp also needs {', '.join(absent)}")
        if not re.fullmatch(r"[0-9]{8,15}|", self.whatsapp_phone):
            raise ConfigError("configuration: TUNGGU_WHATSAPP_PHONE must be digits, 628…")

    def push_policy(self) -> Policy:
        return Policy(self.push_hosts, loopback=self.loopback)

    def webhook_policy(self) -> Policy:
        return self._webhooks(self.webhook_hosts)

    def agency_policy(self) -> Policy:
        return self._webhooks(self.agency_hosts)

    def _webhooks(self, hosts: tuple[str, ...]) -> Policy:
        ports = tuple(map(int, self.webhook_ports))
        return Policy(hosts, ports, inner(self.webhook_networks), self.loopback)


def _variable(name: str) -> str:
    given = name in ("whatsapp_phone", "whatsapp_phone_id")
    return f"TUNGGU_{name.upper()}" + ("" if given else "_FILE")


def _tried(make: Callable[[], Policy]) -> None:
    """ConfigError for what a Policy does not understand."""
    try:
        make()
    except ValueError as error:
        raise ConfigError(f"configuration: where may be posted to: {error}") from None
