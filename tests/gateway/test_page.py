"""The plain page at `/` in a real browser: a number taken, followed, kept, given back."""

from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.conftest import missing
from tests.gateway.stack import Stack

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        missing("the page test needs Debian's chromium: make browser")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def page(stack, browser):
    stack.do(stack.fake.forget())
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.faults = []
    page.on("console", lambda message: page.faults.append(message.text))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    yield page
    context.close()


def open_office(page, stack, language="id"):
    page.goto(f"{stack.url}/?lang={language}")
    page.get_by_role("link", name="Makassar").click()
    expect(page.get_by_role("heading", name="Kecamatan Makassar")).to_be_visible()


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_citizen_takes_a_number_follows_it_keeps_it_and_gives_it_back(stack, page):
    for _ in range(2):
        stack.do(stack.fake.walk_in())
    open_office(page, stack)
    page.get_by_role("button", name="A · Kependudukan").click()
    mine = page.locator("#mine article")
    expect(mine).to_contain_text("A003")
    expect(mine).to_contain_text("2 orang sebelum Anda")
    expect(mine).to_contain_text("15–45 menit")
    expect(page.locator("#lines")).to_contain_text("A001, A002, A003")
    assert fits(page)

    stack.do(stack.fake.call_next("1"))
    expect(mine).to_contain_text("1 orang sebelum Anda")
    mine.get_by_role("button", name="Saya sudah di sini").click()
    expect(mine).to_contain_text("sudah di tempat")

    page.reload()
    expect(mine).to_contain_text("A003")
    page.get_by_role("button", name="A · Kependudukan").click()
    expect(page.locator("#problem")).to_be_hidden()
    expect(mine).to_have_count(2)

    for _ in range(2):
        stack.do(stack.fake.call_next("2"))
    expect(mine.first).to_contain_text("Silakan ke loket 2")
    assert fits(page)
    mine.last.get_by_role("button", name="Batalkan nomor").click()
    expect(mine.last).to_contain_text("Dibatalkan")
    mine.last.get_by_role("button", name="Hapus").click()
    expect(mine).to_have_count(1)
    assert page.faults == []


def test_the_page_speaks_english_and_asks_for_the_priority_lane(stack, page):
    open_office(page, stack, "en")
    page.get_by_label("Priority: elderly, disabled, pregnant").check()
    page.get_by_role("button", name="B · Perizinan").click()
    expect(page.locator("#mine article")).to_contain_text("0 ahead of you")
    assert [ticket.lane for ticket in stack.fake.tickets.values()] == [2]
    assert page.faults == []


def test_a_refusal_is_shown_in_the_pages_language_and_the_holder_gets_its_ticket_back(stack, page):
    ticket = stack.do(stack.fake.walk_in())
    stack.do(stack.fake.refuse_item("LIVE_TICKET_EXISTS", ticketId=ticket.id))
    open_office(page, stack, "en")
    page.get_by_role("button", name="A · Kependudukan").click()
    expect(page.locator("#mine article")).to_contain_text("A001")


def test_a_stop_is_shown_with_its_reason(stack, page):
    open_office(page, stack)
    expect(page.locator("#notice")).to_be_hidden()
    stack.fake.notice = "POWER"
    stack.do(stack.fake.changed())
    expect(page.locator("#notice")).to_have_text("Pengambilan nomor dihentikan: listrik padam")


def test_the_page_says_when_it_is_not_live_and_keeps_what_it_saw_last(browser):
    with Stack(stale=0.1) as own:
        own.do(own.fake.walk_in())
        page = browser.new_page()
        open_office(page, own)
        page.get_by_role("button", name="A · Kependudukan").click()
        expect(page.locator("#lines")).to_contain_text("A001, A002")
        expect(page.locator("#stale")).to_be_hidden()
        own.do(own.stop_queue())
        expect(page.locator("#stale")).to_be_visible()
        page.reload()
        expect(page.locator("#stale")).to_be_visible()
        expect(page.locator("#lines")).to_contain_text("A001, A002")
        expect(page.locator("#mine article")).to_contain_text("A002")
        own.do(own.start_queue())
        expect(page.locator("#stale")).to_be_hidden(timeout=20_000)
        page.close()
