"""What a request is remembered by."""

from dataclasses import replace

import pytest

from services.chassis.errors import Problem
from services.queue.request import Request as QueueRequest
from services.redis_link.request import Request

ASKED = Request("73.71.03", "CreateTicket", "an-id", "somebody", b"payload")


def test_the_same_id_of_the_same_caller_is_the_same_request():
    assert replace(ASKED, payload=b"other").digest == ASKED.digest
    others = [
        replace(ASKED, code="73.71.04"),
        replace(ASKED, verb="CancelTicket"),
        replace(ASKED, id="another"),
        replace(ASKED, caller="another"),
    ]
    assert ASKED.digest not in {other.digest for other in others}


def test_another_payload_under_the_same_id_is_noticed():
    assert replace(ASKED, payload=b"other").payload_hash != ASKED.payload_hash


def test_a_request_without_an_id_is_not_remembered():
    assert (replace(ASKED, id="").digest, replace(ASKED, id="").payload_hash) == ("", "")


def test_an_id_of_nobody_must_be_long_enough_that_nobody_guesses_it():
    with pytest.raises(Problem, match="REQUEST_ID_TOO_SHORT"):
        replace(ASKED, caller="", id="x" * 21).check()
    for fine in (ASKED, replace(ASKED, caller="", id="x" * 22), replace(ASKED, caller="", id="")):
        fine.check()


def test_who_shows_a_request_does_not_change_what_it_is_remembered_by():
    shown = QueueRequest(*vars(ASKED).values(), subject="officer-1", supervisor=True)
    assert (shown.digest, shown.payload_hash) == (ASKED.digest, ASKED.payload_hash)
