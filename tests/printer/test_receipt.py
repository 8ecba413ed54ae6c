"""The paper: number, words, code, cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageChops

from services.chassis.config import ConfigError
from services.printer.figure import figure
from services.printer.letters import plain
from services.printer.receipt import Paper, receipt
from services.printer.slip import read
from tests.printer.decoded import decoded
from tests.printer.slips import ORIGIN, wish

ROLL = Paper("default", "CP437", 576, 203)
NARROW = Paper("POS-5890", "CP437", 384, 203)
EPSON = Paper("TM-T88V", "CP437", 512, 180)
INK = 25.4  # mm an inch


def paper_of(paper=ROLL, **changed):
    return decoded(receipt(read(json.dumps(wish(**changed)).encode(), ORIGIN), paper))


def same(picture, other):
    return picture.size == other.size and ImageChops.difference(
        picture.convert("L"), ImageChops.invert(other.convert("L"))
    ).getbbox() is None  # fmt: skip


def test_a_slip_has_everything_that_the_screen_says_in_its_order():
    paper = paper_of()
    assert paper.lines == [
        "Kecamatan Makassar",
        "Senin, 2 Maret 2026, 10.05",
        "Nomor Anda",
        "Kartu Keluarga",
        "9 orang di depan Anda",
        "Perkiraan tunggu 45-80 menit",
        "Simpan struk ini. Pindai untuk mengikuti giliran",
        "di ponsel.",
        "Nomor dipanggil hanya menurut aturan yang diumumkan.",
    ]
    (picture,) = paper.pictures
    assert same(picture, figure("A012", 576, 203))
    assert not same(picture, figure("A021", 576, 203))
    assert paper.codes == [wish()["address"]]
    assert paper.cuts == 1
    assert paper.pages == [0]


@pytest.mark.parametrize("paper", [ROLL, NARROW, EPSON], ids=lambda paper: paper.profile)
@pytest.mark.parametrize("number", ["A001", "B111", "C1234", "Z999999"])
def test_each_digit_is_20_mm_high_at_least_and_fits_the_roll(paper, number):
    picture = figure(number, paper.width, paper.dpi)
    assert picture.width == paper.width
    dark = picture.convert("L").point(lambda light: 255 - light)
    left, _, right, _ = dark.getbbox()
    assert 0 < left < right < paper.width
    # The last digit alone, which is the last run of columns with ink.
    columns = [dark.crop((x, 0, x + 1, dark.height)).getbbox() is not None for x in range(right)]
    begin = max(x for x in range(right) if not columns[x]) + 1
    _, top, _, bottom = dark.crop((begin, 0, right, dark.height)).getbbox()
    assert (bottom - top) / paper.dpi * INK >= 20


def test_long_names_break_between_words_and_no_line_is_wider_than_the_roll():
    name = "Perubahan data kependudukan dan pencatatan sipil bagi penduduk pindah datang"
    for paper in (ROLL, NARROW):
        lines = paper_of(paper, service=name).lines
        assert name in " ".join(lines)
        assert max(map(len, lines[:-3])) <= paper.width // 12


def test_a_printer_without_codes_of_its_own_gets_the_code_as_a_picture():
    paper = paper_of(NARROW)
    assert paper.codes == []
    assert len(paper.pictures) == 2


def test_no_wait_leaves_no_empty_place():
    assert "" not in paper_of(wait="", promise="").text.strip("\n").split("\n\n\n")


def test_signs_that_the_printer_lacks_become_their_nearest_and_then_a_question_mark():
    has = str.isascii
    assert plain("“45–80” · Ča’…", has) == '"45-80" - Ca\'...'
    assert plain("ᨅᨔ 漢 é", has) == "?? ? e"
    assert plain("é", lambda one: one == "é") == "é"


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=100))
def test_no_name_is_ever_a_command(name):
    if name.isprintable() and name.strip():
        paper = paper_of(service=name)
        assert paper.cuts == 1
        assert len(paper.pictures) == len(paper.codes) == 1
        assert paper.pages == [0]


@pytest.mark.parametrize(
    ("paper", "word"),
    [(Paper("TM-T999", "CP437", 576, 203), "PROFILE"), (Paper("default", "CP1", 576, 203), "PAGE")],
)
def test_a_printer_or_a_page_that_nobody_knows_is_told_at_the_start(paper, word):
    with pytest.raises(ConfigError, match=word):
        paper.check()


def test_nothing_is_said_on_the_way(capfd):
    for paper in (ROLL, NARROW, EPSON):
        paper.check()
        paper_of(paper)
    assert capfd.readouterr() == ("", "")
