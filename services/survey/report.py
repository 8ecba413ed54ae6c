"""The printable report of a period, in Indonesian: one HTML page without scripts or other files.

Kepuasan Cepat and the official index stand in sections of their own, each under its own name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from services.survey import ikm, view
from services.survey.chart import days_chart
from services.survey.interval import wilson
from services.survey.model import NAME, Answer, DayRecord, Reason
from services.survey.questionnaire import questionnaire
from services.survey.tables import hundredths
from services.survey.tally import ENOUGH, LEAST, Tally, day_tally, together

CONTENT_TYPE = "text/html; charset=utf-8"
MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni",
    "Juli", "Agustus", "September", "Oktober", "November", "Desember",
)  # fmt: skip
BANDS = {
    ikm.Band.A: "Sangat Baik",
    ikm.Band.B: "Baik",
    ikm.Band.C: "Kurang Baik",
    ikm.Band.D: "Tidak Baik",
}
REASONS = {
    Reason.WAITING: "waktu tunggu",
    Reason.OFFICER: "petugas",
    Reason.REQUIREMENTS: "persyaratan",
    Reason.COST: "biaya",
    Reason.PLACE: "tempat",
}
STYLE = (
    "body{font:11pt/1.4 system-ui,sans-serif;max-width:50em;margin:2em auto;padding:0 1em;"
    "color:#111;background:#fff}h1{font-size:1.5em}h2{font-size:1.2em;margin-top:2em}"
    "table{border-collapse:collapse;width:100%;font-size:.9em}caption{text-align:left}"
    "th,td{border-bottom:1px solid #bbb;padding:.25em .4em;text-align:right}"
    "th:first-child,td:first-child{text-align:left}.few{color:#767676}td{white-space:nowrap}"
    "svg{width:100%;height:auto;font-size:10px}thead{display:table-header-group}"
    "@media screen{.wide{overflow-x:auto}}"
    "@media print{body{margin:0;max-width:none}tr,svg{break-inside:avoid}}"
)


def page(office: str, code: str, dates: Sequence[str], records: Sequence[DayRecord]) -> str:
    """`office` is the name without the word Kecamatan."""
    title = f"Laporan Kepuasan Kecamatan {office}"
    return (
        f'<!doctype html><html lang="id"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1><p>{escape(_span(dates))} · kode {escape(code)}</p>"
        f"{_quick(records)}{_index(records)}</body></html>\n"
    )


# Kepuasan Cepat -----------------------------------------------------------------------------------


def _quick(records: Sequence[DayRecord]) -> str:
    days = [(record.day, day_tally(record)) for record in records]
    whole = together(tally for _, tally in days)
    about = (
        f"{NAME} dihitung dari satu pertanyaan dengan tiga tombol setelah dilayani. Warga menjawab "
        f"atas kemauan sendiri. Angka ini bukan Indeks Kepuasan Masyarakat (IKM). Hari dengan "
        f"kurang dari {ENOUGH} jawaban ditandai *: belum cukup jawaban."
    )
    lines = [_line(date_text(day), tally) for day, tally in days]
    table = _table(
        "Jawaban per hari",
        ["Tanggal", "Sangat puas", "Puas", "Tidak puas", "Jawaban", "Puas dan sangat puas",
         "Selang 95%", "Dilayani", "Tingkat jawaban"],
        [*lines, _line("Seluruh periode", whole)],
    )  # fmt: skip
    chart = days_chart(days) if whole.total else ""
    return f"<h2>{NAME}</h2><p>{about}</p>{chart}{table}{_reasons(whole)}"


def _line(name: str, tally: Tally) -> str:
    counts = [str(tally.answers.get(answer, 0)) for answer in Answer]
    served = "–" if tally.completed is None else str(tally.completed)
    rate = tally.response_rate
    cells = [name, *counts, str(tally.total), *_shares(tally), served]
    cells.append("–" if rate is None else _percent(rate))
    return _row(cells, "" if tally.enough else "few")


def _shares(tally: Tally) -> tuple[str, str]:
    if not tally.total:
        return "–", "–"
    low, high = wilson(tally.favourable, tally.total)
    share = _percent(tally.favourable / tally.total)
    if not tally.enough:
        share += " *"
    return share, f"{_percent(low)}–{_percent(high)}"


def _reasons(tally: Tally) -> str:
    given = [f"{REASONS[r]} {tally.reasons[r]}" for r in Reason if tally.reasons.get(r)]
    if not given:
        return ""
    return f"<p>Alasan tidak puas yang disebut: {escape(', '.join(given))}.</p>"


# The index ----------------------------------------------------------------------------------------


def _index(records: Sequence[DayRecord]) -> str:
    found = ikm.assessed(record.counts for record in records)[""]
    head = f"<h2>{view.INDEX_NAME}</h2>"
    data, advice = questionnaire(), view.sample(records)
    wording = "" if data.confirmed else ", rumusan pertanyaan belum dikonfirmasi Pemerintah Kota"
    about = (
        f"Kuesioner sembilan unsur menurut {data.source} (versi {data.version}{wording}). "
        f"Responden: {found.respondents}. Penerima layanan: {advice.population}; jumlah "
        f"responden menurut tabel Krejcie dan Morgan: {advice.required}"
        f"{'' if advice.enough else ' (belum tercapai)'}. {advice.caveat}"
    )
    if not found.shown:
        few = f"Nilai tidak ditampilkan untuk kurang dari {LEAST} responden."
        return f"{head}<p>{escape(about)}</p><p>{few}</p>"
    return f"{head}<p>{escape(about)}</p>{_value(found)}{_unsur(found)}"


def _value(assessed: ikm.Assessed) -> str:
    value = ikm.half_up(ikm.index(assessed.counts))
    band = ikm.band(value)
    return (
        f"<p>Nilai IKM <strong>{_comma(hundredths(value))}</strong>, mutu pelayanan "
        f"<strong>{band.name}</strong> ({BANDS[band]}).</p>"
    )


def _unsur(assessed: ikm.Assessed) -> str:
    lines = []
    for question in questionnaire().questions:
        counts = assessed.counts[question.unsur]
        mean = _comma(hundredths(ikm.half_up(ikm.nrr(counts))))
        lines.append(_row([f"{question.code} {question.name}", *map(str, counts), mean]))
    columns = ["Unsur", "Nilai 1", "Nilai 2", "Nilai 3", "Nilai 4", "Nilai rata-rata"]
    return _table("Nilai rata-rata (NRR) per unsur", columns, lines)


# Text ---------------------------------------------------------------------------------------------


def _span(dates: Sequence[str]) -> str:
    if not dates:
        return "Belum ada hari layanan"
    if len(dates) == 1:
        return date_text(dates[0])
    return f"{date_text(dates[0])} s.d. {date_text(dates[-1])}"


def date_text(day: str) -> str:
    """`2 Maret 2026`"""
    return f"{int(day[8:])} {MONTHS[int(day[5:7]) - 1]} {day[:4]}"


def _percent(value: float) -> str:
    return _comma(f"{value * 100:.1f}%")


def _comma(number: str) -> str:
    """As Indonesian writes decimals."""
    return number.replace(".", ",")


def _table(caption: str, columns: Iterable[str], lines: Iterable[str]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    name = escape(caption)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{name}">'
        f"<table><caption>{name}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _row(cells: Sequence[str], kind: str = "") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f"<tr{mark}>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
