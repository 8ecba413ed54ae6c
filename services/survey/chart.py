"""The days' graph as SVG: for each day one bar of three shares. Pure text, no scripts, no fonts.

The bars differ in pattern as well as in colour, so that they survive a black-and-white printer,
and each has its figures as a title. Days without enough answers are pale.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from services.survey.model import Answer
from services.survey.tally import Tally

WIDTH, HEIGHT = 720, 240  # user units of the whole
LEFT, TOP, BOTTOM = 40, 10, 54
TALL = HEIGHT - TOP - BOTTOM
LABELS = 16  # dates that fit under the axis
WORDS = {
    Answer.VERY_SATISFIED: "sangat puas",
    Answer.SATISFIED: "puas",
    Answer.NOT_SATISFIED: "tidak puas",
}
FILLS = {
    Answer.VERY_SATISFIED: "#1a7f4b",
    Answer.SATISFIED: "url(#puas)",
    Answer.NOT_SATISFIED: "url(#tidak)",
}
PATTERNS = (
    '<defs><pattern id="puas" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" fill="#9bd3b4"/><path d="M0 6 6 0" stroke="#1a7f4b"/></pattern>'
    '<pattern id="tidak" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" fill="#f3c6a5"/><circle cx="3" cy="3" r="1.2" fill="#a3450c"/>'
    "</pattern></defs>"
)


def days_chart(days: Sequence[tuple[str, Tally]]) -> str:
    """The whole graph; `days` by date, ascending."""
    step = (WIDTH - LEFT) / max(1, len(days))
    bars = "".join(_bar(i, step, day, tally) for i, (day, tally) in enumerate(days))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="grafik">'
        '<title id="grafik">Kepuasan Cepat per hari: bagian sangat puas, puas, dan tidak puas'
        f"</title>{PATTERNS}{_axis()}{bars}{_dates(days, step)}{_legend()}</svg>"
    )


def _legend() -> str:
    parts, y = [], HEIGHT - 14
    for i, (answer, word) in enumerate(WORDS.items()):
        x = LEFT + i * 120
        parts.append(f'<rect x="{x}" y="{y}" width="12" height="10" fill="{FILLS[answer]}"/>')
        parts.append(f'<text x="{x + 18}" y="{y + 9}">{word}</text>')
    return "".join(parts)


def _axis() -> str:
    lines = []
    for percent in (0, 50, 100):
        y = TOP + TALL * (100 - percent) / 100
        lines.append(f'<path d="M{LEFT} {y:g}H{WIDTH}" stroke="#bbb" stroke-width=".5"/>')
        lines.append(f'<text x="{LEFT - 4}" y="{y + 4:g}" text-anchor="end">{percent}%</text>')
    return "".join(lines)


def _bar(i: int, step: float, day: str, tally: Tally) -> str:
    if not tally.total:
        return ""
    x, width = LEFT + i * step + step * 0.1, step * 0.8
    top, parts = float(TOP), []
    for answer in reversed(Answer):  # tidak puas above, sangat puas at the foot
        high = TALL * tally.answers.get(answer, 0) / tally.total
        size = f'x="{x:.2f}" y="{top:.2f}" width="{width:.2f}" height="{high:.2f}"'
        parts.append(f'<rect {size} fill="{FILLS[answer]}"/>')
        top += high
    pale = "" if tally.enough else ' opacity=".35"'
    return f"<g{pale}><title>{escape(_said(day, tally))}</title>{''.join(parts)}</g>"


def _said(day: str, tally: Tally) -> str:
    counts = ", ".join(f"{tally.answers.get(answer, 0)} {WORDS[answer]}" for answer in Answer)
    return f"{day}: {counts}" + ("" if tally.enough else " (belum cukup jawaban)")


def _dates(days: Sequence[tuple[str, Tally]], step: float) -> str:
    each = -(-len(days) // LABELS) or 1
    return "".join(
        f'<text x="{LEFT + (i + 0.5) * step:.1f}" y="{TOP + TALL + 18}" text-anchor="middle">'
        f"{escape(day[8:])}/{escape(day[5:7])}</text>"
        for i, (day, _) in enumerate(days)
        if i % each == 0
    )
