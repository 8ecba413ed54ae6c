"""Which IP addresses belong to the public internet. Pure: no look-ups.

Stricter than `ipaddress.is_global`, which changes between releases of Python: what carries
another address inside (IPv4-mapped, NAT64, 6to4, Teredo) is refused whatever it carries, because
what the network makes of it is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

GLOBAL_V6 = IPv6Network("2000::/3")
"""The only unicast space of IPv6 that is given out: ULA, link-local, multicast, IPv4-mapped and
both NAT64 prefixes lie outside."""

NOT_PUBLIC_V6 = tuple(
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)  # protocol assignments with Teredo, documentation, 6to4, documentation

NOT_PUBLIC_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # carriers' NAT, and some clouds' metadata
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's metadata and agents
            "169.254.0.0/16",  # link-local with most clouds' metadata
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)

NEVER = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "168.63.129.16/32",
            "224.0.0.0/3",
            "::/8",
            "fe80::/10",
            "ff00::/8",
            "fd00:ec2::/32",
        ),
    )
)
"""Ourselves, our link and metadata: what no setting may call an inner network."""


def address(text: str) -> IPv4Address | IPv6Address | None:
    """The address that a look-up gave; None for anything else, scoped ones included."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def is_public(ip: IPv4Address | IPv6Address) -> bool:
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in NOT_PUBLIC_V4)
    return ip in GLOBAL_V6 and not any(ip in network for network in NOT_PUBLIC_V6)


def is_within(ip: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    return any(ip in network for network in networks)


def inner(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks of the city that a setting names. ValueError: malformed, or one of NEVER."""
    networks = tuple(map(ip_network, texts))
    for network in networks:
        if any(network.version == never.version and network.overlaps(never) for never in NEVER):
            raise ValueError(f"{network} is never admitted")
    return networks
