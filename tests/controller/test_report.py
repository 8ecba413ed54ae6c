"""What the queue answered, as kubectl shows it."""

import pytest

from services.controller import report
from tests.deploy import crd
from tunggu.queue.v1 import kecamatan_pb2 as pb
from tunggu.survey.v1.tally_pb2 import Share, Tally

THEN, NOW = "2026-11-23T10:00:00Z", "2026-11-23T10:00:30Z"


def by_type(conditions):
    return {found["type"]: found for found in conditions}


def test_an_office_as_its_file_says_is_ready():
    outcome = report.applied(pb.Office(code="73.71.03"))
    found = by_type(report.conditions([], outcome, 3, NOW))
    assert {name: c["status"] for name, c in found.items()} == {
        "Ready": "True", "Progressing": "False", "Degraded": "False",
    }  # fmt: skip
    assert {c["observedGeneration"] for c in found.values()} == {3}
    assert {c["lastTransitionTime"] for c in found.values()} == {NOW}


def test_what_waits_for_the_next_day_is_said():
    office = pb.Office(change_pending=True, service_day="2026-11-23")
    outcome = report.applied(office)
    assert (outcome.ready, outcome.reason) == ("True", "AppliedFromNextDay")
    assert "2026-11-23" in outcome.message


def test_a_refusal_names_the_field_and_lasts():
    outcome = report.refused("INVALID_KECAMATAN", "spec.timezone", "must be an IANA time zone")
    assert (outcome.ready, outcome.reason) == ("False", "InvalidKecamatan")
    assert outcome.message == "spec.timezone: must be an IANA time zone"
    assert outcome.degraded
    assert not outcome.progressing


def test_while_nobody_answers_nothing_is_known_and_it_goes_on():
    outcome = report.unreachable("SERVICE_UNAVAILABLE")
    assert (outcome.ready, outcome.reason) == ("Unknown", "ServiceUnavailable")
    assert outcome.progressing
    assert not outcome.degraded


def test_a_transition_keeps_its_time_while_the_status_stays():
    fine = report.applied(pb.Office())
    before = report.conditions([], fine, 1, THEN)
    same = by_type(report.conditions(before, fine, 2, NOW))
    assert same["Ready"]["lastTransitionTime"] == THEN
    assert same["Ready"]["observedGeneration"] == 2
    lost = by_type(report.conditions(before, report.unreachable("X"), 2, NOW))
    assert lost["Ready"]["lastTransitionTime"] == NOW
    assert lost["Degraded"]["lastTransitionTime"] == THEN


@pytest.mark.parametrize(
    ("tally", "shown"),
    [
        (None, "-"),
        (Tally(), "-"),
        (Tally(answers=12, favourable=Share(count=12)), "-"),
        (Tally(answers=45, enough_answers=True, favourable=Share(count=41)), "91% (n=45)"),
        (Tally(answers=30, enough_answers=True, favourable=Share(count=0)), "0% (n=30)"),
    ],
)
def test_satisfaction_is_shown_once_the_answers_say_something(tally, shown):
    assert report.satisfaction(tally) == shown


def test_the_status_is_one_that_the_api_server_keeps():
    outcome = report.applied(pb.Office())
    said = report.figures(pb.Office(service_day="2026-11-23"), None) | {
        "observedGeneration": 1,
        "conditions": report.conditions([], outcome, 1, NOW),
    }
    assert set(said) <= set(crd.schema()["properties"]["status"]["properties"])
