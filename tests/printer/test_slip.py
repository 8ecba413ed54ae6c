"""What may be printed: the ticket of the page's own site, in words that are no commands."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.errors import Problem
from services.printer.slip import LIMITS, NAMES, read
from tests.printer.slips import ORIGIN, TICKET, wish


def refused(body):
    with pytest.raises(Problem) as caught:
        read(body if isinstance(body, bytes) else json.dumps(body).encode(), ORIGIN)
    return caught.value.reason, caught.value.metadata.get("field")


def test_a_slip_is_what_the_page_says():
    slip = read(json.dumps(wish(wait="")).encode(), ORIGIN)
    assert {name: getattr(slip, name) for name in NAMES} == wish(wait="")


@pytest.mark.parametrize("name", NAMES)
def test_a_part_that_is_missing_or_none_is_named(name):
    rest = wish()
    del rest[name]
    assert refused(rest) == ("INVALID_REQUEST", name)
    assert refused(wish(**{name: None}))[0] == "INVALID_REQUEST"


WRONG = [
    *[("copy", value) for value in (0, 100, -1, 1.0, True, "1")],
    *[("number", value) for value in ("", "a001", "A01", "A0000001", "A001\n", "٠٠١", 7)],
    *[("ticket", value) for value in ("", TICKET + "x", "../x", TICKET[:-1] + "/", 7)],
    *[("office", value) for value in ("", "   ", "a\nb", "\x1bp\x00", "\x10\x14\x08", 7, ["x"])],
    *[("service", value) for value in ("\x1d", "\u2028", "\u202e", "\ud800", "x" * 201)],
    *[("wait", value) for value in ("\t", "\x7f", "\x85")],
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_part_of_another_form_is_refused_and_named(name, value):
    assert refused(wish(**{name: value})) == ("INVALID_REQUEST", name)


ELSEWHERE = [
    f"https://other.example/t/{TICKET}",
    f"{ORIGIN}/t/{TICKET}?x=1",
    f"{ORIGIN}.other.example/t/{TICKET}",
    f"{ORIGIN}/t/{TICKET[:-1]}x",
    f"javascript:{ORIGIN}/t/{TICKET}",
    "",
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_the_code_leads_to_this_ticket_on_the_site_that_asks_and_nowhere_else(address):
    assert refused(wish(address=address)) == ("INVALID_REQUEST", "address")


@pytest.mark.parametrize("name", LIMITS)
def test_no_text_is_longer_than_its_place(name):
    assert refused(wish(**{name: "x" * (LIMITS[name] + 1)})) == ("INVALID_REQUEST", name)


def test_what_is_no_object_and_what_is_unknown_are_refused():
    for body in (b"", b"[]", b"null", b"{", b"\xff", b"[" * 4000):
        assert refused(body) == ("NOT_JSON", None)
    assert refused(wish(holder="x")) == ("UNKNOWN_FIELD", "holder")


@given(st.sampled_from(sorted(LIMITS)), st.text(max_size=60))
def test_what_passes_holds_nothing_that_cannot_be_seen(name, value):
    try:
        slip = read(json.dumps(wish(**{name: value})).encode(), ORIGIN)
    except Problem:
        return
    assert getattr(slip, name).isprintable()
