"""The hall's kiosk: two touches to a number on paper, for whoever stands or sits before it."""

import re

from playwright.sync_api import expect

from tests.web.axe import AXE, violations
from tests.web.town import ATTACK, HOSTILE

PATIENCE = 60_000  # ms
PRINTS = """window.print = () => {
  const told = document.documentElement.dataset;
  told.printed = Number(told.printed ?? 0) + 1;
}"""
SMALL = """() => [...document.querySelectorAll("button, a[href]:not(.skip)")]
  .filter((one) => one.checkVisibility())
  .map((one) => [one.textContent, one.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 64 || height < 64)"""


def kiosk(pages, town, code, context=None, query=""):
    context = context or pages.context("tablet")
    context.add_init_script(PRINTS)
    seen = pages.within(context, f"/kiosk/{code}{query}#token={town.token('KIOSK', code)}")
    seen.page.locator("#services li").first.wait_for()
    return seen


def choose(page, service):
    page.locator(f".choice[value={service}]").click()
    expect(page.locator("#service")).to_be_visible()


def printed(page, times):
    expect(page.locator("html")).to_have_attribute("data-printed", str(times), timeout=PATIENCE)


def issues(desk, service):
    lines = desk.get(f"{desk.office}/days/2026-03-02/events").text.splitlines()
    return [line for line in lines if '"e":"issue"' in line and f'"s":"{service}"' in line]


def test_two_touches_are_a_number_on_paper(pages, town):
    with town.desk("73.71.14") as desk:
        seen = kiosk(pages, town, desk.code)
        page = seen.page
        choose(page, "E")
        expect(page.locator("#service-name")).to_be_focused()
        expect(page.locator("#requirements li")).not_to_have_count(0)
        page.get_by_role("button", name="Tidak, ambil nomor biasa").click()
        expect(page.locator("#number")).to_have_text("E001")
        expect(page.locator("#taken h1")).to_be_focused()
        expect(page.locator("#slip-ahead")).to_have_text("Anda berikutnya")
        expect(page.locator("#slip-service")).to_have_text("Informasi dan pengaduan")
        expect(page.locator("[aria-live=assertive]")).to_contain_text("E Nol Nol Satu")
        printed(page, 1)
        assert page.locator("#qr").evaluate("(image) => image.naturalWidth > 0")
        (leaf,) = issues(desk, "E")
        assert '"ch":"K"' in leaf
        assert '"l":"R"' in leaf
        page.get_by_role("button", name="Cetak lagi").click()
        printed(page, 2)
        page.get_by_role("button", name="Selesai").click()
        expect(page.locator("#services li").first).to_be_visible()
        assert page.locator("#qr").get_attribute("src") is None
        assert "E001" not in page.content()
        expect(page.locator("[aria-live=assertive]")).to_be_empty()
        choose(page, "E")
        page.get_by_role("button", name="Ya, nomor prioritas").click()
        expect(page.locator("#number")).to_have_text("E002")
        assert '"l":"P"' in issues(desk, "E")[1]
        assert seen.faults == []


COUNTS = """() => { window.print = () => {
  const told = document.documentElement.dataset;
  told.slips = `${told.slips ?? ""}[${document.querySelector("#number").textContent}]`;
}; }"""


def test_whoever_goes_before_the_code_is_there_leaves_no_paper_to_the_next(pages, town, desk):
    page = kiosk(pages, town, desk.code).page
    page.evaluate(COUNTS)
    page.route("**/qr.svg", lambda route: None)
    choose(page, "D")
    page.get_by_role("button", name="Tidak, ambil nomor biasa").click()
    expect(page.locator("#number")).not_to_be_empty()
    page.get_by_role("button", name="Selesai").click()
    page.unroute("**/qr.svg")
    choose(page, "D")
    page.get_by_role("button", name="Tidak, ambil nomor biasa").click()
    expect(page.locator("#number")).not_to_be_empty()
    number = page.locator("#number").inner_text()
    slips = page.locator("html")
    expect(slips).to_have_attribute("data-slips", re.compile(number), timeout=PATIENCE)
    assert slips.get_attribute("data-slips") == f"[{number}]"


def test_the_slip_fits_a_roll_of_80_mm(pages, town, desk):
    page = kiosk(pages, town, desk.code).page
    choose(page, "C")
    page.get_by_role("button", name="Tidak, ambil nomor biasa").click()
    printed(page, 1)
    paper = page.pdf(prefer_css_page_size=True)
    (size,) = re.findall(rb"/MediaBox \[\d+ \d+ ([\d.]+) ([\d.]+)\]", paper)
    width, height = (float(points) / 72 * 25.4 for points in size)
    assert (round(width), round(height)) == (80, 148)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 302, "height": 300})
    assert page.evaluate("document.documentElement.scrollHeight * 25.4 / 96") <= 148
    digit = page.locator("#number").evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)")
    assert digit * 25.4 / 96 * 0.72 >= 20  # a digit is 0.72 of the size
    expect(page.get_by_text("Simpan struk ini")).to_be_visible()
    for part in (".top", ".bottom", "#done"):
        expect(page.locator(part)).to_be_hidden()


def test_whoever_walks_away_leaves_nothing_and_is_told_before(pages, town):
    context = pages.context("tablet", language="en")
    context.clock.install()
    page = kiosk(pages, town, "73.71.04", context).page
    choose(page, "C")
    page.clock.run_for(52_000)
    expect(page.locator("#leaving")).to_be_visible()
    page.locator("#service-name").click()
    expect(page.locator("#leaving")).to_be_hidden()
    page.clock.run_for(62_000)
    expect(page.get_by_role("heading", name="Mau mengurus apa?")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "id")


def low(page):
    tops = [one.bounding_box()["y"] for one in page.locator("main button:visible").all()]
    assert tops
    assert min(tops) >= 960
    assert page.evaluate(SMALL) == []


def test_who_sits_reaches_everything_in_the_lower_half_and_nothing_is_small(pages, town, desk):
    page = kiosk(pages, town, desk.code).page
    page.set_viewport_size({"width": 1080, "height": 1920})
    assert page.evaluate(SMALL) == []
    page.get_by_role("button", name="Tombol di bawah").click()
    low(page)
    choose(page, "B")
    low(page)


def test_axe_finds_nothing_where_it_is_asked_and_where_the_number_stands(pages, town, desk):
    page = kiosk(pages, town, desk.code, pages.context("tablet", reduced_motion="reduce")).page
    page.evaluate(AXE)
    choose(page, "D")
    assert violations(page) == []
    page.get_by_role("button", name="Tidak, ambil nomor biasa").click()
    printed(page, 1)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []


def test_an_answer_that_is_lost_and_a_reload_give_one_number(pages, town):
    with town.desk("73.71.15") as desk:
        page = kiosk(pages, town, desk.code).page
        lost = "**/v1/kecamatan/73.71.15/tickets"
        page.route(lost, lambda route: (route.fetch(), route.abort("connectionreset")))
        choose(page, "D")
        page.get_by_role("button", name="Tidak, ambil nomor biasa").dblclick()
        expect(page.locator("#problem")).to_contain_text("Mohon tunggu sebentar")
        page.unroute(lost)
        page.reload()
        expect(page.locator("#number")).to_have_text("D001", timeout=PATIENCE)
        printed(page, 1)
        assert len(issues(desk, "D")) == 1


def test_a_stop_is_said_and_nothing_can_be_taken_until_it_ends(pages, town):
    with town.desk("73.71.01") as desk:
        desk.take("E")
        page = kiosk(pages, town, desk.code).page
        desk.post(f"{desk.office}:stopIssuing", {"reason": "POWER"}, "SUPERVISOR")
        try:
            expect(page.locator("#notice")).to_contain_text("listrik padam")
            expect(page.locator(".choice").first).to_have_attribute("aria-disabled", "true")
            page.locator(".choice").first.click(force=True)
            expect(page.locator("#service")).to_be_hidden()
        finally:
            desk.post(f"{desk.office}:resumeIssuing", {}, "SUPERVISOR")
        expect(page.locator("#notice")).to_be_hidden()


def test_hostile_names_show_as_text(pages, town):
    seen = kiosk(pages, town, HOSTILE)
    choose(seen.page, "B")
    expect(seen.page.locator("#service-name")).to_have_text(f"B {ATTACK}")
    expect(seen.page.locator("#requirements li").first).to_have_text(ATTACK)
    assert seen.page.locator("img[src=x]").count() == 0
    assert seen.faults == []
