"""Which URLs may be posted to: `https://name/…`, its name on a list of configuration. Pure.

The grammar is narrower than any URL parser's, so that no two of them can read the same text
differently: lower-case letters, digits, hyphens and dots before the path, a last label that begins
with a letter. No IP address in any spelling passes, nor userinfo, nor a name without a dot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.notify.outgoing.addresses import Network, address, is_public, is_within

LONGEST = 2048
"""Characters of a URL; the longest endpoints seen are of Windows, below 1,000."""

ANY = "*"
LOOPBACK = "127.0.0.1"
HTTPS_PORT = 443

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?"
_REST = r"(?:[/?][!$-;=?-Z_a-z~\[\]]*)?"  # no blank, quote, backslash or fragment
_PUBLIC = re.compile(rf"https://(?P<host>{_NAME})(?::(?P<port>[0-9]{{1,5}}))?(?P<rest>{_REST})")
_LOCAL = re.compile(rf"http://(?P<host>127\.0\.0\.1):(?P<port>[0-9]{{1,5}})(?P<rest>{_REST})")
_AUTHORITY = re.compile(r"[A-Za-z]+://[^/?#]*")
_PATTERN = re.compile(rf"\*|(?:\*\.)?{_NAME}")


class Refused(Exception):  # noqa: N818  (a verdict, not a failure of ours)
    """The destination is not admitted; `why` is one of a few words, fit for a metric."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True)
class Policy:
    """What a channel may post to.

    `hosts`: exact names, `*.name` for all below a name, `*` for any; none = nothing. `networks`:
    inner ones of the city that are admitted beside the public. `loopback`: `http://127.0.0.1` too,
    for development and tests.
    """

    hosts: tuple[str, ...] = ()
    ports: tuple[int, ...] = (HTTPS_PORT,)
    networks: tuple[Network, ...] = ()
    loopback: bool = False

    def __post_init__(self) -> None:
        """ValueError: a host that is no such pattern."""
        for pattern in self.hosts:
            if not _PATTERN.fullmatch(pattern):
                raise ValueError(f"{pattern!r} is no name of a host, in lower case")

    def destination(self, url: str) -> Destination:
        """Refused: `form`, `host` or `port`."""
        if self.loopback and (local := _read(_LOCAL, url)):
            return local
        found = _read(_PUBLIC, _lowered(url))
        if found is None:
            raise Refused("form")
        if not any(_matches(found.host, pattern) for pattern in self.hosts):
            raise Refused("host")
        if found.port not in self.ports:
            raise Refused("port")
        return found

    def admits(self, host: str, found: str) -> bool:
        """Whether a look-up of `host` may lead to the address `found`."""
        ip = address(found)
        if ip is None:
            return False
        if self.loopback and host == LOOPBACK:
            return found == LOOPBACK
        return is_public(ip) or is_within(ip, self.networks)


@dataclass(frozen=True)
class Destination:
    """A URL that may be posted to as it stands."""

    url: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """As VAPID's `aud` has it: without the port where it is the usual one."""
        scheme = self.url.partition(":")[0]
        port = "" if scheme == "https" and self.port == HTTPS_PORT else f":{self.port}"
        return f"{scheme}://{self.host}{port}"


def _lowered(url: str) -> str:
    """Scheme and name in lower case; the rest is the receiver's."""
    return _AUTHORITY.sub(lambda found: found[0].lower(), url, count=1)


def _read(form: re.Pattern[str], url: str) -> Destination | None:
    found = form.fullmatch(url) if len(url) <= LONGEST and url.isascii() else None
    if found is None or len(found["host"]) > 253:
        return None
    port = int(found["port"] or HTTPS_PORT)
    return Destination(url, found["host"], port) if 0 < port < 65536 else None


def _matches(host: str, pattern: str) -> bool:
    return pattern == ANY or host == pattern or (pattern[0] == "*" and host.endswith(pattern[1:]))


def first_refused(policy: Policy, host: str, found: Sequence[str]) -> str | None:
    """The first address that may not be connected to. One is enough to refuse them all: a name
    that stands for the inside and the outside at once is an attack or a mistake."""
    return next((ip for ip in found if not policy.admits(host, ip)), None)
