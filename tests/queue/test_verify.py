"""The replay verifier: lawful days are clean, each broken rule is named."""

import gzip
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.queue import commands as verb
from services.queue.findings import BREACHES, LANGUAGES, TEXTS
from services.queue.fold import apply
from services.queue.journal import Event, encode
from services.queue.model import Channel, Lane, Tally
from services.queue.policy import close_at_ms
from services.queue.replay import Report, Verdict
from services.queue.verify import as_json, as_text, main, split, verify
from tests.queue.days import MINUTE, Office, document, random_day, rule_entry, service_entry

HOUR = 60 * MINUTE


def check(office: Office, closed: bool = False) -> Report:
    return verify(office.leaves, office.policy.document, closed)


def codes(report: Report) -> list[str]:
    return [found.code for found in report.breaches]


def codes_of(events: list[Event], office: Office) -> list[str]:
    return codes(verify([encode(event) for event in events], office.policy.document))


def renumber(events: list[Event]) -> list[Event]:
    return [replace(event, n=n) for n, event in enumerate(events)]


# Lawful days


@given(st.randoms(use_true_random=False), st.integers(1, 40), st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_short_random_day_is_clean(rng, steps, close):
    report = check(random_day(rng, steps, close).office)
    assert report.breaches == ()


@given(st.integers(0, 2**32))
@settings(max_examples=80, deadline=None)
def test_a_long_random_day_is_clean(seed):
    assert check(random_day(Random(seed), 300).office).breaches == ()


def busy_day() -> Office:
    """A closed day with every type of event."""
    services = [service_entry("A"), service_entry("B")]
    office = Office(document({"1": "AB", "2": "A", "3": "B"}, services)).opened("1", "2")
    taken = [
        office.take("AB"[i % 3 == 2], Lane.PRIORITY if i == 4 else Lane.REGULAR) for i in range(12)
    ]
    office.do(verb.CheckInTicket(taken[3]))
    office.do(verb.SetTicketLane(taken[5]))
    office.do(verb.CancelTicket(taken[10]))
    for _ in range(2):
        office.serve("1")
    absent = office.call("2")
    office.skip("2", absent)
    held = office.call("1")
    office.do(verb.StartTicket("1", held))
    office.do(verb.HoldTicket("1", held))
    office.do(verb.ReturnTicket(absent), MINUTE)
    moved = office.call("2")
    office.do(verb.RequeueTicket(moved), MINUTE)
    office.do(verb.StartTicket("2", office.call("2")), MINUTE)
    moved = office.day.counters["2"].ticket or ""
    office.do(verb.TransferTicket("2", moved, "B"))
    office.do(verb.SetCounterServices("3", ("A", "B")))
    office.do(verb.OpenCounter("3"))
    office.do(verb.StopIssuing("power"))
    for _ in range(3):
        office.serve("3")
    office.do(verb.ResumeIssuing())
    office.take("A")
    office.do(verb.CloseCounter("3"))
    office.read(verb.Tick(), office.day.t - 6000)
    office.close()
    return office


def test_a_day_with_every_event_is_clean_and_says_so():
    office = busy_day()
    assert len({event.e for event in office.events}) == 21
    report = check(office, closed=True)
    assert (report.verdict, report.breaches, report.notes) == (Verdict.CLEAN, (), ())
    assert (report.code, report.day) == ("73.71.03", office.date)
    assert report.leaves == len(office.events)


def test_a_running_day_is_clean_so_far():
    office = Office().opened("1")
    office.take()
    report = check(office)
    assert report.verdict is Verdict.CLEAN
    assert [(note.code, note.event) for note in report.notes] == [("DAY_OPEN", office.day.n)]


# Changed leaves


@pytest.fixture(scope="module")
def day() -> Office:
    return busy_day()


def test_a_dropped_leaf_leaves_a_gap(day):
    for at in range(1, len(day.events) - 1):
        found = check_events(day, day.events[:at] + day.events[at + 1 :])
        assert found.breaches[0].code in ("EVENT_GAP", "HOURS_NOT_WRITTEN")
        assert "EVENT_GAP" in codes(found)


def check_events(office: Office, events: list[Event]) -> Report:
    return verify([encode(event) for event in events], office.policy.document)


def test_a_repeated_leaf_is_found(day):
    for at in range(len(day.events)):
        events = day.events[: at + 1] + day.events[at:]
        assert {"EVENT_GAP", "AFTER_CLOSE"} & set(codes(check_events(day, events)))


def test_two_swapped_leaves_are_found(day):
    for at in range(1, len(day.events) - 2):
        events = list(day.events)
        events[at], events[at + 1] = events[at + 1], events[at]
        found = check_events(day, events)
        assert "EVENT_GAP" in codes(found)


def test_a_day_cut_at_its_start_is_found(day):
    found = check_events(day, day.events[5:])
    assert codes(found)[:2] == ["OPEN_MISSING", "EVENT_GAP"]


def test_a_day_cut_at_its_end_is_found_only_by_who_knows_that_it_is_over(day):
    cut = [encode(event) for event in day.events[:-4]]
    so_far = verify(cut, day.policy.document)
    assert (so_far.verdict, [note.code for note in so_far.notes]) == (Verdict.CLEAN, ["DAY_OPEN"])
    over = verify(cut, day.policy.document, closed=True)
    assert codes(over) == ["CLOSE_MISSING"]
    assert over.verdict is Verdict.BREACH


def test_a_malformed_line_is_a_finding_and_the_replay_goes_on(day):
    leaves = list(day.leaves)
    leaves[6] = leaves[6].replace(b",", b", ", 1)
    found = verify(leaves, day.policy.document)
    first = found.breaches[0]
    assert (first.code, first.event, first.line) == ("NOT_CANONICAL", 6, 7)
    assert found.leaves == len(leaves)
    assert "EVENT_GAP" not in codes(found)


@pytest.mark.parametrize("leaf", [b'{"v":2}', b'{"v":1,"e":"override"}'])
def test_an_unknown_version_or_type_is_never_clean(day, leaf):
    leaves = [*day.leaves[:10], leaf, *day.leaves[10:]]
    found = verify(leaves, day.policy.document)
    assert found.verdict is Verdict.CANNOT_JUDGE
    assert [(note.code, note.line) for note in found.notes] == [("CANNOT_JUDGE", 11)]


def test_a_breach_before_an_unknown_leaf_is_still_a_breach(day):
    leaves = [*day.leaves[:5], *day.leaves[6:10], b'{"v":2}']
    assert verify(leaves, day.policy.document).verdict is Verdict.BREACH


def test_no_leaves_or_no_policy_cannot_be_judged(day):
    empty = verify([], day.policy.document)
    assert (empty.verdict, empty.notes[0].code) == (Verdict.CANNOT_JUDGE, "NO_EVENTS")
    wrong = verify(day.leaves, b"{}")
    assert (wrong.verdict, wrong.notes[0].code) == (Verdict.CANNOT_JUDGE, "POLICY_UNUSABLE")


def test_another_policy_document_is_named_first(day):
    other = document({"1": "AB", "2": "A", "3": "B"}, rule=rule_entry(transfers=2))
    assert codes(verify(day.leaves, other)) == ["POLICY_DIFFERS"]


@given(st.lists(st.binary(max_size=120), max_size=20), st.binary(max_size=50))
def test_no_input_makes_the_verifier_fail(lines, text):
    assert verify(lines, text).verdict is Verdict.CANNOT_JUDGE
    report = verify(lines, document())
    assert report.verdict is (Verdict.BREACH if lines else Verdict.CANNOT_JUDGE)


@given(st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_a_shuffled_patched_day_never_makes_the_verifier_fail(rng):
    office = busy_day()
    names = ("n", "t", "k", "c", "s", "l", "h", "why", "ms", "tally", "d", "o")
    events = [event for event in office.events if rng.random() < 0.8]
    for _ in range(rng.randint(1, 30)):
        at, source = rng.randrange(len(events)), rng.choice(events)
        name = rng.choice(names)
        if getattr(source, name):
            events[at] = replace(events[at], **{name: getattr(source, name)})
        other = rng.randrange(len(events))
        events[at], events[other] = events[other], events[at]
    report = check_events(office, events)
    texts = [found.text(language) for found in report.breaches for language in LANGUAGES]
    assert "{" not in "".join(texts)


# Each rule


class Forged(Office):
    """An office whose journal is also written past the rules."""

    def forge(self, e: str, after: int = 0, **fields: Any) -> "Forged":
        self.at += after
        event = Event(self.policy.code, self.date, self.day.n + 1, self.opening + self.at, e)
        event = replace(event, **fields)
        try:
            apply(self.day, event)
        except KeyError:
            self.day.n, self.day.t = event.n, event.t
        self.events.append(event)
        return self


def ready(*counters: str, **policy) -> Forged:
    office = Forged(document(**policy))
    office.opened(*(counters or ("1",)))
    return office


def waiting(count: int = 2, **policy) -> Forged:
    office = ready(**policy)
    for _ in range(count):
        office.take()
    return office


def called(**policy) -> Forged:
    office = waiting(**policy)
    office.call("1")
    return office


def serving(**policy) -> Forged:
    office = called(**policy)
    office.do(verb.StartTicket("1", "A001"))
    return office


def absent(**policy) -> Forged:
    office = called(**policy)
    office.skip("1", "A001")
    return office


def held(**policy) -> Forged:
    office = serving(**policy)
    office.do(verb.HoldTicket("1", "A001"))
    return office


A1: dict[str, Any] = {"k": "A001", "c": "1"}
NEW: dict[str, Any] = {"k": "A001", "s": "A", "ch": Channel.DESK}
TIGHT = [service_entry("A", 2, 1, ["DESK", "WEB"]), service_entry("B")]
AFTER_HOURS = 12 * HOUR

FORGED = {
    "WRONG_OFFICE": lambda: waiting().forge("present", k="A001", o="73.71.04"),
    "WRONG_DATE": lambda: waiting().forge("present", k="A001", d="2026-03-03"),
    "TIME_BACKWARD": lambda: waiting().forge("present", 5, k="A001").forge("present", -1, k="A002"),
    "OUTSIDE_DAY": lambda: outside(waiting()),
    "OPEN_TWICE": lambda: reopened(waiting()),
    "POLICY_DIFFERS": lambda: Forged().forge("day.open", pol="00" * 32),
    "HOURS_NOT_WRITTEN": lambda: waiting().forge("present", 5 * HOUR, k="A001"),
    "HOURS_UNTRUE": lambda: waiting().forge("issue.stop", why="hours"),
    "SWITCH_REPEATED": lambda: waiting().forge("issue.go", why="power"),
    "RESUME_OTHER_REASON": lambda: stopped().forge("issue.go", why="full"),
    "CLOCK_TOO_SMALL": lambda: waiting().forge("clock", ms=5000),
    "SERVICE_UNKNOWN": lambda: ready().forge("issue", k="Z001", s="Z"),
    "COUNTER_UNKNOWN": lambda: ready().forge("counter.open", c="9"),
    "TICKET_UNKNOWN": lambda: ready().forge("present", k="A001"),
    "NUMBER_TWICE": lambda: waiting().forge("issue", **NEW),
    "NUMBER_NOT_NEXT": lambda: ready().forge("issue", **{**NEW, "k": "A002"}),
    "ISSUED_OUTSIDE_HOURS": lambda: lunch().forge("issue", **NEW),
    "ISSUED_WHILE_STOPPED": lambda: stopped(ready()).forge("issue", **NEW),
    "CHANNEL_NOT_ADMITTED": lambda: ready(services=TIGHT).forge(
        "issue", **{**NEW, "ch": Channel.KIOSK}
    ),
    "QUOTA_EXCEEDED": lambda: waiting(1, services=TIGHT).forge(
        "issue", k="A002", s="A", ch=Channel.WEB
    ),
    "HOLDER_TWICE": lambda: (
        ready()
        .forge("issue", **NEW, h="0a" * 16)
        .forge("issue", **{**NEW, "k": "A002"}, h="0a" * 16)
    ),
    "CALL_NOT_NEXT": lambda: waiting().forge("call", k="A002", c="1"),
    "CALL_NOT_SERVED_HERE": lambda: other_service(),
    "COUNTER_BUSY": lambda: called().forge("call", k="A002", c="1"),
    "COUNTER_NOT_OPEN": lambda: waiting().forge("call", k="A001", c="2"),
    "COUNTER_NOT_CLOSED": lambda: ready().forge("counter.set", c="1", services=("A",)),
    "WRONG_COUNTER": lambda: two_counters().forge("start", k="A001", c="2"),
    "ILLEGAL_MOVE": lambda: called().forge("done", **A1),
    "RECALL_TOO_SOON": lambda: called().forge("recall", 19_999, **A1),
    "NOSHOW_TOO_FEW_CALLS": lambda: called().forge("noshow", HOUR, **A1),
    "NOSHOW_TOO_SOON": lambda: called(rule=rule_entry(skip=(1, 90))).forge("noshow", 89_999, **A1),
    "RETURN_LIMIT": lambda: absent(rule=rule_entry(back=(3, 3600, 0))).forge("return", k="A001"),
    "RETURN_TOO_LATE": lambda: held().forge("return", 2 * HOUR + 1, k="A001"),
    "HOLD_LIMIT": lambda: serving(rule=rule_entry(hold=(0, 60))).forge("hold", **A1),
    "TRANSFER_LIMIT": lambda: serving(rule=rule_entry(transfers=0)).forge("xfer", **A1, s="B"),
    "SAME_SERVICE": lambda: serving().forge("xfer", **A1, s="A"),
    "LANE_NOT_PRIORITY": lambda: waiting().forge("lane", k="A001", l=Lane.REGULAR),
    "PRESENT_TWICE": lambda: waiting().forge("present", k="A001").forge("present", 1, k="A001"),
    "TALLY_WRONG": lambda: ended(waiting(), Tally(2, 1, 0, 0, 1)),
    "AFTER_CLOSE": lambda: ended(waiting(), Tally(2, 0, 0, 0, 2)).forge("present", k="A001"),
}


def outside(office: Forged) -> Forged:
    office.do(verb.Tick(), 8 * HOUR)
    office.at = close_at_ms(office.policy, office.date) - office.opening
    return office.forge("present", k="A001")


def reopened(office: Forged) -> Forged:
    return office.forge("day.open", pol=office.policy.hash)


def stopped(office: Forged | None = None) -> Forged:
    office = office or waiting()
    office.do(verb.StopIssuing("power"))
    return office


def lunch() -> Forged:
    office = ready()
    office.do(verb.Tick(), 5 * HOUR)
    return office


def other_service() -> Forged:
    office = ready("1", "2")
    office.take("B")
    return office.forge("call", k="B001", c="2")


def two_counters() -> Forged:
    office = ready("1", "2")
    for _ in range(2):
        office.take()
    office.call("1")
    office.call("2")
    return office


def ended(office: Forged, tally: Tally) -> Forged:
    office.at = close_at_ms(office.policy, office.date) - office.opening
    return office.forge("day.close", tally=tally)


@pytest.mark.parametrize("code", FORGED)
def test_each_broken_rule_is_named_alone_at_its_event(code):
    report = check(FORGED[code]())
    assert [(found.code, found.event) for found in report.breaches] == [(code, report.leaves - 1)]


def test_every_breach_has_a_test():
    elsewhere = {"NOT_CANONICAL", "EVENT_GAP", "OPEN_MISSING", "CLOSE_MISSING"}
    assert set(FORGED) | elsewhere == set(BREACHES)


def test_the_day_goes_on_after_a_breach_without_naming_it_again():
    office = waiting(4).forge("call", k="A003", c="1")
    office.do(verb.StartTicket("1", "A003"))
    office.do(verb.CompleteTicket("1", "A003"))
    assert [office.serve("1") for _ in range(3)] == ["A001", "A002", "A004"]
    office.close()
    assert codes(check(office)) == ["CALL_NOT_NEXT"]


def test_a_skipped_number_is_named_once():
    office = ready().forge("issue", **{**NEW, "k": "A003"})
    office.day.issued["A"] = 3
    office.take()
    assert codes(check(office)) == ["NUMBER_NOT_NEXT"]


def test_a_call_of_nobody_next_for_a_counter_is_named_with_who_was():
    report = check(waiting().forge("call", k="A002", c="1"))
    assert report.breaches[0].facts == {"c": "1", "k": "A002", "expected": "A001"}
    assert report.breaches[0].text("en") == (
        "Event 5: counter 1 called A002; by the rule it was the turn of A001."
    )
    assert "giliran A001" in report.breaches[0].text("id")


ILLEGAL = [
    (waiting, "start", A1),
    (waiting, "recall", A1),
    (waiting, "hold", A1),
    (waiting, "requeue", A1),
    (waiting, "return", {"k": "A001"}),
    (called, "cancel", {"k": "A001", "by": "desk"}),
    (called, "present", {"k": "A001"}),
    (called, "lane", {"k": "A001", "l": Lane.PRIORITY}),
    (serving, "noshow", A1),
    (serving, "requeue", A1),
    (held, "start", A1),
    (held, "call", A1),
    (absent, "xfer", {**A1, "s": "B"}),
]


@pytest.mark.parametrize(("before", "e", "fields"), ILLEGAL)
def test_every_move_from_the_wrong_state_is_illegal(before, e, fields):
    assert "ILLEGAL_MOVE" in codes(check(before().forge(e, HOUR, **fields)))


def test_a_second_change_to_priority_is_illegal():
    office = waiting()
    office.do(verb.SetTicketLane("A001"))
    assert codes(check(office.forge("lane", k="A001", l=Lane.PRIORITY))) == ["ILLEGAL_MOVE"]


def test_a_requeue_from_another_counter_is_named():
    office = two_counters().forge("requeue", k="A001", c="2")
    assert codes(check(office)) == ["WRONG_COUNTER"]


def test_a_counter_that_closes_while_serving_is_busy():
    assert codes(check(serving().forge("counter.close", c="1"))) == ["COUNTER_BUSY"]


def test_issuing_switched_by_the_clock_must_agree_with_the_hours_and_change_something():
    assert codes(check(lunch().forge("issue.go", why="hours"))) == ["HOURS_UNTRUE"]
    assert codes(check(lunch().forge("issue.stop", why="hours"))) == ["SWITCH_REPEATED"]
    assert codes(check(stopped().forge("issue.stop", why="full"))) == ["SWITCH_REPEATED"]


def test_a_no_show_that_returns_late_is_found_too():
    assert codes(check(absent().forge("return", HOUR + 1, k="A001"))) == ["RETURN_TOO_LATE"]


# What a cleaner forger leaves behind: leaves renumbered, so that no gap remains


def without(events: list[Event], e: str, which: int = 0) -> list[Event]:
    at = [i for i, event in enumerate(events) if event.e == e][which]
    return renumber(events[:at] + events[at + 1 :])


@pytest.mark.parametrize(
    ("e", "code"),
    [
        ("day.open", "OPEN_MISSING"),
        ("issue.go", "HOURS_NOT_WRITTEN"),
        ("counter.open", "COUNTER_NOT_OPEN"),
        ("issue", "NUMBER_NOT_NEXT"),
        ("call", "ILLEGAL_MOVE"),
        ("start", "ILLEGAL_MOVE"),
        ("done", "COUNTER_BUSY"),
        ("noshow", "COUNTER_BUSY"),
        ("recall", "NOSHOW_TOO_FEW_CALLS"),
        ("cancel", "CALL_NOT_NEXT"),
        ("return", "ILLEGAL_MOVE"),
        ("xfer", "COUNTER_BUSY"),
        ("issue.stop", "SWITCH_REPEATED"),
        ("lane", "CALL_NOT_NEXT"),
        ("requeue", "COUNTER_BUSY"),
    ],
)
def test_an_erased_event_is_found_by_what_follows_it(e, code):
    office = eventful()
    assert codes(check(office)) == []
    assert code in codes_of(without(office.events, e), office)


def eventful() -> Office:
    """A closed day of one counter, in which each event matters to a later one."""
    office = Office(document({"1": "AB"}, "AB")).opened("1")
    first, second, third, fourth = (office.take() for _ in range(4))
    office.do(verb.CancelTicket(second))
    office.do(verb.SetTicketLane(fourth))
    assert office.serve("1") == fourth
    assert office.call("1") == first
    office.do(verb.RequeueTicket(first))
    assert office.call("1") == first
    office.skip("1", first)
    office.do(verb.StopIssuing("full"))
    office.do(verb.ResumeIssuing())
    assert office.call("1") == third
    office.do(verb.StartTicket("1", third))
    office.do(verb.TransferTicket("1", third, "B"))
    office.do(verb.ReturnTicket(first))
    assert [office.serve("1"), office.serve("1")] == [third, first]
    office.take()
    office.close()
    return office


def test_a_back_dated_number_is_found():
    office = waiting(2)
    office.do(verb.CheckInTicket("A001"), MINUTE)
    office.at += HOUR
    office.take()
    *before, last = office.events
    assert codes_of([*before, replace(last, t=office.opening + 1)], office) == ["TIME_BACKWARD"]


def test_a_number_pushed_in_before_others_is_found():
    office = waiting(3)
    forged = replace(office.events[3], k="A004")
    events = renumber([*office.events[:3], forged, *office.events[3:]])
    assert codes_of(events, office)[0] == "NUMBER_NOT_NEXT"


def test_what_a_replay_cannot_find_is_known():
    office = waiting(2)
    office.do(verb.CheckInTicket("A001"))
    office.close()
    no_check_in = without(office.events, "present")
    assert codes_of(no_check_in, office) == []
    last = [event for event in office.events if event.k not in ("A002", "A001")]
    close = replace(last[-1], tally=Tally(0, 0, 0, 0, 0))
    everyone_erased = renumber([*last[:-1], close])
    assert codes_of(everyone_erased, office) == []


# Words


def test_every_text_exists_in_both_languages_and_accuses_nobody():
    for code, texts in TEXTS.items():
        assert re.fullmatch("[A-Z]+(_[A-Z]+)*", code)
        assert len(texts) == len(LANGUAGES) == 2
        assert all(text.strip() for text in texts)
        assert not re.search("curang|cheat|fraud|tipu", " ".join(texts), re.IGNORECASE)


def test_the_texts_of_a_report_are_complete():
    for make in FORGED.values():
        report = check(make())
        for language in LANGUAGES:
            text = as_text(report, language)
            assert report.breaches[0].code in text
            assert "{" not in text
        json.dumps(as_json(report))


# The command


@pytest.fixture
def files(day, tmp_path):
    (tmp_path / "day.ndjson").write_bytes(b"".join(leaf + b"\n" for leaf in day.leaves))
    (tmp_path / "policy.json").write_bytes(day.policy.document)
    return tmp_path


def run(files, *more, name="day.ndjson"):
    return main([str(files / name), "--policy", str(files / "policy.json"), *more])


def test_the_command_says_clean_in_both_languages(files, capsys):
    assert run(files) == 0
    assert "sesuai aturan" in capsys.readouterr().out
    assert run(files, "--lang", "en", "--closed") == 0
    assert capsys.readouterr().out.startswith("73.71.03 2026-03-02: by the rules")


def test_the_command_reads_gzip(files, day):
    (files / "day.ndjson.gz").write_bytes(gzip.compress(b"\n".join(day.leaves)))
    assert run(files, name="day.ndjson.gz") == 0


def test_the_command_names_breaches_first_and_exits_with_one(files, capsys):
    lines = (files / "day.ndjson").read_bytes().splitlines(keepends=True)
    (files / "day.ndjson").write_bytes(b"".join(lines[:9] + lines[10:]))
    assert run(files, "--lang", "en") == 1
    assert "Breaches:\n  EVENT_GAP: Event 10: " in capsys.readouterr().out


def test_the_command_prints_json_with_both_texts(files, capsys):
    (files / "day.ndjson").write_bytes(b"nonsense\n")
    assert run(files, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["verdict"] == "BREACH"
    first = report["breaches"][0]
    assert (first["code"], first["line"], first["event"]) == ("NOT_CANONICAL", 1, 0)
    assert set(first["text"]) == {"id", "en"}


def test_unusable_input_exits_with_two(files, capsys):
    (files / "empty.ndjson").write_bytes(b"")
    (files / "broken.gz").write_bytes(gzip.compress(b"x" * 99)[:-9])
    assert run(files, name="empty.ndjson") == 2
    assert run(files, name="missing.ndjson") == 2
    assert run(files, name="broken.gz") == 2
    (files / "policy.json").write_bytes(b"{}")
    assert run(files) == 2
    captured = capsys.readouterr()
    assert "POLICY_UNUSABLE" in captured.out
    assert len(captured.err.splitlines()) == 2


def test_the_command_reads_a_pipe(files):
    command = [sys.executable, "-m", "services.queue.verify", "-", "--policy"]
    with (files / "day.ndjson").open("rb") as journal:
        done = subprocess.run(
            [*command, str(files / "policy.json")], stdin=journal, capture_output=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_reader_that_goes_away_is_no_error_of_the_command(files, more):
    reading, writing = os.pipe()
    os.close(reading)
    arguments = [str(files / "day.ndjson"), "--policy", str(files / "policy.json"), *more]
    command = [sys.executable, "-m", "services.queue.verify", *arguments]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_file_is_split_into_its_lines_alone():
    assert split(b"") == []
    assert split(b"a\nb\n") == [b"a", b"b"]
    assert split(b"a\n\nb") == [b"a", b"", b"b"]
