"""What people read: the questionnaire, the tables and the printed report."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest

from services.survey import report, tables
from services.survey.chart import days_chart
from services.survey.ikm import RATINGS, UNSUR
from services.survey.model import Answer, Completed, DayRecord
from services.survey.periods import JoinedDay
from services.survey.questionnaire import questionnaire
from services.survey.tally import Tally
from services.survey.view import index, questions, satisfaction
from tests.survey.served import queue_day, row
from tunggu.survey.v1 import index_pb2

V, S, N = Answer
DAY, NEXT = "2026-03-02", "2026-03-03"


def many(answers, respondents=0, day=DAY):
    """A closed day with so many of each answer and as many respondents, all giving 3."""
    counts = {f"t:{a.value}": n for a, n in answers.items()}
    counts |= {f"s:A:9:{a.value}": n for a, n in answers.items()}
    if respondents:
        counts |= {"q:A": respondents} | {f"q:A:{unsur}:3": respondents for unsur in UNSUR}
    return DayRecord(day, True, counts, Completed(40, {"A": 40}, {"1": 40}))


def read(body):
    return list(csv.DictReader(io.StringIO(body.decode())))


def test_the_questionnaire_has_the_nine_unsur_in_order_with_four_options_each():
    asked = questionnaire().questions
    assert tuple(question.unsur for question in asked) == UNSUR
    assert [question.code for question in asked] == [f"U{n}" for n in range(1, 10)]
    assert all(len(set(question.options)) == len(RATINGS) for question in asked)
    assert not questionnaire().confirmed


def test_the_questionnaires_fields_are_those_of_the_contract():
    assert set(UNSUR) == set(index_pb2.Ratings.DESCRIPTOR.fields_by_name)
    fields = {question.field for question in questionnaire().profile}
    assert fields == set(index_pb2.Profile.DESCRIPTOR.fields_by_name)
    assert [q.unsur for q in questions(questionnaire()).questions] == list(range(1, 10))


def test_profile_values_can_stand_in_a_cell():
    for question in questionnaire().profile:
        assert all(re.fullmatch(r"[A-Z0-9_]+", option.value) for option in question.options)


def test_a_table_of_satisfaction_has_a_line_a_day_and_one_a_service():
    lines = read(tables.satisfaction([many({V: 27, N: 3})]))
    assert [(line["tanggal"], line["layanan"]) for line in lines] == [(DAY, "semua"), (DAY, "A")]
    first = lines[0]
    assert first["persen_puas_dan_sangat_puas"] == "90.0"
    assert (first["batas_bawah_persen"], first["batas_atas_persen"]) == ("74.4", "96.5")
    assert (first["tingkat_jawaban_persen"], first["cukup_jawaban"]) == ("75.0", "ya")


def test_a_table_leaves_empty_what_does_not_exist():
    (line,) = read(tables.satisfaction([DayRecord(DAY, False, {})]))
    empty = ("persen_puas_dan_sangat_puas", "dilayani", "tingkat_jawaban_persen")
    assert [line[name] for name in empty] == ["", "", ""]
    assert (line["jawaban"], line["cukup_jawaban"]) == ("0", "tidak")


def test_a_table_of_figures_has_lines_of_days_services_and_hours():
    lines = read(tables.figures([JoinedDay(many({V: 1}), queue_day(3))]))
    assert [(line["lingkup"], line["layanan"], line["jam"]) for line in lines] == [
        ("hari", "semua", ""), ("layanan", "A", ""), ("jam", "A", "9"),
    ]  # fmt: skip
    assert {line["dilayani"] for line in lines} == {"3"}
    assert {line["sangat_puas"] for line in lines} == {"1"}


def test_waits_of_nobody_are_left_empty_and_not_zero():
    day = queue_day(0)
    quiet = JoinedDay(many({}), type(day)(row(2), {}, {}, {}))
    (line,) = read(tables.figures([quiet]))
    assert (line["nomor_diambil"], line["tunggu_p50_detik"]) == ("2", "")


def test_a_table_of_the_index_ends_each_part_with_the_index():
    lines = read(tables.index([many({}, respondents=5)]))
    assert len(lines) == 20
    assert (lines[9]["unsur"], lines[9]["ikm"], lines[9]["mutu"]) == ("IKM", "75.00", "C")
    assert lines[0]["nilai_3"] == "5"


def test_of_fewer_than_five_respondents_only_their_number_is_told():
    lines = read(tables.index([many({}, respondents=4)]))
    assert [(line["layanan"], line["responden"], line["ikm"]) for line in lines] == [
        ("semua", "4", ""), ("A", "4", ""),
    ]  # fmt: skip
    shown = index("73.71.03", [DAY], [many({}, respondents=4)])
    assert shown.total.respondents == 4
    assert not shown.total.HasField("value")
    assert list(shown.total.unsur) == []


def test_an_index_comes_with_the_sample_that_its_population_asks_for():
    shown = index("73.71.03", [DAY], [many({}, respondents=36)])
    assert (shown.sample.population, shown.sample.required, shown.sample.enough) == (40, 36, True)
    assert (shown.total.value, shown.total.band) == (75.0, index_pb2.BAND_C)
    assert "rata-rata" in shown.sample.caveat


def test_three_buttons_are_never_called_an_index():
    shown = satisfaction("73.71.03", [DAY], [many({S: 40})])
    assert shown.name == "Kepuasan Cepat"
    assert "IKM" not in str(shown)
    quick, official = report.page("X", "73.71.03", [DAY], [many({S: 40})]).split("<h2>")[1:]
    assert quick.startswith("Kepuasan Cepat")
    assert quick.count("IKM") == 1
    assert "bukan Indeks Kepuasan Masyarakat (IKM)" in quick
    assert official.startswith("Indeks Kepuasan Masyarakat (IKM)")


class Page(HTMLParser):
    """Which elements a page has, and whether they are closed in order."""

    VOID = ("meta", "rect", "path", "circle")

    def __init__(self, text):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_report_is_one_sound_page_without_scripts_or_other_files():
    records = [many({V: 27, N: 3}, respondents=8), many({S: 3, N: 2}, day=NEXT)]
    text = report.page("Makassar & <b>", "73.71.03", [DAY, NEXT], records)
    page = Page(text)
    assert not {tag for tag, _ in page.seen} & {"script", "link", "img", "iframe", "object"}
    assert not [name for _, attrs in page.seen for name in attrs if name.startswith(("on", "src"))]
    assert "Kecamatan Makassar &amp; &lt;b&gt;" in text
    assert "2 Maret 2026 s.d. 3 Maret 2026" in text
    assert "74,4%–96,5%" in text
    assert "belum cukup jawaban" in text
    assert "Nilai IKM <strong>75,00</strong>" in text


def test_a_report_of_no_day_says_so():
    assert "Belum ada hari layanan" in report.page("X", "73.71.03", [], [])


@pytest.mark.parametrize("days", [1, 31, 366])
def test_a_graph_has_a_bar_for_each_day_with_answers(days):
    data = [
        (f"2026-{1 + i // 31:02}-{1 + i % 31:02}", Tally({V: 1, N: i % 2})) for i in range(days)
    ]
    chart = days_chart([*data, ("2027-12-31", Tally())])
    Page(chart)
    assert chart.count("<g") == days
    assert len(re.findall(r"<text[^>]*middle", chart)) <= 17
