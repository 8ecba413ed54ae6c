"""What a day's cells come to, and what of it may be shown."""

from hypothesis import given
from hypothesis import strategies as st

from services.survey.model import (
    Answer,
    Completed,
    DayRecord,
    Reason,
    Served,
    answer_cells,
    assessment_cells,
)
from services.survey.tally import (
    LEAST,
    Tally,
    counter_tallies,
    day_tally,
    hour_tallies,
    service_tallies,
    shown_counters,
    together,
)

V, S, N = Answer
COUNTERS = st.dictionaries(st.sampled_from("12345678"), st.integers(0, 12))


def served(number="A001", service="A", counter="1", hour=9):
    return Served("73.71.03", "2026-03-02", number, service, counter, hour, 0)


def day(*answers, completed=None, closed=True):
    """A record of (answer, reasons, service, counter, hour) tuples."""
    counts = {}
    for answer, reasons, service, counter, hour in answers:
        for cell in answer_cells(answer, reasons, served("A001", service, counter, hour)):
            counts[cell] = counts.get(cell, 0) + 1
    return DayRecord("2026-03-02", closed, counts, completed)


def test_no_cell_names_a_ticket_or_crosses_a_counter_with_a_service_or_an_hour():
    cells = answer_cells(N, [Reason.COST, Reason.PLACE], served("A017", "A", "3", 14))
    assert cells == ["t:N", "s:A:14:N", "c:3:N", "r:A:COST", "r:A:PLACE"]


def test_a_questionnaire_is_counted_by_service_and_its_profile_apart_from_it():
    cells = assessment_cells({"cost": 4, "product": 2}, {"sex": "MALE"}, served(service="B"))
    assert cells == ["q:B", "q:B:cost:4", "q:B:product:2", "p:sex:MALE"]


def test_a_day_is_counted_in_all_by_service_by_hour_and_by_counter():
    record = day(
        (V, [], "A", "1", 9), (N, [Reason.COST], "A", "1", 10), (S, [], "B", "2", 9),
        completed=Completed(10, {"A": 4, "B": 6, "C": 0}, {"1": 4, "2": 6}),
    )  # fmt: skip
    whole = day_tally(record)
    assert (whole.total, whole.favourable, whole.completed) == (3, 2, 10)
    assert whole.response_rate == 0.3
    assert whole.reasons == {Reason.COST: 1}
    by_service = service_tallies(record)
    assert by_service["A"] == Tally({V: 1, N: 1}, {Reason.COST: 1}, 4)
    assert by_service["B"] == Tally({S: 1}, {}, 6)
    assert "C" not in by_service
    assert hour_tallies(record) == {("A", 9): {V: 1}, ("A", 10): {N: 1}, ("B", 9): {S: 1}}


def test_thirty_answers_are_enough_and_twenty_nine_are_not():
    assert Tally({V: 30}).enough
    assert not Tally({V: 29}).enough


def test_without_completions_there_is_no_response_rate():
    assert Tally({V: 1}, {}, 0).response_rate is None
    assert Tally({V: 1}, {}, None).response_rate is None


def test_a_response_rate_is_never_above_one():
    assert Tally({V: 3}, {}, 2).response_rate == 1.0


def test_a_counter_of_fewer_than_five_answers_is_not_shown():
    many = [(V, [], "A", counter, 9) for counter in "1112223333344444"]
    shown = counter_tallies(day(*many, completed=Completed(16, {"A": 16}, {"3": 5, "4": 6})))
    assert {code: (tally.total, tally.completed) for code, tally in shown.items()} == {
        "3": (5, 5),
        "4": (5, 6),
    }


def test_a_single_small_counter_cannot_be_reckoned_from_the_others():
    assert shown_counters({"1": 3, "2": 9, "3": 7}) == {"2"}
    assert shown_counters({"1": 3, "2": 9}) == set()
    assert shown_counters({"1": 0, "2": 9}) == {"2"}


@given(COUNTERS)
def test_what_is_left_out_is_nobodys_or_at_least_five_answers_together(answers):
    shown = shown_counters(answers)
    assert all(answers[code] >= LEAST for code in shown)
    left = sum(answers.values()) - sum(answers[code] for code in shown)
    assert left == 0 or left >= LEAST or not shown


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 40))))
def test_a_periods_tally_is_the_sum_of_its_days(days):
    whole = together(Tally({V: v, N: n}, {Reason.COST: n}, c) for v, n, c in days)
    assert whole.total == sum(v + n for v, n, _ in days)
    assert whole.completed == sum(c for _, _, c in days)
    assert whole.reasons.get(Reason.COST, 0) == sum(n for _, n, _ in days)


def test_what_a_period_completed_is_known_only_if_it_is_of_every_day():
    assert together([Tally({V: 1}, {}, 5), Tally({V: 1}, {}, None)]).completed is None
