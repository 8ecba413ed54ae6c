"""Each part of `make bench` still runs, with sizes that say nothing about speed."""

import pytest

from tests.conftest import missing
from tests.load import nchan, report
from tests.load.__main__ import BENCHES, settings
from tests.load.rows import Row, compared, markdown
from tests.load.sizes import Sizes

TINY = Sizes(
    rounds=1,
    seconds=0.3,
    connections=(1, 8),
    watchers=(20,),
    crowd=20,
    waiting=(10, 20),
    calls=5,
    steady=20.0,
)


@pytest.mark.parametrize("name", BENCHES)
async def test_a_bench_runs_and_fills_its_rows(name, tmp_path):
    if name == "fanout" and not nchan.installed():
        missing(nchan.REMEDY)
    rows = await BENCHES[name](TINY, tmp_path)
    assert rows
    assert all(row.what and row.value for row in rows)
    assert markdown(rows).count("\n") == len(rows) + 1


def test_a_ratio_is_the_median_of_the_rounds_and_not_of_the_medians():
    row = compared("x", [10, 40, 90], [10, 10, 30], least=2.5)
    assert (row.ratio, row.low, row.high) == (3, 1, 4)
    assert row.target == "≥ 2.5: yes"


def test_a_target_that_is_missed_is_said_to_be():
    assert compared("x", [2.0], [1.0], most=1.5).target == "≤ 1.5: NO"


def test_sizes_and_parts_are_chosen_by_name():
    chosen, given = settings(["BENCH=fanout,rush", "WATCHERS=50,10", "SECONDS=0.5"])
    assert chosen == ["rush", "fanout"]
    assert given == {"watchers": (10, 50), "seconds": 0.5}


@pytest.mark.parametrize("word", ["BENCH=rash", "SPEED=1", "ROUNDS=many"])
def test_what_is_not_understood_ends_with_one_line(word):
    with pytest.raises(SystemExit, match=f"bench: {word}"):
        settings([word])


def test_the_table_takes_the_place_of_the_last_one_and_of_nothing_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write_page(page, report.text([Row("x", "1")], {"commit": "abc"}))
    text = page.read_text()
    assert text.startswith(f"before\n{report.BEGIN}\n| measure")
    assert text.endswith(f"commit: abc\n{report.END}\nafter\n")
    assert "old" not in text
