"""The official index: exact until the end, rounded before it is banded."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.survey import ikm
from services.survey.ikm import RATINGS, UNSUR, Band

COUNTS = st.lists(st.integers(0, 500), min_size=4, max_size=4).filter(any)
SHEETS = st.lists(
    st.lists(st.sampled_from(RATINGS), min_size=9, max_size=9), min_size=1, max_size=40
)


def counted(sheets):
    """Questionnaires as counts by unsur."""
    columns = zip(*sheets, strict=True)
    return {
        unsur: tuple(column.count(r) for r in RATINGS)
        for unsur, column in zip(UNSUR, map(list, columns), strict=True)
    }


@pytest.mark.parametrize(
    ("thousandths", "printed", "band"),
    [(76_605, 76_61, Band.B), (88_305, 88_31, Band.A), (76_604, 76_60, Band.C),
     (88_304, 88_30, Band.B), (64_995, 65_00, Band.C), (64_994, 64_99, Band.D)],
)  # fmt: skip
def test_a_value_between_two_bands_is_rounded_half_up_before_it_is_banded(
    thousandths, printed, band
):
    value = ikm.half_up(Fraction(thousandths, 1000))
    assert (value, ikm.band(value)) == (printed, band)


@pytest.mark.parametrize(
    ("hundredths", "band"),
    [(25_00, "D"), (64_99, "D"), (65_00, "C"), (76_60, "C"), (76_61, "B"), (81_76, "B"),
     (88_30, "B"), (88_31, "A"), (100_00, "A")],
)  # fmt: skip
def test_the_bands_of_the_regulation(hundredths, band):
    assert ikm.band(hundredths).name == band


@pytest.mark.parametrize("hundredths", [24_99, 100_01])
def test_there_is_no_band_outside_of_25_and_100(hundredths):
    with pytest.raises(ValueError, match="no index"):
        ikm.band(hundredths)


@given(st.integers(0, 10**7))
def test_rounding_is_half_up_to_two_decimals(thousandths):
    exact = Decimal(thousandths) / 1000
    expected = exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert ikm.half_up(Fraction(thousandths, 1000)) == expected * 100


@pytest.mark.parametrize(("rating", "value"), [(1, 25_00), (2, 50_00), (3, 75_00), (4, 100_00)])
def test_one_rating_everywhere_gives_that_quarter_of_the_scale(rating, value):
    # With a printed weight of 0,111 the greatest value would be 99,9.
    counts = dict.fromkeys(UNSUR, tuple(7 * (r == rating) for r in RATINGS))
    assert ikm.half_up(ikm.index(counts)) == value


@given(SHEETS)
def test_the_index_is_the_plain_mean_of_all_ratings_times_25(sheets):
    ratings = [rating for sheet in sheets for rating in sheet]
    assert ikm.index(counted(sheets)) == Fraction(sum(ratings), len(ratings)) * 25


@given(SHEETS)
def test_an_index_has_a_band_and_lies_between_25_and_100(sheets):
    value = ikm.half_up(ikm.index(counted(sheets)))
    assert 25_00 <= value <= 100_00
    assert ikm.band(value).value <= value


@given(SHEETS, st.integers(0, 8))
def test_a_better_rating_never_lowers_the_index(sheets, at):
    better = [list(sheet) for sheet in sheets]
    better[0][at] = min(4, better[0][at] + 1)
    assert ikm.index(counted(better)) >= ikm.index(counted(sheets))


@given(COUNTS)
def test_a_mean_rating_lies_between_1_and_4(counts):
    assert 1 <= ikm.nrr(counts) <= 4


@pytest.mark.parametrize(
    ("population", "sample"),
    [(10, 10), (50, 44), (100, 80), (200, 132), (500, 217), (1000, 278), (2000, 322),
     (5000, 357), (0, 0), (1, 1)],
)  # fmt: skip
def test_the_sample_that_krejcie_and_morgans_table_asks_for(population, sample):
    assert ikm.sample_size(population) == sample


@given(st.integers(1, 10**6))
def test_a_sample_is_never_larger_than_its_population_nor_than_384(population):
    assert 0 < ikm.sample_size(population) <= min(population, 384)


def test_questionnaires_are_added_up_over_days_by_service_and_in_all():
    one = {"q:A": 2, "q:A:cost:4": 2, "q:B": 1, "q:B:cost:1": 1, "t:V": 9, "p:sex:MALE": 4}
    two = {"q:A": 4, "q:A:cost:3": 4, "p:sex:MALE": 1, "p:sex:FEMALE": 4}
    found = ikm.assessed([one, two])
    assert {name: its.respondents for name, its in found.items()} == {"": 7, "A": 6, "B": 1}
    assert found[""].counts["cost"] == (1, 0, 4, 2)
    assert found["A"].counts["cost"] == (0, 0, 4, 2)
    assert [name for name, its in found.items() if its.shown] == ["", "A"]


def test_of_respondents_only_what_five_have_in_common_is_told():
    days = [{"p:sex:MALE": 4, "p:age:FROM_30": 2}, {"p:sex:MALE": 1, "p:sex:FEMALE": 4}]
    assert ikm.profiles(days) == {("sex", "MALE"): 5}
