"""problem+json, in two languages."""

import json

import pytest

from services.chassis.errors import Problem, catalogue
from services.gateway.problems import BY_REASON, body_of, headers_of, language_of, status_of


def document(problem, language="id"):
    return json.loads(body_of(problem, language, "request-1"))


def test_a_problem_has_the_members_of_rfc_9457_and_its_metadata():
    metadata = {"ticketId": "x", "number": "A007", "status": "no"}
    shown = document(Problem("LIVE_TICKET_EXISTS", metadata), "en")
    assert shown == {
        "type": "urn:tunggu:problem:LIVE_TICKET_EXISTS",
        "title": "You already have a number",
        "status": 409,
        "reason": "LIVE_TICKET_EXISTS",
        "detail": "You still have number A007 for this service today. "
        "Please use it; as long as it has not been called you can also cancel it.",
        "instance": "request-1",
        "ticketId": "x",
        "number": "A007",
    }


def test_an_error_of_ours_says_nothing_of_its_cause():
    shown = document(Problem("INTERNAL", {"x": "secret"}, private="secret"))
    assert set(shown) == {"type", "title", "status", "reason", "instance"}
    assert shown["status"] == 500


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("TICKET_NOT_FOUND", 404),
        ("INVALID_REQUEST", 400),
        ("LIVE_TICKET_EXISTS", 409),
        ("NOBODY_WAITING", 409),
        ("STALE_DAY", 409),
        ("TOKEN_EXPIRED", 401),
        ("PERMISSION_DENIED", 403),
        ("QUOTA_EXHAUSTED", 429),
        ("OUTCOME_UNKNOWN", 503),
        ("OVERLOADED", 503),
        ("DEADLINE_EXCEEDED", 504),
        ("METHOD_NOT_ALLOWED", 405),
        ("BODY_TOO_SLOW", 408),
        ("BODY_TOO_LARGE", 413),
        ("URL_TOO_LONG", 414),
        ("UNSUPPORTED_MEDIA_TYPE", 415),
        ("HEADERS_TOO_LARGE", 431),
    ],
)
def test_a_reason_has_its_http_status(reason, status):
    assert status_of(Problem(reason)) == status


def test_every_reason_of_the_catalogue_has_a_status_of_its_own_and_only_internal_is_500():
    statuses = {reason: status_of(Problem(reason)) for reason in catalogue()}
    assert [reason for reason, status in statuses.items() if status == 500] == ["INTERNAL"]
    assert set(BY_REASON) <= set(catalogue())


def test_what_may_be_repeated_says_when():
    headers = dict(headers_of(Problem("OUTCOME_UNKNOWN"), "id"))
    assert 1 <= int(headers[b"retry-after"]) <= 3
    headers = dict(headers_of(Problem("QUOTA_EXHAUSTED", {"retryAfter": "7"}), "id"))
    assert headers[b"retry-after"] == b"7"
    assert b"retry-after" not in dict(headers_of(Problem("TICKET_NOT_FOUND"), "id"))


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "id"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("id,en;q=0.9", "id"),
        ("de,en;q=0.5,id;q=0.3", "en"),
        ("en;q=0.3, id;q=0.4", "id"),
        ("de", "id"),
        ("*", "id"),
        ("en;q=0", "id"),
        ("EN", "en"),
        ("en;q=x", "id"),
        ("\xff;q=", "id"),
    ],
)
def test_the_language_is_what_the_client_weighs_most(accepted, language):
    assert language_of({b"accept-language": accepted.encode("latin-1")}) == language
