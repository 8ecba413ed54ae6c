"""The board: its contract, its purity, and that building it step by step changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.queue import commands as do
from services.queue import lines
from services.queue.board import (
    Boards,
    Frozen,
    FrozenService,
    Place,
    empty_board,
    is_urgent,
    timestamp,
)
from services.queue.journal import FIELDS, encode, parse
from services.queue.lines import Runs
from services.queue.model import Lane
from services.queue.policy import virtual_order
from services.queue.standing import Standing
from tests.queue.days import MINUTE, Office, document, random_day, service_entry

ROOT = Path(__file__).parents[2]
ALL_DAY = (("00:00", "24:00"),)
HISTORY = [{"day": "2026-03-01", "services": {"A": {"busy_seconds": 60_000, "calls": 170}}}]


def frozen_for(policy):
    services = {
        code: FrozenService(f"Layanan “{code}” é", index * 7)
        for index, code in enumerate(policy.services)
    }
    return Frozen("Makassar", services)


def fresh(office, history=HISTORY):
    return Boards(office.policy, frozen_for(office.policy), history, office.date)


def boards_of(office, history=HISTORY):
    boards = fresh(office, history)
    for event in office.events:
        boards.observe(event)
    return boards


def board(office):
    return json.loads(boards_of(office).build().body)


def service(office, code="A"):
    return next(entry for entry in board(office)["services"] if entry["code"] == code)


# The contract


def test_the_fields_stand_in_the_order_of_the_contract():
    office = Office().opened("1")
    office.take()
    office.take()
    office.call()
    shown = board(office)
    assert list(shown) == [
        *("kecamatan", "day", "event", "at", "open", "notice", "counters", "calls", "services")
    ]
    assert list(shown["counters"][0]) == ["id", "state", "services", "ticket"]
    assert list(shown["counters"][0]["ticket"]) == ["number", "state"]
    assert list(shown["calls"][0]) == ["number", "counter", "event", "at"]
    assert list(shown["services"][0]) == [
        *("code", "name", "issuing", "issued", "completed", "waiting", "priority", "forecast"),
        "beyondClosing",
    ]
    assert list(shown["services"][0]["forecast"][0]) == ["position", "p50Seconds", "p90Seconds"]


def test_the_bytes_are_json_without_spaces_in_utf_8_and_the_etag_is_their_hash():
    built = boards_of(Office().opened("1")).build()
    text = built.body.decode()
    assert "Layanan “A” é" in text
    assert text == json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    assert built.etag == hashlib.sha256(built.body).hexdigest()[:32]


def test_the_board_names_the_office_the_day_the_event_and_its_moment():
    office = Office().opened("1")
    office.at = 1_234
    office.take()
    shown, built = board(office), boards_of(office).build()
    assert (shown["kecamatan"], shown["day"]) == ("73.71.03", "2026-03-02")
    assert shown["event"] == built.event == office.events[-1].n
    assert shown["at"] == "2026-03-01T23:30:01.234Z"
    assert built.day == "2026-03-02"


def test_before_any_day_the_board_is_empty():
    built = fresh(Office()).build()
    assert built == empty_board("73.71.03")
    assert json.loads(built.body) == {
        "kecamatan": "73.71.03",
        "day": "",
        "event": -1,
        "at": "",
        "open": False,
        "notice": "",
        "counters": [],
        "calls": [],
        "services": [],
    }


def test_times_have_milliseconds():
    assert timestamp(1_772_407_800_007) == "2026-03-01T23:30:00.007Z"


def test_a_counter_shows_its_ticket_only_while_it_has_one():
    office = Office().opened("1")
    office.take()
    assert board(office)["counters"] == [
        {"id": "1", "state": "OPEN", "services": ["A", "B"]},
        {"id": "2", "state": "CLOSED", "services": ["A"]},
    ]
    office.call("1")
    office.do(do.StartTicket("1", "A001"))
    assert board(office)["counters"][0]["ticket"] == {"number": "A001", "state": "SERVING"}


def test_counters_and_services_stand_in_the_order_of_the_policy():
    office = Office(document({"9": "A", "10": "B", "1": "C"}, "CAB"))
    office.take()
    assert [counter["id"] for counter in board(office)["counters"]] == ["9", "10", "1"]
    assert [entry["code"] for entry in board(office)["services"]] == ["C", "A", "B"]


def test_the_last_ten_calls_are_shown_newest_first_and_a_recall_adds_one():
    office = Office().opened("1")
    for _ in range(12):
        office.take()
    for _ in range(11):
        office.serve()
    number = office.call()
    office.do(do.RecallTicket("1", number), 20_000)
    calls = board(office)["calls"]
    assert [call["number"] for call in calls[:3]] == ["A012", "A012", "A011"]
    assert len(calls) == 10
    assert calls[0] == {
        "number": "A012",
        "counter": "1",
        "event": office.events[-1].n,
        "at": timestamp(office.events[-1].t),
    }


def test_a_service_counts_what_was_issued_and_completed():
    office = Office().opened("1")
    for _ in range(3):
        office.take()
    office.serve()
    shown = service(office)
    assert (shown["issued"], shown["completed"], shown["name"]) == (3, 1, "Layanan “A” é")


# Lines


def test_runs_join_consecutive_numbers_of_one_letter_only():
    assert Runs([]).texts() == []
    assert Runs(["A001"]).texts() == ["A001"]
    assert Runs(["A001", "A002", "A004", "B005", "A006", "A005"]).texts() == [
        *("A001-A002", "A004", "B005", "A006", "A005")
    ]
    assert Runs(["A998", "A999", "A1000", "A1001"]).texts() == ["A998-A1001"]


def test_waiting_is_in_order_of_arrival_over_both_lanes_and_priority_names_its_own():
    office = Office().opened("1")
    for lane in (Lane.REGULAR, Lane.PRIORITY, Lane.PRIORITY, Lane.REGULAR, Lane.PRIORITY):
        office.take("A", lane)
    shown = service(office)
    assert shown["waiting"] == ["A001-A005"]
    assert shown["priority"] == ["A002-A003", "A005"]


def test_a_ticket_that_comes_from_another_service_stands_where_it_arrived():
    office = Office(document({"1": "B", "2": "A"})).opened("1", "2")
    for code in ("A", "B", "A"):
        office.take(code)
    office.call("1")
    office.do(do.StartTicket("1", "B001"))
    office.do(do.TransferTicket("1", "B001", "A"))
    assert service(office, "A")["waiting"] == ["A001", "B001", "A002"]


def test_a_line_is_in_the_order_of_call_with_the_table_at_every_place():
    office = Office(document({"1": "A"}, "A", ALL_DAY)).opened("1")
    for i in range(25):
        office.take("A", Lane.PRIORITY if i > 20 else Lane.REGULAR)
    boards = boards_of(office)
    built, table = boards.build(), boards.table("A")
    line = boards.lines()["A"]
    assert list(line.numbers) == virtual_order(office.day, "A")
    assert list(line.numbers) != sorted(line.numbers)
    for ahead, (number, *seconds) in enumerate(zip(line.numbers, line.p50, line.p90, strict=True)):
        estimate = table.at(ahead + 1)
        assert [estimate.p50_seconds, estimate.p90_seconds] == seconds
        assert boards.place(number) == Place(ahead, estimate)
    rows = json.loads(built.body)["services"][0]["forecast"]
    assert [tuple(row.values()) for row in rows] == list(table.entries)


def test_a_line_without_a_forecast_has_numbers_only():
    office = Office()
    office.take()
    line = boards_of(office).line("A")
    assert (line.numbers, line.p50, line.p90) == (("A001",), (), ())
    assert boards_of(office).place("A001") == Place(0, None)


def test_a_line_that_closing_cuts_off_has_shorter_columns():
    office = Office(document({"1": "A"}, "A", (("08:00", "10:00"),))).opened("1")
    for _ in range(40):
        office.take()
    boards = boards_of(office)
    line = boards.line("A")
    assert 0 < len(line.p50) == len(line.p90) < len(line.numbers)
    assert boards.place(line.numbers[len(line.p50) - 1]).forecast is not None
    assert boards.place(line.numbers[len(line.p50)]) == Place(len(line.p50), None)
    assert service(office)["beyondClosing"] is True


def test_only_a_ticket_that_waits_has_a_place():
    office = Office().opened("1")
    office.take()
    office.call()
    assert boards_of(office).place("A001") is None
    assert boards_of(office).place("A999") is None


# Open, issuing, notice


def test_the_office_is_open_while_a_number_can_be_taken():
    office = Office()
    office.do(do.Tick())
    assert board(office)["open"] is True
    office.do(do.StopIssuing("power"))
    assert (board(office)["open"], board(office)["notice"]) == (False, "POWER")
    office.do(do.ResumeIssuing())
    assert (board(office)["open"], board(office)["notice"]) == (True, "")
    office.do(do.Tick(), 5 * 60 * MINUTE)
    assert (board(office)["open"], board(office)["notice"]) == (False, "")


def test_a_service_issues_while_the_office_is_open_and_quota_is_left():
    office = Office(document({"1": "AB"}, [service_entry("A", 2), service_entry("B")]))
    office.take()
    assert service(office)["issuing"] is True
    office.take()
    assert (service(office)["issuing"], service(office, "B")["issuing"]) == (False, True)
    office.do(do.CancelTicket("A001", "holder"))
    assert service(office)["issuing"] is True
    office.do(do.StopIssuing("full"))
    assert service(office)["issuing"] is False


def test_after_the_close_the_last_day_is_shown_closed():
    office = Office().opened("1")
    for _ in range(3):
        office.take()
    office.serve()
    office.do(do.StopIssuing("disaster"))
    office.close()
    shown = board(office)
    assert (shown["day"], shown["open"], shown["notice"]) == ("2026-03-02", False, "")
    assert {counter["state"] for counter in shown["counters"]} == {"CLOSED"}
    assert len(shown["calls"]) == 1
    entry = shown["services"][0]
    assert (entry["issued"], entry["completed"], entry["issuing"]) == (3, 1, False)
    assert (entry["waiting"], entry["forecast"], entry["beyondClosing"]) == ([], [], False)


def test_a_newcomer_is_told_the_longest_wait_of_the_services_that_issue():
    office = Office(
        document({"1": "A", "2": "B"}, [service_entry("A", 9), service_entry("B")], ALL_DAY)
    )
    assert fresh(office).newcomer() is None
    office.opened("1", "2")
    for code in "AAAAAAB":
        office.take(code)
    boards = boards_of(office)
    assert boards.newcomer() == boards.table("A").at(7)
    for _ in range(3):
        office.take("A")
    boards = boards_of(office)
    assert boards.newcomer() == boards.table("B").at(2)


# What changed, and what is urgent


def test_a_line_that_nothing_concerned_is_the_one_that_was_made_before():
    office = Office(document({"1": "A", "2": "B"}, hours=ALL_DAY)).opened("1", "2")
    boards = boards_of(office)
    before = boards.lines()
    office.take("B")
    boards.observe(office.events[-1])
    after = boards.lines()
    assert after["A"] is before["A"]
    assert after["B"].numbers == ("B001",)


def test_calls_openings_closings_and_notices_are_urgent_and_nothing_else():
    event = Office().opened("1").events[-1]
    urgent = {e for e in FIELDS if is_urgent(replace(event, e=e))}
    assert urgent == {
        *("call", "recall", "counter.open", "counter.close"),
        *("issue.go", "issue.stop", "day.open", "day.close"),
    }


def test_a_rush_makes_no_line_anew_and_no_table_at_all(monkeypatch):
    office = Office(document({"1": "A", "2": "B"}, hours=ALL_DAY)).opened("1", "2")
    for _ in range(100):
        for code, lane in (("A", Lane.REGULAR), ("B", Lane.REGULAR), ("A", Lane.PRIORITY)):
            office.take(code, lane)
    boards, made = fresh(office), []

    def counted(day, code):
        made.append(code)
        return Standing(day, code)

    monkeypatch.setattr(lines, "Standing", counted)
    monkeypatch.setattr(boards.forecasts, "table", lambda day, code: made.append("table"))
    for event in office.events:
        boards.observe(event)
        if event.e == "issue":
            assert boards.place(event.k).ahead < 200
    assert made == ["A", "B"]
    assert boards.place("A001").forecast is not None
    assert boards.place(event.k).forecast is None  # closing comes before


# Purity


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.data())
def test_a_board_built_step_by_step_is_the_one_built_from_scratch(seed, data):
    office = random_day(Random(seed), 150).office
    every = data.draw(st.integers(1, 9))
    boards = fresh(office)
    for count, event in enumerate(office.events, 1):
        boards.observe(event)
        if count % every == 0:
            scratch = boards_of(first_events(office, count))
            assert boards.build() == scratch.build()
            assert boards.lines() == scratch.lines()


def first_events(office, count):
    shorter = Office(office.text, office.date)
    shorter.events = office.events[:count]
    return shorter


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 9))
def test_a_place_is_the_lines_and_the_tables_whatever_was_asked_before(seed, every):
    """Places come from what is kept for a newcomer, lines and tables from the reference."""
    office = random_day(Random(seed), 150).office
    boards = fresh(office)
    for count, event in enumerate(office.events):
        boards.observe(event)
        places = {k: boards.place(k) for k in waiting_of(boards.day)}
        if count % every:
            continue
        for code in office.policy.services:
            table = boards.table(code)
            for ahead, number in enumerate(virtual_order(boards.day, code)):
                assert places[number] == Place(ahead, table.at(ahead + 1))
            assert boards.line(code).numbers == tuple(virtual_order(boards.day, code))


def waiting_of(day):
    return [k for lanes in day.waiting.values() for line in lanes.values() for _, k in line]


PROGRAM = """
import sys
from random import Random
from tests.queue.days import random_day
from tests.queue.test_board import boards_of
for seed in range(6):
    office = random_day(Random(seed), 200, close=False).office
    sys.stdout.buffer.write(boards_of(office).build().body + b"\\n")
"""


@pytest.mark.parametrize("other", ["1", "4711"])
def test_two_processes_make_equal_bytes(other):
    outputs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}:{ROOT / 'protos'}"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", other)
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].count(b"\n") == 6


def test_a_board_is_the_same_whether_events_come_from_memory_or_from_leaves():
    office = random_day(Random(7), 200, close=False).office
    copied = Office(office.text, office.date)
    copied.events = [parse(encode(event)) for event in office.events]
    assert boards_of(copied).build().body == boards_of(office).build().body


def test_previous_days_and_typical_minutes_move_the_forecast():
    office = Office(document(hours=ALL_DAY)).opened("1")
    office.take()
    slow = [{"day": "2026-03-01", "services": {"A": {"busy_seconds": 900_000, "calls": 170}}}]
    assert boards_of(office, slow).table("A") != boards_of(office).table("A")
    assert boards_of(office, slow).build().body != boards_of(office).build().body
