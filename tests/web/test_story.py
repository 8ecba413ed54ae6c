"""One citizen's morning over all pages at once: phone, console, hall, tablet, camat, War Room.

Nobody reloads anything; each page hears for itself what the others do.
"""

import re

from playwright.sync_api import expect

from tests.web.pages import until
from tests.web.test_citizen import walk_to
from tests.web.test_display import LISTEN

MANGGALA = "73.71.12"
COUNTER = "6"
PATIENCE = 60_000  # ms


def row(page):
    """The office's line in the War Room."""
    return page.locator("#offices li").filter(has_text="Manggala")


def opened(pages, town, path, role, size):
    context = pages.context(size)
    if size == "hall":
        context.add_init_script(LISTEN)
    return pages.within(context, town.link(path, role, MANGGALA)).page


def test_what_one_page_does_all_others_show_without_a_reload(own_pages, own_town):
    pages, town = own_pages, own_town
    hall = opened(pages, town, f"/display/{MANGGALA}", "KIOSK", "hall")
    console = opened(pages, town, f"/counter/{MANGGALA}/{COUNTER}", "OFFICER", "desktop")
    tablet = opened(pages, town, f"/survey/{MANGGALA}/{COUNTER}", "KIOSK", "tablet")
    camat = opened(pages, town, f"/dashboard/{MANGGALA}", "SUPERVISOR", "desktop")
    room = opened(pages, town, "/war-room", "WAR_ROOM", "desktop")
    everywhere = [hall, console, tablet, camat, room]
    hall.mouse.click(5, 5)  # a browser lets nothing sound before somebody has touched it

    phone = walk_to(pages, "Manggala", "Informasi dan pengaduan").page
    phone.get_by_role("button", name="Ambil nomor").click()
    expect(phone.locator("#number")).to_have_text(re.compile(r"^E\d{3}$"))
    number = phone.locator("#number").inner_text()
    for page in [*everywhere, phone]:
        page.evaluate("window.same = true")
    expect(row(room)).to_contain_text(re.compile(r"\b1\b"), timeout=PATIENCE)
    expect(hall.locator("#waiting-all")).to_have_text("1", timeout=PATIENCE)

    console.get_by_role("button", name=re.compile("^Buka loket")).click()
    expect(console.locator("#next-number")).to_have_text(number, timeout=PATIENCE)
    console.get_by_role("button", name=re.compile("^Panggil berikutnya")).click()
    expect(phone.locator("#headline")).to_have_text(
        f"Giliran Anda: silakan ke loket {COUNTER}", timeout=PATIENCE
    )
    expect(hall.locator("#big")).to_contain_text(number, timeout=PATIENCE)
    expect(hall.locator("#caption")).to_contain_text(number, timeout=PATIENCE)
    assert until(hall, "window.sounded.length > 2")  # a chime and words

    console.get_by_role("button", name=re.compile("^Mulai")).click()
    expect(phone.locator("#headline")).to_have_text(
        f"Sedang dilayani di loket {COUNTER}", timeout=PATIENCE
    )
    console.get_by_role("button", name=re.compile("^Selesai")).click()
    expect(tablet.locator("#number")).to_have_text(number, timeout=PATIENCE)
    tablet.get_by_role("button", name="Sangat puas").click()
    expect(tablet.locator("#said-title")).to_have_text("Terima kasih!", timeout=PATIENCE)

    answers = camat.locator("#days-table tbody tr").last.locator("td")
    expect(answers.nth(3)).to_have_text("1", timeout=PATIENCE)
    expect(row(room)).to_contain_text(re.compile(r"\b1\b"), timeout=PATIENCE)
    expect(hall.locator("#waiting-all")).to_have_text("0", timeout=PATIENCE)
    assert all(page.evaluate("window.same") for page in [*everywhere, phone])
