"""The camat's page: figures that move, numbers stopped and given again, and only by who may."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.web.axe import AXE, violations
from tests.web.town import ATTACK, DAY, HOSTILE

QUIET = "73.71.13"  # Rappocini: nobody else's test comes here
RATED = "73.71.11"  # Biringkanaya: whose tablets answer
PATIENCE = 30_000
NAME = re.compile("Kecamatan Rappocini")


def open_dashboard(pages, town, code, role="SUPERVISOR", **settings):
    return pages.open(town.link(f"/dashboard/{code}", role, code), "desktop", **settings)


def day_of(page):
    """The running day's line: very satisfied, satisfied, not satisfied, answers, favourable."""
    cells = page.locator("#days-table tbody tr").last.locator("td")
    expect(cells).to_have_count(6)
    return cells


@pytest.fixture(scope="module")
def chart(browser, town):
    page = browser.new_context(base_url=town.url).new_page()
    page.goto("/")

    def run(work, value=None):
        code = "async (value) => { const m = await import('/web/-/dashboard/chart.js');"
        return page.evaluate(f"{code} return ({work})(m, value); }}", value)

    yield run
    page.context.close()


def tally(very, yes, no):
    answers = very + yes + no
    counts = zip(("verySatisfied", "satisfied", "notSatisfied"), (very, yes, no), strict=True)
    found = {kind: {"count": count} for kind, count in counts}
    interval = {"low": 0.5, "high": 0.9} if answers else {}
    return {
        "tally": found
        | {"answers": answers, "enoughAnswers": answers >= 30, "favourable": interval}
    }


def test_a_bar_is_as_high_as_its_shares_and_pale_without_enough_answers(chart):
    days = [tally(20, 10, 10), tally(1, 1, 0), tally(0, 0, 0)]
    size = {"width": 600, "height": 270}  # 200 from nought to all
    full, few, none = chart(f"(m, days) => m.stack(days, {json.dumps(size)})", days)
    assert [round(part["height"]) for part in full["parts"]] == [100, 50, 50]
    foot, middle, top = full["parts"]
    assert foot["y"] == pytest.approx(middle["y"] + middle["height"])
    assert middle["y"] == pytest.approx(top["y"] + top["height"])
    assert full["whisker"]["high"] < full["whisker"]["low"]
    assert [full["pale"], few["pale"], none["pale"]] == [False, True, True]
    assert none["parts"] == []
    assert none["whisker"] is None
    assert full["x"] + full["width"] < few["x"]
    assert few["x"] + few["width"] < none["x"]


def test_columns_stand_under_a_round_scale_and_no_figure_is_no_bar(chart):
    size = json.dumps({"width": 400, "height": 270})
    found = chart(f"(m, groups) => m.columns(groups, {size})", [[7, 70], [None, 3]])
    assert [mark["value"] for mark in found["marks"]] == [0, 20, 40, 60, 80]
    assert [round(bar["height"]) for bar in found["bars"][0]["bars"]] == [18, 175]
    assert found["bars"][1]["bars"][0]["height"] == 0
    assert chart("(m) => [0, 1, 4, 5, 41, 400, 401].map(m.step)") == [1, 1, 1, 2, 20, 100, 200]
    assert chart("(m) => [m.labelled(5, 600), m.labelled(60, 600)]") == [1, 6]


def test_a_tablets_answer_moves_the_graph_without_a_reload(pages, town):
    with town.desk(RATED) as desk:
        desk.at("1", "open")
        desk.served()
        page = open_dashboard(pages, town, RATED).page
        cells = day_of(page)
        expect(cells.nth(3)).to_have_text("0")
        assert page.locator("#days-graph rect").count() == 0
        page.evaluate("window.same = true")
        desk.press("1", "VERY_SATISFIED").raise_for_status()
        expect(cells.nth(0)).to_have_text("1", timeout=PATIENCE)
        expect(cells.nth(4)).to_have_text("belum cukup jawaban")
        expect(page.locator(f"#days-graph g.pale[data-day='{DAY}'] rect")).to_have_count(3)
        expect(page.locator("#now-verySatisfied")).to_have_text("1")
        expect(page.locator("#now-words")).to_contain_text("belum cukup jawaban")
        for number in range(30):
            desk.served()
            desk.press("1", "SATISFIED" if number else "NOT_SATISFIED").raise_for_status()
        expect(cells.nth(3)).to_have_text("31", timeout=PATIENCE)
        expect(cells.nth(4)).to_have_text(re.compile(r"^97\s?% \(84–99\s?%\)$"))
        expect(cells.nth(5)).to_have_text(re.compile(r"^100\s?%$"))
        expect(page.locator("#days-graph g.sure .whisker")).to_have_count(1)
        total = page.locator("#services-table tbody tr").last.locator("td")
        expect(total.nth(1)).to_have_text("31", timeout=PATIENCE)
        assert page.evaluate("window.same")
        words = page.locator("main").inner_text()
        assert "Kepuasan Cepat" in words
        assert not re.search(r"\bIKM\b|Mutu [A-D]\b", words)


def test_periods_are_chosen_compared_and_saved(pages, town, tmp_path: Path):
    page = open_dashboard(pages, town, RATED).page
    expect(page.locator("#period-said")).to_have_text(re.compile("24 Feb – 2 Mar: .*17 Feb – 23"))
    page.locator("#from").fill(DAY)
    page.locator("#compare-from").fill("2026-02-02")
    page.locator("#compare-to").fill("2026-02-02")
    page.get_by_role("button", name="Tampilkan").click()
    expect(page.locator("#period-said")).to_have_text(
        "2 Mar – 2 Mar: 1 hari layanan. Pembanding: 2 Feb – 2 Feb."
    )
    expect(page.locator("#compare-said")).to_contain_text("Belum cukup jawaban")
    expect(page.locator("#compare-table thead th")).to_have_count(4)
    page.locator("#service").select_option("A")
    expect(page.locator("#hours-table tbody th")).to_have_text(["10–11"])
    for button in ("Angka (CSV)", "Kepuasan Cepat (CSV)"):
        with page.expect_download() as download:
            page.get_by_text(button, exact=True).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
        assert {row["tanggal"] for row in rows} == {DAY}
    page.locator("#from").fill("2026-03-05")
    page.get_by_role("button", name="Tampilkan").click()
    expect(page.locator("#period-problem")).not_to_be_empty()
    expect(page.locator("#services-table td").first).to_be_visible()


def test_issuing_is_stopped_and_resumed_each_asked_twice(pages, town):
    with town.desk(QUIET) as desk:
        desk.take()
        page = open_dashboard(pages, town, QUIET).page
        phone = pages.open(f"/#{QUIET}").page
        page.get_by_role("button", name="Hentikan pengambilan nomor").click()
        page.get_by_label("keadaan darurat").check()
        page.get_by_role("button", name="Lanjut").click()
        sure = page.get_by_role("dialog", name=NAME)
        expect(sure).to_contain_text("keadaan darurat")
        page.evaluate(AXE)
        assert violations(page) == []
        sure.get_by_role("button", name="Batal").click()
        expect(sure).to_be_hidden()
        assert desk.get(f"{desk.office}/board").json()["notice"] == ""

        page.get_by_role("button", name="Hentikan pengambilan nomor").click()
        page.get_by_role("button", name="Lanjut").click()
        page.get_by_role("button", name="Ya, hentikan").click()
        expect(page.locator("#issuing-state")).to_contain_text("Dihentikan: keadaan darurat")
        expect(phone.locator("#office-notice")).to_contain_text("keadaan darurat")
        expect(page.locator("#audit")).to_contain_text(
            "Menghentikan pengambilan nomor", timeout=PATIENCE
        )
        page.get_by_role("button", name="Buka lagi pengambilan nomor").click()
        page.get_by_role("button", name="Ya, buka lagi").click()
        expect(page.locator("#issuing-state")).to_have_text("Nomor diberikan menurut jam layanan.")
        expect(phone.locator("#office-notice")).to_be_hidden()
        assert desk.take()["state"] == "WAITING"


def test_an_answer_that_is_lost_stops_nothing_twice(pages, town):
    """The gateway does it, the answer never arrives; the same wish is sent again."""
    context = pages.context("desktop")
    lost = []

    def lose(route):
        lost.append(route.request.headers["idempotency-key"])
        if len(lost) > 1:
            return route.continue_()
        route.fetch()
        return route.abort()

    context.route("**:stopIssuing", lose)
    with town.desk(QUIET) as desk:
        page = pages.within(context, town.link(f"/dashboard/{QUIET}", "SUPERVISOR", QUIET)).page
        page.get_by_role("button", name="Hentikan pengambilan nomor").click()
        page.get_by_role("button", name="Lanjut").click()
        page.get_by_role("button", name="Ya, hentikan").click()
        expect(page.locator("#issuing-problem")).to_be_hidden(timeout=PATIENCE)
        expect(page.get_by_role("button", name="Buka lagi")).to_be_enabled(timeout=PATIENCE)
        expect(page.locator("#issuing-state")).to_contain_text("listrik padam")
        assert len(lost) == 2
        assert len(set(lost)) == 1
        desk.post(f"{desk.office}:resumeIssuing", {}, "SUPERVISOR").raise_for_status()
        expect(page.locator("#issuing-state")).to_contain_text("menurut jam layanan")
        entries = desk.get(f"{desk.office}/audit", "SUPERVISOR").json()["entries"]
        assert [one["verb"] for one in entries[:2]] == ["ResumeIssuing", "StopIssuing"]


def test_another_role_sees_what_everyone_may_and_is_told_who_may_more(pages, town):
    for link in (
        town.link(f"/dashboard/{QUIET}", "OFFICER", QUIET),
        f"/dashboard/{QUIET}#token={town.token('SUPERVISOR', RATED)}",
    ):
        page = pages.open(link, "desktop").page
        expect(page.locator("#refused")).to_contain_text(f"SUPERVISOR di {QUIET}")
        expect(page.locator("#now-counters")).to_contain_text("dari 6")
        expect(page.locator("#issuing-who")).to_contain_text("Hanya kepala kantor")
        expect(page.locator("#private")).to_be_hidden()
        expect(page.locator("#stop")).to_be_hidden()


def test_on_paper_it_is_a_report_without_what_is_pressed(pages, town):
    page = open_dashboard(pages, town, RATED).page
    page.locator("#services-table td").first.wait_for()
    page.emulate_media(media="print")
    for one in ("#period", "#issuing", "#csv", "#audit", "header"):
        expect(page.locator(one)).to_be_hidden()
    for one in ("h1", "#days-table", "#services-table", "#days-graph svg"):
        expect(page.locator(one)).to_be_visible()


def test_what_the_offices_file_says_shows_as_text(pages, town):
    with town.desk(HOSTILE) as desk:
        desk.take()
    seen = open_dashboard(pages, town, HOSTILE)
    expect(seen.page.locator("h1")).to_contain_text(ATTACK)
    expect(seen.page.locator("#services-table tbody th").first).to_contain_text(ATTACK)
    assert seen.page.locator("img[src=x]").count() == 0
    assert seen.faults == []
