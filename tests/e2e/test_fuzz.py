"""Requests made up from the API's own description: none breaks it, none that is refused writes.

`--cases N` (make fuzz CASES=N) asks for about N of them, by chance; without it they are few and
always the same. Streams are left out: they do not end.
"""

import math
from collections import Counter
from random import Random

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from redis import Redis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core import NOT_SET
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.e2e.books import EVENTS, Books, Store, written
from tests.e2e.fuzzing import ADMINISTERING, Aim
from tests.e2e.hall import Hall, opened
from tests.e2e.life import Life
from tests.e2e.proof import assert_sound
from tests.gateway.described import document, validator

FEW = 350
ENOUGH = 200  # cases of an operation after which some were surely granted, and some refused
NEVER = {
    *((name, "refused") for name in ("ListKecamatan", "ListChannels")),
    # Nobody guesses an id of these; the hall has no WhatsApp.
    *((name, "granted") for name in ("DeleteSubscription", "DeleteWebhook", "ResumeWebhook")),
    *((name, "granted") for name in ("ConnectWhatsApp", "ReceiveWhatsApp")),
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
OPERATIONS = [
    found.ok()
    for found in schemathesis.openapi.from_dict(document()).get_all_operations()
    if isinstance(found, Ok) and not found.ok().path.startswith("/v1/streams/")
]


def name_of(operation):
    return operation.definition.raw["operationId"]


def can_be_wrong(operation):
    """Whether there is anything in it that a schema could refuse."""
    return "requestBody" in operation.definition.raw or len(list(operation.query)) > 0


def unsound(operation, body):
    """What the body's schema has against it; no body is an empty one."""
    told = operation.definition.raw.get("requestBody")
    if told is None:
        return []
    schema = validator(told["content"]["application/json"]["schema"])
    return list(schema.iter_errors({} if body is NOT_SET else body))


def told(answer):
    """What a repetition must say again."""
    (changed,) = answer.json().values()
    return answer.status_code, changed["event"], changed.get("number", changed.get("id"))


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("fuzz")) as hall:
        yield hall


@pytest.fixture(scope="module")
def books(hall):
    return Books(hall)


@pytest.fixture(scope="module")
def life(hall, books):
    return Life(hall, books)


@pytest.fixture(scope="module")
def aim(life):
    return Aim(life)


@pytest.fixture(scope="module")
def store(hall):
    with Redis(unix_socket_path=str(hall.stack.redis_socket)) as redis:
        yield Store(redis)


@pytest.fixture(scope="module")
def limits(request):
    """How often, and whether by chance."""
    asked = request.config.getoption("--cases")
    return settings(
        max_examples=math.ceil((asked or FEW) / len(OPERATIONS)),
        derandomize=not asked,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # the world moves on: nothing could be made smaller
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def outcomes():
    """How often what was granted or refused, by operation."""
    return Counter()


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
def test_a_made_up_request_is_answered_as_described_and_a_refused_one_writes_nothing(
    operation, hall: Hall, life: Life, aim: Aim, books: Books, store: Store, limits, outcomes
):
    name = name_of(operation)
    administers = name in ADMINISTERING
    modes = [GenerationMode.POSITIVE] * 2 + [GenerationMode.NEGATIVE] * can_be_wrong(operation)

    @limits
    @given(data=st.data(), mode=st.sampled_from(modes), seed=st.integers(0, 2**32))
    def one(data, mode, seed):
        chance = Random(f"{seed} {outcomes.total()}")  # seeds alone come again and again
        case = data.draw(operation.as_strategy(generation_mode=mode))
        life.step(chance)
        aim.at(case, chance)
        before = store.content(administers)
        answer = case.call(base_url=hall.stack.url)
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code >= 400 or not unsound(operation, case.body), answer.text
        granted = answer.status_code < 300
        outcomes[name, "granted" if granted else "refused"] += 1
        if not granted or operation.method == "get":
            assert not written(before, store.content(administers)), answer.text
        elif name.partition("By")[0] in EVENTS:
            life.took(name, answer.json())
            if "Idempotency-Key" in case.headers:
                again = case.call(base_url=hall.stack.url)
                assert told(again) == told(answer)

    one()
    if administers:
        store.settle()
    assert books.balance() == []


def test_afterwards_the_days_journal_follows_the_rule(books, outcomes, limits):
    assert_sound(books.account())
    print(*(f"{name} {word} {count}" for (name, word), count in outcomes.items()), sep="\n")
    if limits.max_examples >= ENOUGH:
        missing = {(name_of(one), word) for one in OPERATIONS for word in ("granted", "refused")}
        assert missing - outcomes.keys() <= NEVER
