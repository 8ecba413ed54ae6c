"""The War Room: who needs action now stands first, live, and nothing moves under a hand."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.town import ATTACK, HOSTILE, MAKASSAR, running

HERE = "73.71.10"  # Tamalate: nobody else's test comes here
PATIENCE = 30_000


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Of this file's own: what others have left in an office would be counted here."""
    with running(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture(scope="module")
def rank(browser, town):
    page = browser.new_context(base_url=town.url).new_page()
    page.goto("/")

    def run(work, value=None):
        code = "async (value) => { const m = await import('/web/-/war-room/rank.js');"
        return page.evaluate(f"{code} return ({work})(m, value); }}", value)

    yield run
    page.context.close()


def office(code, *, opened=True, waiting=0, counters=1, notice="", wait=None):
    forecast = {} if wait is None else {"forecast": {"p50Seconds": wait, "p90Seconds": wait * 2}}
    figures = {"waiting": waiting, "countersOpen": counters, "notice": notice}
    return {"code": code, "open": opened, **figures, **forecast}


MATTERS = {
    "UNSERVED": office("01", waiting=3, counters=0),
    "EMERGENCY": office("02", opened=False, notice="POWER"),
    "LONG": office("03", waiting=2, wait=3600),
    "STOPPED": office("04", opened=False, notice="FULL"),
    "UNMANNED": office("05", counters=0),
    "FLOWING": office("06", waiting=9, wait=3599),
    "CLOSED": office("07", opened=False, counters=0),
}


@pytest.mark.parametrize(("name", "one"), MATTERS.items(), ids=MATTERS)
def test_what_is_the_matter_with_an_office_has_one_name(rank, name, one):
    assert rank("(m, one) => m.matter(one)", one) == name


def test_the_order_is_by_what_is_the_matter_then_by_wait_line_and_code(rank):
    offices = list(MATTERS.values())
    assert rank("(m, all) => m.ranked(all.toReversed())", offices) == offices
    waits = [office("1", wait=60), office("2", wait=600), office("3", wait=60, waiting=5)]
    assert [one["code"] for one in rank("(m, all) => m.ranked(all)", waits)] == ["2", "3", "1"]


def test_stopped_with_people_waiting_and_nobody_there_is_most_pressing(rank):
    there = office("1", opened=False, waiting=2, counters=0, notice="DISASTER")
    assert rank("(m, one) => [m.matter(one), m.pressing(one)]", there) == ["UNSERVED", "act"]
    after = office("1", opened=False, waiting=2, counters=0)
    assert rank("(m, one) => [m.matter(one), m.pressing(one)]", after) == ["CLOSED", "calm"]


def row(page, code=HERE):
    return page.locator(f"#offices > li[data-key='{code}']")


def test_a_ticket_moves_the_row_and_a_counter_moves_it_back(pages, town):
    with town.desk(HERE) as desk:
        page = pages.open("/war-room", "desktop").page
        expect(page.locator("#offices > li")).to_have_count(15)
        page.evaluate("window.same = true")
        desk.take()
        here = row(page)
        expect(here.locator("[data-figure=waiting]")).to_have_text("1", timeout=PATIENCE)
        expect(here).to_contain_text("Ada yang menunggu, tidak ada loket buka")
        expect(page.locator("#said")).to_contain_text(re.compile(r"^\d+ kantor perlu"))
        expect(here).to_have_attribute("data-pressing", "act")
        first = page.locator("#offices > li").first
        expect(first).to_have_attribute("data-matter", "UNSERVED", timeout=PATIENCE)
        above = page.locator(f"#offices > li:not([data-matter=UNSERVED]) ~ [data-key='{HERE}']")
        expect(above).to_have_count(0, timeout=PATIENCE)
        desk.at("1", "open")
        desk.serve()
        expect(here.locator("[data-figure=served]")).to_have_text("1", timeout=PATIENCE)
        expect(here.locator("[data-figure=counters]")).to_have_text("1")
        expect(here).to_have_attribute("data-matter", "FLOWING")
        desk.post(f"{desk.office}:stopIssuing", {"reason": "POWER"}, "SUPERVISOR")
        expect(here).to_contain_text("Nomor dihentikan: listrik padam", timeout=PATIENCE)
        desk.post(f"{desk.office}:resumeIssuing", {}, "SUPERVISOR")
        expect(here).not_to_contain_text("dihentikan", timeout=PATIENCE)
        desk.at("1", "close")
        assert page.evaluate("window.same")


def test_nothing_changes_places_under_the_focus(pages, town):
    with town.desk(HERE) as desk:
        page = pages.open("/war-room", "desktop").page
        last = page.locator("#offices > li").last
        expect(page.locator("#offices > li")).to_have_count(15)
        page.mouse.move(0, 0)
        last.locator("a").focus()
        codes = "[...document.querySelectorAll('#offices > li')].map((one) => one.dataset.key)"
        before = page.evaluate(codes)
        ticket = desk.take()
        expect(row(page).locator("[data-figure=waiting]")).to_have_text("1", timeout=PATIENCE)
        expect(page.locator("#held")).to_be_visible(timeout=PATIENCE)
        assert page.evaluate(codes) == before
        page.evaluate("document.activeElement.blur()")
        expect(page.locator("#held")).to_be_hidden(timeout=PATIENCE)
        assert page.evaluate(codes) != before
        desk.post(f"/v1/tickets/{ticket['id']}:cancel", {}).raise_for_status()


def test_one_office_stands_beside_the_list_and_is_left_by_escape(pages, town):
    with town.desk(HERE) as desk:
        page = pages.open("/war-room", "desktop").page
        row(page).locator("a").click()
        expect(page.locator("#one-name")).to_have_text("Kecamatan Tamalate")
        expect(page.locator("#one-name")).to_be_focused()
        desk.at("1", "open")
        number = desk.take()["number"]
        desk.at("1", "callNext")
        expect(page.locator("#one-calls li").first).to_contain_text(number, timeout=PATIENCE)
        counter = page.locator("#one-counters li").first
        expect(counter).to_contain_text(f"{number} · Dipanggil")
        expect(page.locator("#one-dashboard")).to_have_attribute("href", f"/dashboard/{HERE}")
        desk.at("1", "start", ticket=number)
        desk.at("1", "complete", ticket=number)
        desk.at("1", "close")
        expect(counter).to_contain_text("Tutup", timeout=PATIENCE)
        page.keyboard.press("Escape")
        expect(page.locator("#one")).to_be_hidden()
        expect(row(page).locator("a")).to_be_focused()


def test_a_wall_shows_the_whole_city_without_scrolling(pages, town):
    for path in ("/war-room", f"/war-room#{MAKASSAR}"):
        page = pages.open(path, "wall").page
        expect(page.locator("#offices > li")).to_have_count(15)
        page.locator("#offices > li").last.wait_for()
        last = page.locator("#offices > li").last.bounding_box()
        assert last["y"] + last["height"] <= 1280
        assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") > 20


def test_a_token_leaves_the_address_and_shows_no_more_than_everyone_sees(pages, town):
    page = pages.open(town.link("/war-room", "WAR_ROOM", "*"), "desktop").page
    expect(page.locator("#offices > li")).to_have_count(15)
    assert "token" not in page.url
    words = page.locator("main").inner_text().lower()
    assert "puas" not in words.replace("kepuasan tidak diperingkatkan", "")
    assert "rtsp" not in page.content()


def test_what_the_offices_file_says_shows_as_text(pages, town):
    seen = pages.open(f"/war-room#{HOSTILE}", "desktop")
    expect(seen.page.locator("#one-name")).to_contain_text(ATTACK)
    expect(row(seen.page, HOSTILE).locator(".name")).to_contain_text(ATTACK)
    expect(seen.page.locator("#one-services li").first).to_contain_text(ATTACK)
    assert seen.page.locator("img[src=x]").count() == 0
    assert seen.faults == []
