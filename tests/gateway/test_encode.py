"""The JSON rules, outwards."""

import json

import pytest

from services.gateway.encode import encode, to_json
from services.gateway.names import prefix_of
from tests.gateway.every_kind import Every
from tunggu.queue.v1.queue_pb2 import Issuing, StopReason
from tunggu.queue.v1.ticket_pb2 import Ticket


def encoded(**fields):
    return encode(Every(**fields))


def test_a_ticket_reads_as_the_contract_says():
    ticket = Ticket(
        id="737103-260302-x", service_day="2026-03-02", state=Ticket.STATE_WAITING, lane=2, event=17
    )
    ticket.issued_at.FromMilliseconds(1772416800123)
    ticket.forecast.p50_seconds = 300
    assert json.loads(to_json(ticket)) == {
        "id": "737103-260302-x",
        "kecamatan": "",
        "serviceDay": "2026-03-02",
        "number": "",
        "service": "",
        "lane": "PRIORITY",
        "channel": "UNSPECIFIED",
        "state": "WAITING",
        "ahead": 0,
        "counter": "",
        "event": 17,
        "forecast": {"p50Seconds": 300, "p90Seconds": 0},
        "issuedAt": "2026-03-02T02:00:00.123Z",
        "present": False,
    }


def test_absent_messages_and_unset_optional_fields_are_left_out_all_else_is_printed():
    names = set(encoded())
    assert "oneInt32" in names
    assert "manyInner" in names
    assert not [name for name in names if name.startswith(("maybe", "either"))]
    assert not names & {"oneWhen", "oneSpan", "oneInner"}
    assert encoded(maybe_int32=0)["maybeInt32"] == 0
    assert encoded(one_inner=Every())["oneInner"]["oneString"] == ""


def test_wide_integers_are_strings_and_narrow_ones_numbers():
    shown = encoded(one_int64=-(2**63), one_uint64=2**64 - 1, one_int32=-(2**31), one_uint32=7)
    assert shown["oneInt64"] == "-9223372036854775808"
    assert shown["oneUint64"] == "18446744073709551615"
    assert shown["oneInt32"] == -(2**31)
    assert shown["oneUint32"] == 7


@pytest.mark.parametrize(
    ("enum", "prefix"),
    [("State", "STATE_"), ("StopReason", "STOP_REASON_"), ("TwoWords", "TWO_WORDS_")],
)
def test_the_prefix_of_an_enum_follows_from_its_name(enum, prefix):
    assert prefix_of(enum) == prefix


def test_enum_names_lose_their_prefix_where_they_have_it():
    assert encoded(one_enum=1)["oneEnum"] == "ONE"
    assert encoded(one_enum=2)["oneEnum"] == "OTHER"
    assert encode(Issuing(reason=StopReason.STOP_REASON_POWER))["reason"] == "POWER"


def test_an_enum_value_of_a_newer_queue_stays_a_number():
    assert encoded(many_enum=[1, 77])["manyEnum"] == ["ONE", 77]


@pytest.mark.parametrize(
    ("seconds", "nanos", "text"),
    [
        (0, 0, "1970-01-01T00:00:00.000Z"),
        (1772416800, 999_999_999, "2026-03-02T02:00:00.999Z"),
        (-1, 500_000_000, "1969-12-31T23:59:59.500Z"),
        (253402300799, 0, "9999-12-31T23:59:59.000Z"),
    ],
)
def test_times_are_utc_with_exactly_milliseconds(seconds, nanos, text):
    message = Every()
    message.one_when.seconds, message.one_when.nanos = seconds, nanos
    assert encode(message)["oneWhen"] == text


@pytest.mark.parametrize(
    ("seconds", "nanos", "text"),
    [
        (90, 0, "90s"),
        (0, 0, "0s"),
        (1, 500_000_000, "1.500s"),
        (0, -1_000, "-0.000001s"),
        (-3, -1, "-3.000000001s"),
    ],
)
def test_durations_are_seconds_with_an_s(seconds, nanos, text):
    message = Every()
    message.one_span.seconds, message.one_span.nanos = seconds, nanos
    assert encode(message)["oneSpan"] == text


def test_bytes_are_base64_and_maps_are_objects_in_the_order_of_their_keys():
    message = Every(one_bytes=b"\x00\xff>?")
    message.by_string_int64.update(b=2, a=1)
    message.by_bool_int32[True] = 3
    message.by_int32_string[-4] = "x"
    shown = encode(message)
    assert shown["oneBytes"] == "AP8+Pw=="
    assert list(shown["byStringInt64"].items()) == [("a", "1"), ("b", "2")]
    assert shown["byBoolInt32"] == {"true": 3}
    assert shown["byInt32String"] == {"-4": "x"}


def test_numbers_that_json_lacks_are_strings():
    message = Every(many_double=[float("nan"), float("inf"), float("-inf"), 0.5])
    assert encode(message)["manyDouble"] == ["NaN", "Infinity", "-Infinity", 0.5]


def test_a_message_is_one_line_of_utf8():
    text = to_json(Every(one_string="Dg Ngalle\n“a” \u2028"))
    assert b"\n" not in text
    assert "“a”".encode() in text
