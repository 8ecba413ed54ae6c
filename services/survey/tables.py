"""Figures as CSV (RFC 4180, UTF-8), with Indonesian column names for the offices' own sheets.

Shares are percentages with one decimal, a point before it; what does not exist is left empty.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from services.survey import ikm
from services.survey.interval import wilson
from services.survey.model import Answer, DayRecord, Reason
from services.survey.periods import (
    COMPLETED,
    COUNTS,
    QUANTILES,
    JoinedDay,
    Row,
)
from services.survey.questionnaire import questionnaire
from services.survey.tally import Tally, day_tally, hour_tallies, service_tallies

CONTENT_TYPE = "text/csv; charset=utf-8"
ALL = "semua"

ANSWER_COLUMNS = (
    "jawaban", "sangat_puas", "puas", "tidak_puas", "persen_puas_dan_sangat_puas",
    "batas_bawah_persen", "batas_atas_persen",
)  # fmt: skip
REASON_COLUMNS = {
    Reason.WAITING: "alasan_waktu",
    Reason.OFFICER: "alasan_petugas",
    Reason.REQUIREMENTS: "alasan_persyaratan",
    Reason.COST: "alasan_biaya",
    Reason.PLACE: "alasan_tempat",
}
ROW_COLUMNS = (
    "nomor_diambil", "dilayani", "tidak_hadir", "dibatalkan", "hangus", "dipanggil",
    "tunggu_p50_detik", "tunggu_p90_detik", "layanan_p50_detik", "layanan_p90_detik",
)  # fmt: skip

Cell = str | int | None


def satisfaction(records: Sequence[DayRecord]) -> bytes:
    """A line a day (`semua`) and one a service of it."""
    head = ["tanggal", "layanan", *ANSWER_COLUMNS, "dilayani", "tingkat_jawaban_persen"]
    head += ["cukup_jawaban", *REASON_COLUMNS.values()]
    return _table(head, (line for record in records for line in _satisfaction_of(record)))


def _satisfaction_of(record: DayRecord) -> Iterator[list[Cell]]:
    for name, counted in {ALL: day_tally(record), **service_tallies(record)}.items():
        rate = counted.response_rate
        reasons = [counted.reasons.get(reason, 0) for reason in REASON_COLUMNS]
        sure = "ya" if counted.enough else "tidak"
        yield [
            record.day, name, *_answers(counted), counted.completed, percent(rate), sure, *reasons,
        ]  # fmt: skip


def figures(days: Sequence[JoinedDay]) -> bytes:
    """A line a day, one a service of it, one an hour (of issue) of that."""
    head = ["tanggal", "lingkup", "layanan", "jam", *ROW_COLUMNS, *ANSWER_COLUMNS]
    return _table(head, (line for day in days for line in _figures_of(day)))


def _figures_of(day: JoinedDay) -> Iterator[list[Cell]]:
    date, queue = day.record.day, day.queue
    if queue is None:
        return
    yield [date, "hari", ALL, None, *_row(queue.total), *_answers(day_tally(day.record))]
    by_service, by_hour = service_tallies(day.record), hour_tallies(day.record)
    for code, row in queue.services.items():
        counted = by_service.get(code, Tally())
        yield [date, "layanan", code, None, *_row(row), *_answers(counted)]
    for (code, hour), row in sorted(queue.hours.items()):
        counted = Tally(by_hour.get((code, hour), {}), {}, row[COMPLETED])
        yield [date, "jam", code, hour, *_row(row), *_answers(counted)]


def _row(row: Row) -> list[Cell]:
    """Quantiles of nobody are left empty."""
    seconds = [row[at] if row[weight] else None for at, weight in QUANTILES]
    return [*row[:COUNTS], *seconds]


def index(records: Sequence[DayRecord]) -> bytes:
    """A line an unsur and one for the index, of the office (`semua`) and of each service; of fewer
    than 5 respondents only their number."""
    head = ["layanan", "unsur", "nama_unsur", "responden", "nilai_1", "nilai_2", "nilai_3"]
    head += ["nilai_4", "nrr", "ikm", "mutu"]
    found = ikm.assessed(record.counts for record in records)
    return _table(head, (line for name, its in found.items() for line in _index_of(name, its)))


def _index_of(service: str, assessed: ikm.Assessed) -> Iterator[list[Cell]]:
    name, people = service or ALL, assessed.respondents
    nothing: list[Cell] = [None] * 5
    if not assessed.shown:
        yield [name, "IKM", None, people, *nothing, None, None]
        return
    for question in questionnaire().questions:
        counts = assessed.counts[question.unsur]
        mean = hundredths(ikm.half_up(ikm.nrr(counts)))
        yield [name, question.code, question.name, people, *counts, mean, None, None]
    value = ikm.half_up(ikm.index(assessed.counts))
    yield [name, "IKM", None, people, *nothing, hundredths(value), ikm.band(value).name]


def _answers(counted: Tally) -> list[Cell]:
    ends = wilson(counted.favourable, counted.total) if counted.total else (None, None)
    favourable = counted.favourable / counted.total if counted.total else None
    buttons = [counted.answers.get(answer, 0) for answer in Answer]
    return [counted.total, *buttons, *(percent(value) for value in (favourable, *ends))]


def percent(value: float | None) -> str | None:
    return None if value is None else f"{value * 100:.1f}"


def hundredths(value: int) -> str:
    """`8176` → `81.76`"""
    return f"{value // 100}.{value % 100:02}"


def filename(name: str, code: str, dates: Sequence[str]) -> str:
    """`kepuasan-cepat_73.71.03_2026-03-02_2026-03-06.csv`"""
    return "_".join([name, code, *dates[:1], *dates[-1:]]) + ".csv"


def _table(head: Sequence[str], lines: Iterable[Sequence[Cell]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(lines)
    return text.getvalue().encode()
