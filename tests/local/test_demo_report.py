"""The report is what the public journal says."""

import json

import pytest

from services.local.demo_day import Recorded
from services.local.demo_report import (
    by_service,
    checks,
    consecutive,
    course,
    quantile,
    shown,
    table,
)

DAY = [
    Recorded("A", 1, (480, 485), (490, 495), 1),
    Recorded("A", 2, (480, 485), (485, 490), 1),
    Recorded("B", 1, (480, 485), (480, 485), 1),
]


def leaf(minute, kind, number=None, **more):
    fields = {"t": minute * 60_000, "e": kind} | ({"k": number} if number else {}) | more
    return json.dumps(fields).encode()


LEAVES = [
    leaf(480, "day.open", pol="0" * 64),
    leaf(481, "issue", "A001", s="A"),
    leaf(482, "issue", "A002", s="A"),
    leaf(482, "issue", "B001", s="B"),
    leaf(483, "call", "A001", c="1"),
    leaf(484, "recall", "A001", c="1"),
    leaf(485, "noshow", "A001", c="1"),
    leaf(486, "call", "A002", c="1"),
    leaf(486, "start", "A002", c="1"),
    leaf(490, "done", "A002", c="1"),
    leaf(492, "call", "B001", c="1"),
    leaf(492, "start", "B001", c="1"),
    leaf(494, "done", "B001", c="1"),
    leaf(600, "day.close", tally={"issued": 3}),
]


def test_waits_run_from_issue_to_the_first_call():
    services = by_service(LEAVES)
    assert services["A"].waits == {"A001": 2.0, "A002": 4.0}
    assert services["B"].waits == {"B001": 10.0}
    assert (services["A"].done, services["A"].absent) == (1, 1)


def test_a_whole_day_passes_every_check():
    assert all(check.holds for check in checks(by_service(LEAVES), DAY, {}))


@pytest.mark.parametrize("kind", ["issue", "call"])
def test_a_ticket_missing_from_the_journal_fails_a_check(kind):
    kept = [
        line
        for line in LEAVES
        if not (b"B001" in line and (kind == "issue" or kind.encode() in line))
    ]
    assert not all(check.holds for check in checks(by_service(kept), DAY, {}))


def test_an_error_response_fails_a_check_and_is_named():
    failed = [
        check for check in checks(by_service(LEAVES), DAY, {"409 TOO_EARLY": 2}) if not check.holds
    ]
    assert [check.text for check in failed] == ["error responses: 2 x 409 TOO_EARLY"]


@pytest.mark.parametrize(
    ("numbers", "good"),
    [
        (["A001", "A002", "A003"], True),
        ([f"A{i:03}" for i in range(1, 1200)], True),
        (["A002"], False),
        (["A001", "A003"], False),
        (["A001", "A001"], False),
        (["A002", "A001"], False),
    ],
)
def test_consecutive_means_from_001_without_gap_or_repetition_in_order(numbers, good):
    assert consecutive(numbers) is good


def test_the_table_shows_our_waits_beside_the_recorded_ones():
    lines = table(by_service(LEAVES), DAY, {"A": "Akta", "B": "Bayar"})
    row = next(line for line in lines if line.startswith("A  Akta"))
    assert row.split()[2:] == ["2", "2", "1", "1", "3.0", "2.0", "4.0", "7.5", "5.0", "10.0"]
    assert lines[-1].split()[:5] == ["all", "3", "3", "2", "1"]


def test_a_quantile_is_a_value_that_occurs():
    assert quantile([4, 1, 3, 2], 0.5) == 2
    assert quantile(list(range(1, 11)), 0.9) == 9
    assert quantile([7], 0.9) == 7
    assert quantile([], 0.5) == 0


def test_the_course_names_the_last_number_and_the_last_who_left():
    said = course(LEAVES, lambda ms: ms / 60_000)
    assert said == "The last number was given at 08:02, the last person left at 08:14."


@pytest.mark.parametrize(("minute", "text"), [(-3.0, "00:00"), (470, "07:50"), (1050.9, "17:30")])
def test_a_minute_is_shown_as_on_a_clock(minute, text):
    assert shown(minute) == text
