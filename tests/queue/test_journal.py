"""The leaf's bytes: what is written, and what is refused when read."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.queue.journal import FIELDS, LEAF_BYTES, Event, Malformed, Unknown, encode, parse
from services.queue.model import Channel, Lane, Tally
from tests.queue.days import random_day

HEAD = ("73.71.03", "2026-03-02", 17, 1772416800000)
START = b'{"v":1,"o":"73.71.03","d":"2026-03-02","n":17,"t":1772416800000,"e":'

EXAMPLES: list[tuple[dict[str, Any], bytes]] = [
    ({"e": "day.open", "pol": "ab" * 32}, b'"day.open","pol":"' + b"ab" * 32 + b'"}'),
    ({"e": "issue.go", "why": "hours"}, b'"issue.go","why":"hours"}'),
    ({"e": "issue.stop", "why": "power"}, b'"issue.stop","why":"power"}'),
    ({"e": "counter.open", "c": "1"}, b'"counter.open","c":"1"}'),
    ({"e": "counter.close", "c": "L-2"}, b'"counter.close","c":"L-2"}'),
    (
        {"e": "counter.set", "c": "1", "services": ("A", "B")},
        b'"counter.set","c":"1","s":["A","B"]}',
    ),
    (
        {
            "e": "issue",
            "k": "A017",
            "s": "A",
            "l": Lane.PRIORITY,
            "ch": Channel.WHATSAPP,
            "h": "0f" * 16,
        },
        b'"issue","k":"A017","s":"A","l":"P","ch":"A","h":"' + b"0f" * 16 + b'"}',
    ),
    (
        {"e": "issue", "k": "A1000", "s": "A", "l": Lane.REGULAR, "ch": Channel.KIOSK},
        b'"issue","k":"A1000","s":"A","l":"R","ch":"K","h":""}',
    ),
    ({"e": "call", "k": "A017", "c": "1"}, b'"call","k":"A017","c":"1"}'),
    ({"e": "recall", "k": "A017", "c": "1"}, b'"recall","k":"A017","c":"1"}'),
    ({"e": "start", "k": "A017", "c": "1"}, b'"start","k":"A017","c":"1"}'),
    ({"e": "done", "k": "A017", "c": "1"}, b'"done","k":"A017","c":"1"}'),
    ({"e": "noshow", "k": "A017", "c": "1"}, b'"noshow","k":"A017","c":"1"}'),
    ({"e": "hold", "k": "A017", "c": "1"}, b'"hold","k":"A017","c":"1"}'),
    ({"e": "return", "k": "A017"}, b'"return","k":"A017"}'),
    ({"e": "xfer", "k": "A017", "c": "1", "s": "B"}, b'"xfer","k":"A017","c":"1","s":"B"}'),
    ({"e": "lane", "k": "A017", "l": Lane.PRIORITY}, b'"lane","k":"A017","l":"P"}'),
    ({"e": "requeue", "k": "A017", "c": "1"}, b'"requeue","k":"A017","c":"1"}'),
    ({"e": "cancel", "k": "A017", "by": "holder"}, b'"cancel","k":"A017","by":"holder"}'),
    ({"e": "present", "k": "A017"}, b'"present","k":"A017"}'),
    ({"e": "clock", "ms": 5001}, b'"clock","ms":5001}'),
    (
        {"e": "day.close", "tally": Tally(10, 6, 1, 2, 1)},
        b'"day.close","tally":{"issued":10,"done":6,"noshow":1,"cancel":2,"lapsed":1}}',
    ),
]


@pytest.mark.parametrize(("fields", "tail"), EXAMPLES)
def test_every_type_has_these_bytes_and_reads_back(fields, tail):
    event = Event(*HEAD, **fields)
    assert encode(event) == START + tail
    assert parse(START + tail) == event


def test_the_examples_cover_every_type():
    assert {fields["e"] for fields, _ in EXAMPLES} == set(FIELDS)


def _replaced(old: bytes, new: bytes, tail: bytes = b'"call","k":"A017","c":"1"}') -> bytes:
    line = START + tail
    assert old in line
    return line.replace(old, new, 1)


ISSUE = b'"issue","k":"A017","s":"A","l":"R","ch":"K","h":""}'
CLOSE = b'"day.close","tally":{"issued":1,"done":1,"noshow":0,"cancel":0,"lapsed":0}}'
SET = b'"counter.set","c":"1","s":["A","B"]}'


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[" * 200,
        START + b'"call","k":"A017","c":"1"',
        START + b'"call","k":"A017","c":"1"}\n',
        START + b'"call","k":"A017","c":"1"} ',
        START + b'"call","k":"A017","c":"1","x":1}',
        START + b'"call","c":"1","k":"A017"}',
        START + b'"call","k":"A017"}',
        START + b'"call","k":"A017","k":"A017","c":"1"}',
        _replaced(b'"v":1', b'"v":true'),
        _replaced(b'"v":1', b'"v":1.0'),
        _replaced(b'"v":1', b'"v":"1"'),
        _replaced(b'"v":1,', b""),
        _replaced(b'"o":"73.71.03"', b'"o":"73.71.3"'),
        _replaced(b"2026-03-02", b"2026-02-30"),
        _replaced(b"2026-03-02", b"20260302"),
        _replaced(b"2026-03-02", b"1026-03-02"),
        _replaced(b'"n":17', b'"n":-1'),
        _replaced(b'"n":17', b'"n":017'),
        _replaced(b'"n":17', b'"n":17.0'),
        _replaced(b'"n":17', b'"n":1e1'),
        _replaced(b'"n":17', b'"n":"17"'),
        _replaced(b'"n":17', b'"n":true'),
        _replaced(b'"n":17', b'"n":9007199254740992'),
        _replaced(b'"n":17', b'"n": 17'),
        _replaced(b'"A017"', b'"A17"'),
        _replaced(b'"A017"', b'"A0017"'),
        _replaced(b'"A017"', b'"a017"'),
        _replaced(b'"A017"', b'"\\u0041017"'),
        _replaced(b'"A017"', b'"A01\\u0667"'),
        _replaced(b'"A017"', b'"A017\\n"'),
        _replaced(b'"A017"', b"7"),
        _replaced(b'"c":"1"', b'"c":1'),
        _replaced(b'"c":"1"', b'"c":"-1"'),
        _replaced(b'"c":"1"', b'"c":"123456789"'),
        _replaced(b'"c":"1"', b'"c":""'),
        _replaced(b"A017", "Ä017".encode()),
        _replaced(b'"l":"R"', b'"l":"X"', ISSUE),
        _replaced(b'"l":"R"', b'"l":["R"]', ISSUE),
        _replaced(b'"ch":"K"', b'"ch":"KIOSK"', ISSUE),
        _replaced(b'"h":""', b'"h":"abc"', ISSUE),
        _replaced(b'"h":""', b'"h":"' + b"AB" * 16 + b'"', ISSUE),
        _replaced(b'"s":"A"', b'"s":"AB"', ISSUE),
        _replaced(b'["A","B"]', b"[]", SET),
        _replaced(b'["A","B"]', b'["B","A"]', SET),
        _replaced(b'["A","B"]', b'["A","A"]', SET),
        _replaced(b'["A","B"]', b'"AB"', SET),
        _replaced(b'["A","B"]', b"7", SET),
        _replaced(b'"done":1', b'"done":-1', CLOSE),
        _replaced(b'"issued":1,"done":1', b'"done":1,"issued":1', CLOSE),
        _replaced(b'"done":1,', b"", CLOSE),
        _replaced(b'"tally":{', b'"tally":[{', CLOSE),
        START + b'"issue.go","why":"lunch"}',
        START + b'"cancel","k":"A017","by":"other"}',
        START + b'"clock","ms":-1}',
        START + b'"day.open","pol":"' + b"AB" * 32 + b'"}',
        START + b'"day.open","pol":"ab"}',
        START + b"7}",
    ],
)
def test_a_line_that_encode_would_not_have_written_is_malformed(line):
    with pytest.raises(Malformed) as refused:
        parse(line)
    assert not isinstance(refused.value, Unknown)


def test_a_line_above_the_size_limit_is_malformed():
    line = START + b'"call","k":"A' + b"1" * LEAF_BYTES + b'","c":"1"}'
    with pytest.raises(Malformed, match="384"):
        parse(line)


@pytest.mark.parametrize(
    "line",
    [
        START.replace(b'"v":1', b'"v":2') + b'"call","k":"A017","c":"1"}',
        b'{"v":0}',
        START + b'"override","k":"A017"}',
        START + b'"recover"}',
        START + b'"readmit","k":"A017"}',
        START + b'"Call","k":"A017","c":"1"}',
    ],
)
def test_another_version_or_type_is_unknown_rather_than_wrong(line):
    with pytest.raises(Unknown):
        parse(line)


def test_every_leaf_of_random_days_reads_back_and_stays_within_the_limit():
    for seed in range(20):
        office = random_day(Random(seed), steps=200).office
        for event, leaf in zip(office.events, office.leaves, strict=True):
            assert parse(leaf) == event
            assert len(leaf) <= LEAF_BYTES


def test_the_widest_event_fits_the_limit():
    most = 2**53 - 1
    letters = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    head = ("73.71.03", "2026-03-02", most, most)
    widest = Event(*head, "counter.set", c="ABCDEFGH", services=letters)
    assert len(encode(widest)) <= LEAF_BYTES
    sums = Tally(most, most, most, most, most)
    assert len(encode(Event(*head, "day.close", tally=sums))) <= LEAF_BYTES


@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_fail_otherwise(line):
    try:
        event = parse(line)
    except Malformed:
        return
    assert encode(event) == line


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_changed_byte_is_refused_or_reads_back_as_what_it_says(data):
    fields, tail = data.draw(st.sampled_from(EXAMPLES))
    line = bytearray(START + tail)
    line[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.integers(0, 255))
    try:
        event = parse(bytes(line))
    except Malformed:
        return
    assert encode(event) == bytes(line)
    assert fields["e"] in FIELDS
