"""Who asks too much, and of what: every limit on requests, by address, holder or token.

Bearers of sound tokens are counted by their subject and by nothing else, so that the crowd
behind an office's address does not lock its kiosk out; our own services (INTERNAL) are not
counted. A refusal says when to come back.
"""

import math
import random
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import Counter

from services.chassis.access import Caller
from services.chassis.errors import Problem
from services.gateway.addresses import Addresses
from services.gateway.badges import Badges
from services.gateway.exchange import Exchange
from services.gateway.limits import Buckets, Rate, Recent
from services.gateway.routes import Route

OURS = "INTERNAL"
SPREAD = 4  # seconds at most that a Retry-After is later, so that not all come back at once


class Limit(StrEnum):
    """What is counted; the values are labels of the metric."""

    REQUESTS = "requests"
    TAKES = "takes"
    STREAMS = "streams"
    GUESSES = "guesses"
    HOLDERS = "holders"
    STAFF = "staff"


REFUSED = Counter(
    "tunggu_gateway_limited", "Requests refused because there were too many. Sum.", ["limit"]
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: the address as it is counted, and the bearer of a sound token, if one came."""

    client: str
    caller: Caller | None = None


class Admission:
    """`rates` without a limit lift it; without any nobody is refused.

    `badges` None: no token is looked at, and everyone is counted by address.
    """

    def __init__(
        self,
        rates: Mapping[Limit, Rate],
        addresses: Addresses,
        badges: Badges | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._buckets = {limit: Buckets(rate) for limit, rate in rates.items()}
        self._addresses = addresses
        self._badges = badges
        self._clock = clock
        self._found = Recent()
        for limit in Limit:
            REFUSED.labels(limit.value)

    async def visitor(self, exchange: Exchange) -> Visitor:
        """Never refuses."""
        client = self._addresses.note(exchange.scope)
        if self._badges is None or b"authorization" not in exchange.headers:
            return Visitor(client)
        try:
            authorization = exchange.authorization()
        except Problem:  # it is told by whoever needs the token
            return Visitor(client)
        return Visitor(
            client, (authorization and await self._badges.of(authorization, client)) or None
        )

    def admit(self, visitor: Visitor, limit: Limit) -> None:
        """Counts a request. RATE_LIMITED."""
        if visitor.caller is None:
            self._take(limit, visitor.client)
        elif OURS not in visitor.caller.roles:
            self._take(Limit.STAFF, visitor.caller.subject)

    def holder(self, visitor: Visitor, kecamatan: str, holder: str) -> None:
        """Counts a number asked for with a holder's key. RATE_LIMITED."""
        if holder and visitor.caller is None:
            # Python's hash is salted by process: the key itself is not kept.
            self._take(Limit.HOLDERS, hash((kecamatan, holder)))

    def guess(self, visitor: Visitor, ticket_id: str) -> None:
        """Refuses whoever named too many tickets that are none, but for one known to be.

        RATE_LIMITED.
        """
        if visitor.caller is None and hash(ticket_id) not in self._found:
            buckets = self._buckets.get(Limit.GUESSES)
            wait = buckets.wait(visitor.client, self._clock()) if buckets is not None else 0.0
            if wait:
                raise _refusal(Limit.GUESSES, wait)

    def guessed(self, visitor: Visitor) -> None:
        """A ticket was named that is none."""
        if visitor.caller is None and Limit.GUESSES in self._buckets:
            self._buckets[Limit.GUESSES].charge(visitor.client, self._clock())

    def found(self, ticket_id: str) -> None:
        """A ticket was named that there is."""
        self._found.note(hash(ticket_id))

    def _take(self, limit: Limit, key: Hashable) -> None:
        buckets = self._buckets.get(limit)
        wait = buckets.take(key, self._clock()) if buckets is not None else 0.0
        if wait:
            raise _refusal(limit, wait)


def limit_of(route: Route) -> Limit:
    """By what a route is counted."""
    if route.stream:
        return Limit.STREAMS
    return Limit.TAKES if route.rpc.name == "CreateTicket" else Limit.REQUESTS


def _refusal(limit: Limit, wait: float) -> Problem:
    REFUSED.labels(limit.value).inc()
    seconds = math.ceil(wait) + random.randint(0, SPREAD)  # noqa: S311  (spread, no secret)
    return Problem("RATE_LIMITED", {"retryAfter": str(seconds)})
