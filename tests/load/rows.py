"""The table: what was measured, beside what, and the ratio that has a target."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`ratio` is value ÷ beside; `most` and `least` are its target, 0 = none.

    `low` and `high` are the least and the greatest ratio of a round.
    """

    what: str
    value: str
    beside: str = ""
    ratio: float = 0.0
    low: float = 0.0
    high: float = 0.0
    least: float = 0.0
    most: float = 0.0

    @property
    def target(self) -> str:
        """The target and whether it is met, as text."""
        if self.least:
            return f"≥ {self.least:g}: " + ("yes" if self.ratio >= self.least else "NO")
        if self.most:
            return f"≤ {self.most:g}: " + ("yes" if self.ratio <= self.most else "NO")
        return ""

    @property
    def cells(self) -> list[str]:
        ratio = f"{self.ratio:.2f}" if self.ratio else ""
        if self.high:
            ratio += f" ({self.low:.2f}–{self.high:.2f})"
        return [self.what, self.value, self.beside, ratio, self.target]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def compared(
    what: str,
    values: Sequence[float],
    beside: Sequence[float],
    *,
    form: str = "{:,.0f}",
    name: str = "",
    least: float = 0.0,
    most: float = 0.0,
) -> Row:
    """Round by round; `form` writes a value, `name` says what stands beside."""
    ratios = [a / b for a, b in zip(values, beside, strict=True)]
    return Row(
        what,
        form.format(median(values)),
        f"{name} {form.format(median(beside))}".strip(),
        median(ratios),
        min(ratios),
        max(ratios),
        least,
        most,
    )


HEAD = ["measure", "median", "beside it", "ratio (least–greatest)", "target"]


def markdown(rows: Sequence[Row]) -> str:
    """Aligned, so that it reads well in a terminal too."""
    table = [HEAD, *(row.cells for row in rows)]
    widths = [max(len(cells[i]) for cells in table) for i in range(len(HEAD))]
    lines = ["| " + " | ".join(_padded(cells, widths)) + " |" for cells in table]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
