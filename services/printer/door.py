"""Whom the agent answers: pages of the origins that it was told, who came to it by its address.

The Host check keeps out a name of somebody else's that was pointed at 127.0.0.1 (DNS rebinding);
the Origin check every other site; the content type makes a browser ask before it sends (CORS).
"""

from collections.abc import Collection, Mapping, Sequence

from services.chassis.errors import Problem

MAX_AGE = "600"  # seconds that a browser may remember what it was allowed


class Door:
    """`origins` as browsers write them."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(origins)

    def origin(self, port: int, hosts: Sequence[str], origins: Sequence[str]) -> str:
        """Who asks at this port of ours, from all Host and Origin headers. ORIGIN_REFUSED."""
        if list(hosts) != [f"127.0.0.1:{port}"]:
            raise Problem("ORIGIN_REFUSED", private="host")
        if len(origins) != 1 or origins[0] not in self._origins:
            raise Problem("ORIGIN_REFUSED", private="origin")
        return origins[0]


def shared(origin: str) -> dict[str, str]:
    """What lets a page of that origin read an answer; nothing for nobody."""
    allow = {"Access-Control-Allow-Origin": origin} if origin else {}
    return allow | {"Vary": "Origin"}


def preflight(asked: Mapping[str, str]) -> dict[str, str]:
    """What a browser asks before the page may send; the last for browsers with Private Network
    Access."""
    allow = {
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": MAX_AGE,
    }
    if asked.get("Access-Control-Request-Private-Network") == "true":
        allow["Access-Control-Allow-Private-Network"] = "true"
    return allow
