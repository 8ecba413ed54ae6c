"""Who a client is, as far as an address tells: what limits by address count.

Only what a configured proxy says of others is believed, and only in the one header that it is
configured to write; a client can write any header itself. IPv6 counts by /64, which is what one
subscriber gets; IPv4 that is written as IPv6 counts as IPv4.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from services.chassis.config import ConfigError
from services.gateway.exchange import Scope

CLIENT = "tunggu.client"  # scope extension: the client as limits count it
UNIX = "unix"  # names the trusted proxy on a unix socket
X_FORWARDED_FOR, FORWARDED = "x-forwarded-for", "forwarded"
MOST_HOPS = 16  # proxies between us and a client
LONGEST = 80  # characters of an address
KEPT = 4096  # addresses whose reading is remembered, for that takes longer than the rest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_SUBSCRIBER = ((1 << 128) - 1) ^ ((1 << 64) - 1)
_PORT = re.compile(r"\[([^\]]*)\](?::\d+)?|([0-9.]+):\d+")
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^;"\s]*))\s*(?=;|$)', re.IGNORECASE)


def parse(text: str) -> Address | None:
    """An address, perhaps with a port, a zone or as IPv4 within IPv6; None if it is none."""
    return _parsed(text) if len(text) <= LONGEST else None


@lru_cache(KEPT)
def _parsed(text: str) -> Address | None:
    found = _PORT.fullmatch(text.strip())
    bare = (found[1] or found[2] or "") if found else text.strip()
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


@lru_cache(KEPT)
def counted(address: Address) -> str:
    """What limits count it as: `203.0.113.7`, `2001:db8::/64`."""
    if isinstance(address, IPv4Address):
        return str(address)
    return f"{IPv6Address(int(address) & _SUBSCRIBER)}/64"


def client_of(scope: Scope) -> str:
    """Whom a request comes from, as limits count it: what `Addresses.note` found, else the peer.

    Empty on a socket that has no addresses.
    """
    noted: str | None = scope.get("extensions", {}).get(CLIENT)
    return noted or _peer(scope)


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    address = parse(client[0]) if client else None
    return counted(address) if address else ""


class Addresses:
    """Finds clients behind `trusted` proxies: networks, addresses or `unix`."""

    def __init__(self, trusted: Iterable[str] = (), header: str = X_FORWARDED_FOR) -> None:
        """ConfigError: a proxy that is no network."""
        named = set(trusted)
        self._unix = UNIX in named
        self._networks = tuple(_network(text) for text in sorted(named - {UNIX}))
        self._header = header.encode()
        self._hops = _forwarded if header == FORWARDED else _x_forwarded_for

    def trusts(self, address: Address | None) -> bool:
        """Whether it is one of ours; None is a unix socket."""
        if address is None:
            return self._unix
        return any(address in network for network in self._networks)

    def note(self, scope: Scope) -> str:
        """The client, and what `client_of` says of this request from now on."""
        found = self._behind(scope) if self._networks or self._unix else _peer(scope)
        scope.setdefault("extensions", {})[CLIENT] = found
        return found

    def _behind(self, scope: Scope) -> str:
        """From the nearest hop outwards: the first that is not ours, or the last that is known."""
        client = scope.get("client")
        nearest = parse(client[0]) if client else None
        if not self.trusts(nearest):
            return _peer(scope)
        found = nearest
        lines = [value for name, value in scope["headers"] if name == self._header]
        for text in list(self._hops(b",".join(lines).decode("latin-1")))[::-1][:MOST_HOPS]:
            hop = parse(text)
            if hop is None:  # whoever wrote that, nobody vouches for what stands before it
                break
            found = hop
            if not self.trusts(hop):
                break
        return counted(found) if found else ""


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ConfigError(f"configuration: TUNGGU_TRUSTED_PROXIES: {error}") from None


def _x_forwarded_for(value: str) -> Iterator[str]:
    yield from value.split(",") if value else ()


def _forwarded(value: str) -> Iterator[str]:
    """The `for` of each element of RFC 7239; empty where an element has none."""
    for element in value.split(",") if value else ():
        found = _FOR.search(element)
        yield (found[1] or found[2] or "") if found else ""
