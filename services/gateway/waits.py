"""Numbers and waits as people write them, in the words of the pages' texts.

The same as web/core/time.js and i18n.js say where scripts run; a test holds them together.
"""

from collections.abc import Mapping
from math import ceil, floor

HOURS_FROM = 90  # minutes from which a wait is told in hours
SEPARATORS = {"id": str.maketrans(",.", ".,"), "en": {}}


def count(value: float, language: str) -> str:
    """`2.001` and `4,5`; `2,001` and `4.5` in English."""
    return f"{value:,}".removesuffix(".0").translate(SEPARATORS[language])


def wait(texts: Mapping[str, str], language: str, p50: int, p90: int) -> str:
    """A forecast (seconds) as a range, never more exact than it is."""
    low = _rounded(p50 / 60)
    high = max(_rounded(p90 / 60), low)
    if high <= 1:
        return texts["time.soon"]
    if low >= HOURS_FROM:
        return _hours(texts, language, _halves(low), _halves(high))
    if low == high:
        return _filled(texts["time.about"], language, {"n": low})
    return _filled(texts["time.range"], language, {"from": max(low, 1), "to": high})


def _hours(texts: Mapping[str, str], language: str, low: float, high: float) -> str:
    if low == high:
        return _filled(texts["time.aboutHours"], language, {"n": low})
    return _filled(texts["time.hours"], language, {"from": low, "to": high})


def _rounded(minutes: float) -> int:
    return ceil(minutes) if minutes < 10 else ceil(minutes / 5) * 5


def _halves(minutes: int) -> float:
    return floor(minutes / 30 + 0.5) / 2


def _filled(text: str, language: str, values: Mapping[str, float]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", count(value, language))
    return text
