"""Records, tallies and periods as messages. The one place that decides what an answer shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from services.survey import ikm
from services.survey.interval import wilson
from services.survey.model import NAME, Answer, DayRecord, Reason
from services.survey.periods import COUNTS, ROW, Change, Joined, Period
from services.survey.questionnaire import Questionnaire, questionnaire
from services.survey.store import Recorded
from services.survey.tally import (
    Tally,
    counter_tallies,
    day_tally,
    service_tallies,
    together,
)
from tunggu.survey.v1 import figures_pb2, index_pb2, survey_pb2, tally_pb2

INDEX_NAME = "Indeks Kepuasan Masyarakat (IKM)"
CAVEAT = (
    "Tabel Krejcie dan Morgan dibuat untuk proporsi, sedangkan IKM adalah rata-rata; jumlah yang "
    "diperlukan dapat lebih besar. Responden mengisi atas kemauan sendiri dan tidak diacak."
)
ANSWERS = {
    Answer.VERY_SATISFIED: tally_pb2.ANSWER_VERY_SATISFIED,
    Answer.SATISFIED: tally_pb2.ANSWER_SATISFIED,
    Answer.NOT_SATISFIED: tally_pb2.ANSWER_NOT_SATISFIED,
}
REASONS = {reason: tally_pb2.ReasonCode.Value(f"REASON_CODE_{reason.value}") for reason in Reason}
BUTTONS = {
    "very_satisfied": Answer.VERY_SATISFIED,
    "satisfied": Answer.SATISFIED,
    "not_satisfied": Answer.NOT_SATISFIED,
}

# Kepuasan Cepat -----------------------------------------------------------------------------------


def response(recorded: Recorded) -> survey_pb2.Response:
    served = recorded.served
    return survey_pb2.Response(
        kecamatan=served.code,
        service_day=served.day,
        number=served.number,
        service=served.service,
        answer=ANSWERS[recorded.answer],
        reasons=[REASONS[reason] for reason in recorded.reasons],
        answered_at=timestamp(recorded.first_at),
        change_until=timestamp(recorded.change_until),
    )


def tally(counted: Tally) -> tally_pb2.Tally:
    message = tally_pb2.Tally(
        answers=counted.total,
        enough_answers=counted.enough,
        favourable=share(counted.favourable, counted.total),
        reasons=[
            tally_pb2.ReasonCount(reason=REASONS[reason], count=counted.reasons[reason])
            for reason in Reason
            if counted.reasons.get(reason)
        ],
    )
    for name, answer in BUTTONS.items():
        getattr(message, name).CopyFrom(share(counted.answers.get(answer, 0), counted.total))
    if counted.completed is not None:
        message.completed = counted.completed
    if counted.response_rate is not None:
        message.response_rate = round(counted.response_rate, 4)
    return message


def share(count: int, of: int) -> tally_pb2.Share:
    """Rounded to 4 decimals; without answers only the count."""
    if not of:
        return tally_pb2.Share(count=count)
    low, high = wilson(count, of)
    return tally_pb2.Share(
        count=count, share=round(count / of, 4), low=round(low, 4), high=round(high, 4)
    )


def satisfaction(
    code: str,
    dates: Sequence[str],
    records: Sequence[DayRecord],
    *,
    by_service: bool = False,
    by_counter: bool = False,
) -> survey_pb2.Satisfaction:
    tallies = [day_tally(record) for record in records]
    message = survey_pb2.Satisfaction(name=NAME, kecamatan=code, total=tally(together(tallies)))
    _set_ends(message, dates)
    for record, counted in zip(records, tallies, strict=True):
        day = message.days.add(service_day=record.day, closed=record.closed, total=tally(counted))
        if by_service:
            for service, its in service_tallies(record).items():
                day.services.add(service=service, total=tally(its))
        if by_counter:
            for counter, its in counter_tallies(record).items():
                day.counters.add(counter=counter, total=tally(its))
    return message


# The index ----------------------------------------------------------------------------------------


def questions(data: Questionnaire) -> index_pb2.Questionnaire:
    message = index_pb2.Questionnaire(
        version=data.version, source=data.source, confirmed=data.confirmed
    )
    for q in data.questions:
        message.questions.add(
            unsur=unsur(q.unsur), code=q.code, name=q.name, text=q.text, options=q.options
        )
    for p in data.profile:
        asked = message.profile.add(field=p.field, text=p.text)
        for option in p.options:
            asked.options.add(value=option.value, text=option.text)
    return message


def unsur(name: str) -> index_pb2.Unsur:
    return index_pb2.Unsur.Value(f"UNSUR_{name.upper()}")  # type: ignore[return-value]


def index(code: str, dates: Sequence[str], records: Sequence[DayRecord]) -> index_pb2.Index:
    counts = [record.counts for record in records]
    found = ikm.assessed(counts)
    message = index_pb2.Index(
        name=INDEX_NAME,
        kecamatan=code,
        total=index_figures(found.pop("")),
        sample=sample(records),
    )
    _set_ends(message, dates)
    for service, its in found.items():
        message.services.add(service=service, total=index_figures(its))
    for (field, value), count in sorted(ikm.profiles(counts).items()):
        message.profile.add(field=field, value=value, count=count)
    return message


def index_figures(assessed: ikm.Assessed) -> index_pb2.IndexFigures:
    message = index_pb2.IndexFigures(respondents=assessed.respondents)
    if assessed.shown:
        value = ikm.half_up(ikm.index(assessed.counts))
        message.value = value / 100
        message.band = index_pb2.Band.Value(f"BAND_{ikm.band(value).name}")
        for question in questionnaire().questions:
            counts = assessed.counts[question.unsur]
            mean = ikm.half_up(ikm.nrr(counts)) / 100
            message.unsur.add(
                unsur=unsur(question.unsur), code=question.code, nrr=mean, counts=counts
            )
    return message


def sample(records: Sequence[DayRecord]) -> index_pb2.SampleAdvice:
    population = sum(record.completed.total for record in records if record.completed)
    respondents = ikm.assessed(record.counts for record in records)[""].respondents
    required = ikm.sample_size(population)
    return index_pb2.SampleAdvice(
        population=population,
        required=required,
        respondents=respondents,
        enough=respondents >= required > 0,
        caveat=CAVEAT,
    )


# The camat's figures ------------------------------------------------------------------------------


def period(dates: Sequence[str], found: Period) -> figures_pb2.Period:
    message = figures_pb2.Period(service_days=len(found.days), total=joined(found.total))
    _set_ends(message, dates)
    for code, its in found.services.items():
        service = message.services.add(service=code, total=joined(its))
        for (of, hour), cell in found.service_hours.items():
            if of == code:
                service.hours.add(hour=hour, figures=joined(cell))
    for hour, its in found.hours.items():
        message.hours.add(hour=hour, figures=joined(its))
    for day, its in found.days.items():
        message.days.add(service_day=day, closed=found.closed[day], figures=joined(its))
    return message


def joined(figures: Joined) -> figures_pb2.JoinedFigures:
    counts: Mapping[str, int] = dict(zip(ROW[:COUNTS], figures.counts, strict=True))
    seconds = {
        name: value
        for name, value in zip(ROW[COUNTS:], figures.quantiles, strict=True)
        if value is not None
    }
    message = figures_pb2.JoinedFigures(**counts, **seconds, answers=tally(figures.answers))
    if figures.no_show_rate is not None:
        message.no_show_rate = round(figures.no_show_rate, 4)
    return message


def changed(found: Change) -> figures_pb2.Change:
    message = figures_pb2.Change(issued=found.issued, completed=found.completed)
    if found.no_show_rate is not None:
        message.no_show_rate = round(found.no_show_rate, 4)
    if found.wait_p50 is not None and found.wait_p90 is not None:
        message.wait_p50_seconds, message.wait_p90_seconds = found.wait_p50, found.wait_p90
    if found.favourable is not None and found.interval is not None:
        message.favourable = round(found.favourable, 4)
        message.favourable_low, message.favourable_high = (round(end, 4) for end in found.interval)
        message.favourable_differs = found.differs
    return message


def timestamp(ms: int) -> Timestamp | None:
    """None for 0."""
    if not ms:
        return None
    stamp = Timestamp()
    stamp.FromMilliseconds(ms)
    return stamp


def _set_ends(message: Any, dates: Sequence[str]) -> None:
    """`from` is a word of Python's and can be written neither as a keyword nor as a name."""
    if dates:
        setattr(message, "from", dates[0])
        message.to = dates[-1]
