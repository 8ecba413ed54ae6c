"""What is still of use when its turn to be sent comes."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.model import (
    FAR,
    LIFE_MS,
    Entry,
    Record,
    Stored,
    of_use,
    passed,
    subscription_id,
)

NOW = 1_772_416_800_000
SUB = "log-00000000000000000000"


def entry(kind="NEAR", claim="NEAR.5.0", **more):
    fields = {
        "day": "2026-03-02", "number": "A012", "sub": SUB, "kind": kind, "claim": claim,
        "message": "m", "place": 0, "at": NOW, "due": NOW,
    }  # fmt: skip
    return Entry(**fields | more)


def record(state="W", said=("NEAR.5.0",), **more):
    kept = Record("id", [SUB], [], state, 5, list(said), 1, False)
    return replace(kept, **more)


def useful(entry, record, stop="", now=NOW):
    return of_use(entry, record, stop, now, now)


def test_nearness_is_of_use_until_the_call_or_the_next_threshold():
    assert useful(entry(), record())
    assert not useful(entry(), record("C", ["NEAR.5.0", "CALLED.9"]))
    assert not useful(entry(), record(said=["NEAR.5.0", "NEAR.2.0"]))
    assert useful(entry(claim="NEAR.2.0"), record(said=["NEAR.5.0", "NEAR.2.0"]))


def test_a_call_is_of_use_while_it_stands_and_not_after_a_later_one():
    call = entry("CALLED", "CALLED.9")
    assert useful(call, record("C", ["CALLED.9"]))
    assert useful(call, record("S", ["CALLED.9"]))
    for state in "WNH":
        assert not useful(call, record(state, ["CALLED.9"]))
    assert not useful(call, record("C", ["CALLED.9", "CALLED.20"]))


def test_that_one_was_passed_over_is_of_use_while_one_may_return():
    over = entry("PASSED_OVER", "PASSED_OVER.9", back=NOW + 60_000)
    assert useful(over, record("N"))
    assert not useful(over, record("W"))
    assert not useful(over, record("N"), now=NOW + 60_001)
    assert useful(replace(over, back=0), record("N"), now=NOW + 60_001)


def test_that_issuing_stopped_is_of_use_while_that_stop_lasts():
    stopped = entry("ISSUING_STOPPED", "ISSUING_STOPPED.9")
    assert useful(stopped, record(), "2026-03-02.9")
    for stop in ("", "2026-03-02.10", "2026-03-01.9"):
        assert not useful(stopped, record(), stop)


@pytest.mark.parametrize("kind", LIFE_MS)
def test_nothing_is_of_use_for_a_closed_ticket_or_an_ended_subscription_or_too_late(kind):
    state = {"CALLED": "C", "PASSED_OVER": "N"}.get(kind, "W")
    claim = "NEAR.5.0" if kind == "NEAR" else f"{kind}.9"
    due, kept = entry(kind, claim), record(state, [claim])
    assert useful(due, kept, "2026-03-02.9")
    assert not useful(due, None, "2026-03-02.9")
    assert not useful(due, replace(kept, over=True), "2026-03-02.9")
    assert not useful(due, replace(kept, subs=[]), "2026-03-02.9")
    assert not useful(due, kept, "2026-03-02.9", now=NOW + LIFE_MS[kind] + 1)


@given(st.integers(0, 200), st.lists(st.integers(1, 99), max_size=5))
def test_the_nearest_threshold_passed_is_the_least_that_is_not_below(ahead, thresholds):
    found = passed(ahead, thresholds)
    above = [at for at in thresholds if at >= ahead]
    assert found == (min(above) if above else FAR)


def test_a_target_names_its_subscription_and_cannot_be_told_from_it():
    one = subscription_id("t", "web_push", "https://push.example/secret")
    assert one == subscription_id("t", "web_push", "https://push.example/secret")
    others = {
        subscription_id("u", "web_push", "https://push.example/secret"),
        subscription_id("t", "webhook", "https://push.example/secret"),
        subscription_id("t", "web_push", "https://push.example/other"),
    }
    assert len(others | {one}) == 4
    assert "secret" not in one


def test_what_goes_to_redis_comes_back_also_with_numbers_as_lua_writes_them():
    due = entry(ahead=3)
    assert Entry.parse(due.text()) == due
    floats = json.loads(due.text()) | {"ahead": 3.0, "due": float(NOW)}
    assert Entry.parse(json.dumps(floats)) == due
    kept = Stored("web_push", "id", NOW, "https://x", {"auth": "a"})
    assert Stored.parse(kept.text()) == kept


def test_neither_a_target_nor_its_keys_are_shown_when_it_is_printed():
    from services.notify.channels import Target

    shown = repr(Target("web_push", "https://push.example/secret", {"auth": "hush"}))
    assert "secret" not in shown
    assert "hush" not in shown
