"""The catalogue of reasons, and its way over the wire."""

import grpc
import pytest

from services.chassis.errors import (
    LANGUAGES,
    Problem,
    catalogue,
    from_status,
    texts,
    to_status,
)

HTTP_HAS_A_STATUS_FOR = {
    "NOT_FOUND", "INVALID_ARGUMENT", "ALREADY_EXISTS", "FAILED_PRECONDITION", "ABORTED",
    "UNAUTHENTICATED", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "UNAVAILABLE",
    "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL",
}  # fmt: skip


@pytest.mark.parametrize("reason", catalogue().values(), ids=lambda reason: reason.name)
def test_every_reason_has_title_and_detail_in_both_languages(reason):
    assert reason.status.name in HTTP_HAS_A_STATUS_FOR
    problem = Problem(reason.name, dict.fromkeys(reason.placeholders, "73.71.03"))
    for language in LANGUAGES:
        title, detail = texts(problem, language)
        assert title
        assert not title.endswith(".")
        assert detail.endswith(".")
        assert "{" not in detail


def test_both_languages_of_a_detail_name_the_same_metadata():
    for reason in catalogue().values():
        for language in LANGUAGES:
            detail = reason.detail[language]
            assert all(f"{{{name}}}" in detail for name in reason.placeholders), reason.name


def test_metadata_fills_the_detail_in_plain_words():
    problem = Problem("WRONG_STATE", {"state": "NO_SHOW"})
    assert texts(problem, "id")[1].endswith("status nomor itu: terlewat.")
    assert texts(problem, "en")[1].endswith("the ticket is missed.")


def test_a_detail_without_its_metadata_falls_back_to_the_title():
    assert texts(Problem("WRONG_STATE"), "en") == ("Not possible for this ticket now",) * 2


def test_a_language_that_we_do_not_speak_reads_indonesian():
    assert texts(Problem("OFFICE_CLOSED"), "fr") == texts(Problem("OFFICE_CLOSED"), "id")


def test_a_problem_keeps_reason_and_metadata_over_the_wire_but_not_its_private_detail():
    problem = Problem("LIVE_TICKET_EXISTS", {"ticketId": "737103-260302-x"}, private="row 7")
    status = to_status(problem)
    back = from_status(status)
    assert back is not None
    assert (back.reason, back.metadata, back.private) == (problem.reason, problem.metadata, "")
    assert back.status is grpc.StatusCode.ALREADY_EXISTS
    assert b"row 7" not in status.SerializeToString()


def test_a_status_of_a_foreign_domain_carries_no_reason_of_ours():
    status = to_status(Problem("INTERNAL"))
    status.details[0].value = status.details[0].value.replace(b"tunggu", b"foreig")
    assert from_status(status) is None


def test_a_reason_outside_the_catalogue_is_a_mistake_in_the_code():
    with pytest.raises(KeyError):
        Problem("NO_SUCH_REASON")
