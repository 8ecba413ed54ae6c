"""Who is counted by what, with a clock that the test moves."""

from functools import partial

import pytest

from services.chassis.access import Caller
from services.chassis.errors import Problem
from services.gateway.addresses import Addresses
from services.gateway.admission import REFUSED, SPREAD, Admission, Limit, Visitor
from services.gateway.badges import MOST, REMEMBERED, UNSOUND, Badges
from services.gateway.exchange import Exchange
from services.gateway.limits import Rate

RATES = {limit: Rate(1, 2) for limit in Limit}
OFFICE = "198.51.100.1"
KIOSK = Caller("kiosk-1", frozenset({"KIOSK"}), frozenset({"73.71.03"}))
OURS = Caller("notify", frozenset({"INTERNAL"}), frozenset({"*"}))


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def admission(clock):
    return Admission(RATES, Addresses(), clock=clock)


def refused(limit):
    return REFUSED.labels(limit.value)._value.get()


def admitted(count):
    """How many of ten calls pass."""
    passed = 0
    for _ in range(10):
        try:
            count()
            passed += 1
        except Problem:
            continue
    return passed


def test_each_limit_is_counted_apart_and_by_address(admission):
    limits = (Limit.REQUESTS, Limit.TAKES, Limit.STREAMS)
    before = [refused(limit) for limit in limits]
    for limit in limits:
        for client in (OFFICE, "2001:db8::/64"):
            assert admitted(partial(admission.admit, Visitor(client), limit)) == 2
    assert [refused(limit) - had for limit, had in zip(limits, before, strict=True)] == [16] * 3


def test_a_refusal_says_when_to_come_back_and_whoever_does_is_admitted(admission, clock):
    visitor = Visitor(OFFICE)
    assert admitted(lambda: admission.admit(visitor, Limit.TAKES)) == 2
    with pytest.raises(Problem) as caught:
        admission.admit(visitor, Limit.TAKES)
    seconds = int(caught.value.metadata["retryAfter"])
    assert 1 <= seconds <= 1 + SPREAD
    clock.now += seconds
    admission.admit(visitor, Limit.TAKES)


def test_staff_is_counted_by_subject_and_not_with_the_crowd_at_its_address(admission):
    admitted(lambda: admission.admit(Visitor(OFFICE), Limit.TAKES))
    assert admitted(lambda: admission.admit(Visitor(OFFICE, KIOSK), Limit.TAKES)) == 2
    other = Caller("kiosk-2", KIOSK.roles)
    assert admitted(lambda: admission.admit(Visitor(OFFICE, other), Limit.REQUESTS)) == 2


def test_our_own_services_are_not_counted(admission):
    assert admitted(lambda: admission.admit(Visitor(OFFICE, OURS), Limit.TAKES)) == 10


def test_a_holders_key_is_counted_by_office_wherever_it_comes_from(admission):
    def take(kecamatan, key="phone"):
        clients = iter(f"192.0.2.{n}" for n in range(10))
        return admitted(lambda: admission.holder(Visitor(next(clients)), kecamatan, key))

    assert [take("73.71.03"), take("73.71.04"), take("73.71.03", "other")] == [2, 2, 2]
    assert take("73.71.03", "") == 10
    assert admitted(lambda: admission.holder(Visitor(OFFICE, KIOSK), "73.71.03", "phone")) == 10


def test_who_names_too_many_tickets_that_are_none_may_name_only_those_that_are(admission, clock):
    visitor = Visitor(OFFICE)
    admission.found("mine")
    for _ in range(2):
        admission.guess(visitor, "guess")
        admission.guessed(visitor)
    assert admitted(lambda: admission.guess(visitor, "guess")) == 0
    assert admitted(lambda: admission.guess(visitor, "mine")) == 10
    assert admitted(lambda: admission.guess(Visitor("192.0.2.1"), "guess")) == 10
    assert admitted(lambda: admission.guess(Visitor(OFFICE, KIOSK), "guess")) == 10
    clock.now += 1
    admission.guess(visitor, "guess")


def test_to_name_a_ticket_that_is_costs_nothing(admission):
    assert admitted(lambda: admission.guess(Visitor(OFFICE), "a ticket")) == 10


def test_without_limits_nobody_is_refused():
    free = Admission({}, Addresses())
    visitor = Visitor(OFFICE)
    for limit in Limit:
        assert admitted(lambda limit=limit: free.admit(visitor, limit)) == 10
    free.guessed(visitor)
    assert admitted(lambda: free.guess(visitor, "x")) == 10
    assert admitted(lambda: free.holder(visitor, "73.71.03", "phone")) == 10


# --- tokens -------------------------------------------------------------------------------------


class Tokens:
    """`good…` is a kiosk's; counts how often one was looked at."""

    looked = 0

    async def __call__(self, authorization):
        self.looked += 1
        if not authorization.startswith("Bearer good"):
            raise Problem("TOKEN_INVALID")
        return KIOSK


@pytest.fixture
def tokens():
    return Tokens()


@pytest.fixture
def badges(tokens, clock):
    return Badges(tokens, clock)


async def test_a_sound_token_is_looked_at_once_a_minute(badges, tokens, clock):
    for _ in range(10):
        assert await badges.of("Bearer good", OFFICE) == KIOSK
    assert tokens.looked == 1
    clock.now += REMEMBERED
    await badges.of("Bearer good", OFFICE)
    assert tokens.looked == 2


async def test_a_flood_of_forged_tokens_is_soon_not_looked_at_and_known_ones_still_count(
    badges, tokens
):
    await badges.of("Bearer good", OFFICE)
    for n in range(1000):
        assert await badges.of(f"Bearer forged {n}", OFFICE) is None
    assert tokens.looked == 1 + UNSOUND.burst
    assert await badges.of("Bearer good", OFFICE) == KIOSK
    assert await badges.of("Bearer good too", "192.0.2.1") == KIOSK


async def test_only_so_many_tokens_are_remembered(badges):
    for n in range(MOST + 10):
        await badges.of(f"Bearer good {n}", OFFICE)
    assert len(badges._known) == MOST


@pytest.mark.parametrize(
    ("authorization", "caller"),
    [
        (None, None),
        ("Bearer good", KIOSK),
        ("bearer good", KIOSK),
        ("Bearer forged", None),
        ("Bearer a b", None),
        ("Basic dXNlcjpwYXNz", None),
        ("", None),
    ],
)
async def test_a_visitor_is_the_bearer_of_a_sound_token_or_anyone(badges, authorization, caller):
    headers = {} if authorization is None else {b"authorization": authorization.encode()}
    scope = {"client": (OFFICE, 1), "headers": list(headers.items())}
    visitor = await Admission(RATES, Addresses(), badges).visitor(
        Exchange(scope, None, None, headers, "request-1")
    )
    assert visitor == Visitor(OFFICE, caller)
