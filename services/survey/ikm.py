"""The official index: the arithmetic of PermenPANRB 14/2017, exact until the end.

NRR of an unsur = mean of its ratings; IKM = Σ(NRR × 1/9) × 25. The weight is exactly 1/9, not the
0,11 or 0,111 of printed forms. The bands have gaps at the third decimal, so the value is rounded
half up to 2 decimals first and banded then. Values are in hundredths, whole numbers. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from services.survey.model import cells_of
from services.survey.tally import LEAST

UNSUR = (
    "requirements", "procedure", "duration", "cost", "product",
    "competence", "behaviour", "facilities", "complaints",
)  # fmt: skip
"""U1 to U9 in the regulation's order; stored by these names."""

RATINGS = (1, 2, 3, 4)
WEIGHT = Fraction(1, len(UNSUR))
SCALE = 25

Counts = Mapping[str, tuple[int, ...]]
"""By unsur, how many gave 1, 2, 3, 4."""


class Band(Enum):
    """Mutu pelayanan; the value is the least index in hundredths."""

    A = 88_31
    B = 76_61
    C = 65_00
    D = 25_00


def half_up(value: Fraction) -> int:
    """In hundredths; of two equally near the greater."""
    return (value * 200 + 1).__floor__() // 2


def band(hundredths: int) -> Band:
    """ValueError outside of 25,00 to 100,00."""
    if not Band.D.value <= hundredths <= 100_00:
        raise ValueError(f"{hundredths} is no index")
    return next(each for each in Band if hundredths >= each.value)


def nrr(counts: Iterable[int]) -> Fraction:
    """The mean rating of one unsur."""
    given = tuple(counts)
    return Fraction(sum(r * n for r, n in zip(RATINGS, given, strict=True)), sum(given))


def index(counts: Counts) -> Fraction:
    """IKM, exact. ZeroDivisionError without respondents."""
    return sum((nrr(counts[unsur]) * WEIGHT for unsur in UNSUR), Fraction(0)) * SCALE


@dataclass(frozen=True, slots=True)
class Assessed:
    """Questionnaires of one service or of all."""

    respondents: int
    counts: Counts

    @property
    def shown(self) -> bool:
        return self.respondents >= LEAST


def assessed(days: Iterable[Mapping[str, int]]) -> dict[str, Assessed]:
    """Days' counts by service; the key "" is all of them together."""
    respondents: dict[str, int] = {"": 0}
    rated: dict[tuple[str, str, int], int] = {}
    for counts in days:
        for (service, *rating), count in cells_of(counts, "q"):
            for name in ("", service):
                if rating:
                    key = (name, rating[0], int(rating[1]))
                    rated[key] = rated.get(key, 0) + count
                else:
                    respondents[name] = respondents.get(name, 0) + count
    return {
        name: Assessed(
            total, {u: tuple(rated.get((name, u, r), 0) for r in RATINGS) for u in UNSUR}
        )
        for name, total in sorted(respondents.items())
    }


def profiles(days: Iterable[Mapping[str, int]]) -> dict[tuple[str, str], int]:
    """What at least LEAST respondents said of themselves, by field and value."""
    found: dict[tuple[str, str], int] = {}
    for counts in days:
        for (name, value), count in cells_of(counts, "p"):
            found[name, value] = found.get((name, value), 0) + count
    return {key: count for key, count in found.items() if count >= LEAST}


CHI_SQUARE, HALF, ERROR = Fraction(3841, 1000), Fraction(1, 2), Fraction(5, 100)
"""λ² of 1 degree of freedom at 95 %, P = Q, d: the constants of Krejcie and Morgan's table."""


def sample_size(population: int) -> int:
    """How many respondents the table asks for, rounded to the nearest. It is made for shares,
    while the index is a mean: a mean may need more."""
    if population <= 0:
        return 0
    spread = CHI_SQUARE * HALF * HALF
    needed = spread * population / (ERROR * ERROR * (population - 1) + spread)
    return int(half_up(needed / 100))
