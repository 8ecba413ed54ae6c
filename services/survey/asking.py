"""What a request may say before anything looks at it: well-formed names, periods, answers.

Everything that ends up in a key or a cell passes here.
"""

from __future__ import annotations

import re
from typing import Any

from services.chassis import access
from services.chassis.errors import Problem
from services.redis_link.request import Request, content_of
from services.survey.daybook import Daybook
from services.survey.ikm import RATINGS, UNSUR
from services.survey.model import Answer, Reason
from services.survey.periods import dates
from services.survey.questionnaire import questionnaire
from tunggu.survey.v1 import index_pb2, tally_pb2

DESK = frozenset({"OFFICER", "SUPERVISOR", "WAR_ROOM", "ADMIN"})
"""Who works for the office or the city and therefore answers for nobody."""

_CODE = re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}")
_COUNTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,7}")
_NUMBER = re.compile(r"[A-Z][0-9]{3,6}")
_DAY = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")

ANSWERS = {
    tally_pb2.ANSWER_VERY_SATISFIED: Answer.VERY_SATISFIED,
    tally_pb2.ANSWER_SATISFIED: Answer.SATISFIED,
    tally_pb2.ANSWER_NOT_SATISFIED: Answer.NOT_SATISFIED,
}
REASONS = {
    tally_pb2.REASON_CODE_WAITING: Reason.WAITING,
    tally_pb2.REASON_CODE_OFFICER: Reason.OFFICER,
    tally_pb2.REASON_CODE_REQUIREMENTS: Reason.REQUIREMENTS,
    tally_pb2.REASON_CODE_COST: Reason.COST,
    tally_pb2.REASON_CODE_PLACE: Reason.PLACE,
}


def code_of(message: Any) -> str:
    if not _CODE.fullmatch(message.kecamatan):
        raise Problem("KECAMATAN_NOT_FOUND", {"kecamatan": message.kecamatan[:32]})
    return str(message.kecamatan)


def counter_of(message: Any) -> str:
    if not _COUNTER.fullmatch(message.counter):
        raise Problem("COUNTER_NOT_FOUND", {"counter": message.counter[:32]})
    return str(message.counter)


def citizen() -> None:
    """Refuses whoever works there: a citizen's answer is the citizen's."""
    if access.caller().roles & DESK:
        raise Problem("PERMISSION_DENIED")


def answer_of(message: Any) -> tuple[Answer, tuple[Reason, ...]]:
    """The button and the reasons. INVALID_REQUEST."""
    if message.answer not in ANSWERS:
        refuse("answer")
    answer, codes = ANSWERS[message.answer], list(message.reasons)
    known = len(set(codes)) == len(codes) and all(code in REASONS for code in codes)
    if not known or (codes and answer is not Answer.NOT_SATISFIED):
        refuse("reasons")
    return answer, tuple(REASONS[code] for code in codes)


def shown_of(message: Any) -> str:
    """The number that a tablet shows, if any. INVALID_REQUEST."""
    if message.ticket and not _NUMBER.fullmatch(message.ticket):
        refuse("ticket")
    return str(message.ticket)


def ratings_of(message: index_pb2.Ratings) -> dict[str, int]:
    """All nine. INVALID_REQUEST names the one at fault."""
    found = {unsur: int(getattr(message, unsur)) for unsur in UNSUR}
    for unsur, rating in found.items():
        if rating not in RATINGS:
            refuse(f"ratings.{unsur}")
    return found


def profile_of(message: index_pb2.Profile) -> dict[str, str]:
    """What the respondent said. INVALID_REQUEST."""
    found = {}
    for question in questionnaire().profile:
        value = getattr(message, question.field)
        if value and value not in {option.value for option in question.options}:
            refuse(f"profile.{question.field}")
        if value:
            found[question.field] = value
    return found


def request(verb: str, message: Any, code: str, caller: str = "") -> Request:
    """The message as something that may be repeated; `caller` else the token's subject."""
    content = content_of(message)
    return Request(code, verb, message.request_id, caller or access.caller().subject, content)


async def period_of(message: Any, code: str, daybook: Daybook) -> list[str]:
    """The dates from `from` to `to`; none before the office's first day. INVALID_REQUEST."""
    last = message.to or await daybook.last(code)
    if not last and not getattr(message, "from"):
        return []
    return span(getattr(message, "from") or last, last, "from", "to")


def span(first: str, last: str, *names: str) -> list[str]:
    """The dates between two days. INVALID_REQUEST names the field at fault."""
    for value, name in zip((first, last), names, strict=True):
        if not _DAY.fullmatch(value):
            refuse(name)
    try:
        return dates(first, last)
    except ValueError:
        raise _refusal(names[0]) from None


def refuse(field: str) -> None:
    raise _refusal(field)


def _refusal(field: str) -> Problem:
    return Problem("INVALID_REQUEST", {"field": field})
