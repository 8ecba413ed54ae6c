"""Periods: the queue's days and the answers added up and compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.survey.model import Answer, DayRecord
from services.survey.periods import (
    MOST_DAYS,
    ROW,
    JoinedDay,
    QueueDay,
    before,
    change,
    dates,
    join,
    period,
    quantile,
)
from services.survey.tally import Tally

V, S, N = Answer
WEIGHED = st.lists(st.tuples(st.integers(0, 3600), st.integers(1, 50)), min_size=1)


def row(issued=0, completed=0, no_shows=0, calls=0, wait=0, service=0):
    return [issued, completed, no_shows, 0, 0, calls, wait, 2 * wait, service, 2 * service]


def joined_day(day, total, services, hours, counts=None, *, closed=True):
    return JoinedDay(DayRecord(day, closed, counts or {}), QueueDay(total, services, hours, {}))


def test_a_row_has_the_fields_of_the_queues_day_figures():
    from tunggu.queue.v1 import queue_pb2

    assert set(ROW) == set(queue_pb2.DayFigures.DESCRIPTOR.fields_by_name)


def test_counts_are_added_and_quantiles_are_the_median_weighed_by_tickets():
    rows = [row(10, 8, 1, 9, 60, 300), row(2, 1, 1, 2, 600, 60), row(20, 19, 0, 20, 120, 240)]
    whole = join(rows, Tally())
    assert whole.counts == (32, 28, 2, 0, 0, 31)
    assert whole.quantiles == (120, 240, 240, 480)
    assert whole.no_show_rate == pytest.approx(2 / 31)


def test_of_one_day_the_quantiles_are_its_own_and_of_nobody_there_are_none():
    assert join([row(3, 1, 0, 2, 77, 99)], Tally()).quantiles == (77, 154, 99, 198)
    nobody = join([row(3)], Tally())
    assert nobody.quantiles == (None,) * 4
    assert nobody.no_show_rate is None
    assert join([], Tally()).counts == (0,) * 6


@given(WEIGHED)
def test_half_of_the_tickets_belong_to_figures_at_or_under_a_quantile_and_half_to_those_above(
    weighed,
):
    found = quantile(weighed)
    assert found in {value for value, _ in weighed}
    half = sum(weight for _, weight in weighed) / 2
    assert sum(weight for value, weight in weighed if value <= found) >= half
    assert sum(weight for value, weight in weighed if value >= found) >= half


def test_a_period_joins_answers_and_queue_by_day_service_and_hour():
    counts = {"t:V": 2, "t:N": 1, "s:A:9:V": 2, "s:B:10:N": 1}
    first = joined_day(
        "2026-03-02", row(5, 4, 1, 5), {"A": row(3, 2, 1, 3), "B": row(2, 2, 0, 2)},
        {("A", 9): row(3, 2, 1, 3), ("B", 9): row(1, 1), ("B", 10): row(1, 1)}, counts,
    )  # fmt: skip
    second = joined_day(
        "2026-03-03", row(1, 1), {"A": row(1, 1)}, {("A", 9): row(1, 1)}, {"t:S": 1, "s:A:9:S": 1}
    )
    found = period([first, second])
    assert found.total.counts[:3] == (6, 5, 1)
    assert (found.total.answers.total, found.total.answers.favourable) == (4, 3)
    assert {day: its.answers.total for day, its in found.days.items()} == {
        "2026-03-02": 3,
        "2026-03-03": 1,
    }
    assert found.services["A"].counts[0] == 4
    assert found.services["A"].answers.answers[V] == 2
    nine = found.hours[9]
    assert (nine.counts[0], nine.answers.total, nine.answers.completed) == (5, 3, 4)
    assert found.service_hours["B", 10].answers.answers[N] == 1


def test_a_day_that_the_queue_cannot_tell_of_keeps_its_answers():
    found = period([JoinedDay(DayRecord("2026-03-02", False, {"t:V": 1, "s:A:9:V": 1}), None)])
    assert found.total.answers.total == 1
    assert found.total.answers.completed is None
    assert found.services["A"].answers.total == 1


def test_periods_are_compared_and_only_what_both_have():
    now = join([row(10, 8, 1, 9, 60, 300)], Tally({V: 27, N: 3}))
    then = join([row(20, 9, 3, 10, 90, 300)], Tally({V: 15, N: 15}))
    found = change(now, then)
    assert (found.issued, found.completed, found.wait_p50, found.wait_p90) == (-10, -1, -30, -60)
    assert found.favourable == pytest.approx(0.4)
    assert found.differs
    nothing = change(now, join([], Tally()))
    assert nothing.wait_p50 is nothing.favourable is nothing.interval is None
    assert not nothing.differs


def test_a_small_difference_of_few_answers_is_not_said_to_differ():
    few, other = join([], Tally({V: 4, N: 1})), join([], Tally({V: 3, N: 2}))
    assert not change(few, other).differs


def test_a_period_has_both_its_ends_and_at_most_400_days():
    assert dates("2026-02-27", "2026-03-02") == [
        "2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02",
    ]  # fmt: skip
    assert len(dates("2025-01-01", "2026-02-04")) == MOST_DAYS
    for wrong in (("2026-03-02", "2026-03-01"), ("2025-01-01", "2026-02-05"), ("2026-02-30", "x")):
        with pytest.raises(ValueError, match=r"."):
            dates(*wrong)


def test_the_period_before_is_of_the_same_length_and_ends_the_day_before():
    assert before("2026-03-02", 7) == ("2026-02-23", "2026-03-01")
