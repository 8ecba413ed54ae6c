"""Counting answers: a day's tallies, what may be shown of a counter, a period's total. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.survey.model import Answer, DayRecord, Reason, cells_of

ENOUGH = 30
"""Answers under which shares and intervals say too little ("belum cukup jawaban")."""

LEAST = 5
"""Answers under which nothing is shown of a counter, and nothing but the count of an index."""

ANSWERS = {answer.value: answer for answer in Answer}


@dataclass(frozen=True, slots=True)
class Tally:
    """Answers by button; `completed` is None where it is not known."""

    answers: Mapping[Answer, int] = field(default_factory=dict)
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    completed: int | None = None

    @property
    def total(self) -> int:
        return sum(self.answers.values())

    @property
    def favourable(self) -> int:
        return self.total - self.answers.get(Answer.NOT_SATISFIED, 0)

    @property
    def enough(self) -> bool:
        return self.total >= ENOUGH

    @property
    def response_rate(self) -> float | None:
        """Answers ÷ completed; None where nobody was served. Never above 1: an answer may be seen
        a moment before the completion that it follows."""
        if not self.completed:
            return None
        return min(1.0, self.total / self.completed)


def day_tally(record: DayRecord) -> Tally:
    reasons: dict[Reason, int] = {}
    for (_, name), count in cells_of(record.counts, "r"):
        reasons[Reason(name)] = reasons.get(Reason(name), 0) + count
    answers = {answer: record.counts.get(f"t:{answer.value}", 0) for answer in Answer}
    return Tally(answers, reasons, record.completed.total if record.completed else None)


def service_tallies(record: DayRecord) -> dict[str, Tally]:
    """By service, those that served or were answered for."""
    answers, reasons = _by(record, "s"), _reasons(record)
    served = record.completed.services if record.completed else {}
    known = sorted(answers.keys() | {code for code, count in served.items() if count})
    return {
        code: Tally(
            answers.get(code, {}),
            reasons.get(code, {}),
            served.get(code, 0) if record.completed else None,
        )
        for code in known
    }


def hour_tallies(record: DayRecord) -> dict[tuple[str, int], Mapping[Answer, int]]:
    """By service and hour of issue."""
    found: dict[tuple[str, int], dict[Answer, int]] = {}
    for (service, hour, value), count in cells_of(record.counts, "s"):
        _add(found.setdefault((service, int(hour)), {}), value, count)
    return dict(found)


def counter_tallies(record: DayRecord) -> dict[str, Tally]:
    """By counter, those that may be shown."""
    answers = _by(record, "c")
    shown = shown_counters({code: sum(each.values()) for code, each in answers.items()})
    served = record.completed.counters if record.completed else {}
    return {
        code: Tally(answers[code], {}, served.get(code, 0) if record.completed else None)
        for code in sorted(shown)
    }


def shown_counters(answers: Mapping[str, int]) -> set[str]:
    """The counters of at least LEAST answers. The day's total is public: if what is left out came
    to fewer than LEAST answers, it could be reckoned, so the least of the others goes too."""
    shown = {code for code, count in answers.items() if count >= LEAST}
    left = sum(count for code, count in answers.items() if code not in shown)
    if shown and 0 < left < LEAST:
        shown.discard(min(shown, key=lambda code: (answers[code], code)))
    return shown


def together(tallies: Iterable[Tally]) -> Tally:
    """The sum; what was completed is known only if it is of all."""
    answers: dict[Answer, int] = dict.fromkeys(Answer, 0)
    reasons: dict[Reason, int] = {}
    completed: int | None = 0
    for tally in tallies:
        for answer, count in tally.answers.items():
            answers[answer] += count
        for reason, count in tally.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
        known = completed is not None and tally.completed is not None
        completed = completed + tally.completed if known else None  # type: ignore[operator]
    return Tally(answers, reasons, completed)


def _by(record: DayRecord, kind: str) -> dict[str, dict[Answer, int]]:
    """Answers by the first part of a kind of cells."""
    found: dict[str, dict[Answer, int]] = {}
    for (name, *_, value), count in cells_of(record.counts, kind):
        _add(found.setdefault(name, {}), value, count)
    return found


def _reasons(record: DayRecord) -> dict[str, dict[Reason, int]]:
    found: dict[str, dict[Reason, int]] = {}
    for (service, name), count in cells_of(record.counts, "r"):
        found.setdefault(service, {})[Reason(name)] = count
    return found


def _add(answers: dict[Answer, int], value: str, count: int) -> None:
    answer = ANSWERS[value]
    answers[answer] = answers.get(answer, 0) + count
