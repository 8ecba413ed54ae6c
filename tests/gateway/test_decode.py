"""The JSON rules, inwards: what is refused, and by which name."""

import json

import pytest

from services.chassis.errors import Problem
from services.gateway.decode import decode, parse
from tests.gateway.every_kind import Every
from tunggu.queue.v1.kecamatan_pb2 import Kecamatan
from tunggu.queue.v1.queue_pb2 import CreateTicketRequest
from tunggu.queue.v1.ticket_pb2 import Lane


def decoded(value, kind=Every):
    message = kind()
    decode(value, message)
    return message


def refusal(value, kind=Every):
    with pytest.raises(Problem) as caught:
        decoded(value, kind)
    return caught.value.reason, caught.value.metadata.get("field")


@pytest.mark.parametrize("text", ["PRIORITY", "LANE_PRIORITY"])
def test_both_forms_of_an_enum_name_are_read(text):
    assert decoded({"lane": text}, CreateTicketRequest).lane == Lane.LANE_PRIORITY


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1}{"b":2}',
        b'{"a":1,"a":2}',
        b'{"x":{"a":1,"a":1}}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b'{"a":"\n"}',
        b'{"a":01}',
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"a":' + b"9" * 5_000 + b"}",
        b"\x00",
    ],
)
def test_what_is_not_json_is_not_json(body):
    with pytest.raises(Problem) as caught:
        parse(body)
    assert caught.value.reason == "NOT_JSON"


@pytest.mark.parametrize("digits", [401, 5_000])
def test_an_integer_without_end_is_refused_in_our_own_words(digits):
    with pytest.raises(Problem) as caught:
        parse(b'{"a":' + b"9" * digits + b"}")
    assert caught.value.metadata == {"why": "an integer has more than 400 digits"}
    assert parse(b"-" + b"9" * 399) == 1 - 10**399


@pytest.mark.parametrize("value", [[], "x", 1, 1.5, True, None])
def test_a_body_that_is_no_object_is_refused(value):
    assert refusal(value) == ("INVALID_REQUEST", "(body)")


@pytest.mark.parametrize(
    "name", ["nothing", "one_string", "OneString", "", "__class__", "id\ud800", "x" * 9000]
)
def test_an_unknown_field_is_named(name):
    reason, field = refusal({name: 1})
    assert reason == "UNKNOWN_FIELD"
    assert field == name.encode("utf-8", "replace").decode()[:200]


def test_the_path_of_a_field_leads_to_it():
    hours = {"weekly": {"mon": [{"open": "07:30"}, {"open": 7}]}}
    assert refusal({"spec": {"hours": hours}}, Kecamatan)[1] == "spec.hours.weekly.mon[1].open"
    hours = {"weekly": {"mon": [{"opens": "07:30"}]}}
    reason, field = refusal({"spec": {"hours": hours}}, Kecamatan)
    assert (reason, field) == ("UNKNOWN_FIELD", "spec.hours.weekly.mon[0].opens")
    assert refusal({"metadata": {"labels": {"a": 1}}}, Kecamatan)[1] == "metadata.labels.a"


WRONG = {
    "oneString": [1, True, None, [], {}, "\ud800"],
    "oneBool": ["true", 1, 0, None, []],
    "oneInt32": ["1", 1.5, 1.0, True, None, 2**31, -(2**31) - 1, [], {}],
    "oneUint32": [-1, 2**32, "7"],
    "oneInt64": ["x", "1.0", 1.5, "9223372036854775808", 2**63, "", " 1", "１", True, "9" * 400],
    "oneUint64": [-1, "-1", "18446744073709551616"],
    "oneDouble": ["1", True, None, 10**400, [], "nan"],
    "oneFloat": [1e39, "x"],
    "oneBytes": [1, "a", "*", "ab=c", "é"],
    "oneEnum": [0, 1, None, "NOPE", "one", "TWO_WORDS_OTHER", [], {}],
    "oneWhen": [0, "", "2026-03-02", "2026-03-02T02:00:00", "2026-02-30T02:00:00Z", {}, None,
                "0000-01-01T00:00:00Z", "2026-03-02T02:00:00+99:00", "2026-03-02T25:00:00Z"],
    "oneSpan": [90, "90", "s", "1m", "1.0000000001s", "9999999999999s", "315576000001s", {}, None],
    "oneInner": [[], "x", None, 1],
    "manyString": ["x", {}, None, [1], [None], [["x"]]],
    "manyInner": [{}, [[]], [None]],
    "byStringInt64": [[], None, "x", {"a": None}, {"a": {}}, {"a": "x"}],
    "byInt32String": [{"x": "y"}, {"1.5": "y"}, {"99999999999": "y"}],
    "byBoolInt32": [{"True": 1}, {"1": 1}],
    "maybeInt32": [None, "x"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "values"), WRONG.items())
def test_a_wrong_type_or_range_is_refused_with_its_field(name, values):
    for value in values:
        reason, field = refusal({name: value})
        assert reason == "INVALID_REQUEST", value
        assert field.startswith(name), value
        json.dumps(field).encode()


def test_two_members_of_a_oneof_are_refused():
    assert decoded({"eitherString": ""}).WhichOneof("either") == "either_string"
    assert refusal({"eitherString": "", "eitherInt32": 1}) == ("INVALID_REQUEST", "eitherInt32")


@pytest.mark.parametrize(
    ("text", "seconds", "nanos"),
    [
        ("2026-03-02T10:00:00+08:00", 1772416800, 0),
        ("2026-03-02t02:00:00.123456789z", 1772416800, 123_456_789),
        ("2026-03-01T21:30:00.5-04:30", 1772416800, 500_000_000),
    ],
)
def test_a_time_is_read_from_any_offset(text, seconds, nanos):
    when = decoded({"oneWhen": text}).one_when
    assert (when.seconds, when.nanos) == (seconds, nanos)


@pytest.mark.parametrize(
    ("text", "seconds", "nanos"),
    [("90s", 90, 0), ("-1.5s", -1, -500_000_000), ("0.000000001s", 0, 1)],
)
def test_a_duration_is_read(text, seconds, nanos):
    span = decoded({"oneSpan": text}).one_span
    assert (span.seconds, span.nanos) == (seconds, nanos)


def test_base64_is_read_in_both_alphabets_with_padding_or_without():
    for text in ("AP8+Pw==", "AP8+Pw", "AP8-Pw", "AP8-Pw=="):
        assert decoded({"oneBytes": text}).one_bytes == b"\x00\xff>?"


def test_a_field_that_python_calls_a_keyword_is_a_field():
    rule = {"spec": {"rule": {"return": {"times": 2, "within": "60s"}}}}
    assert getattr(decoded(rule, Kecamatan).spec.rule, "return").within.seconds == 60
