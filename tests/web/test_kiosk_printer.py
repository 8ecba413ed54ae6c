"""The kiosk with a printing agent: the number is on the screen, and on paper once.

The agent is the real process, the printer a TCP port that takes what comes.
"""

import re
from urllib.parse import urlsplit

import pytest
from PIL import ImageChops
from playwright.sync_api import expect

from services.printer.figure import figure
from tests.printer.agent import running
from tests.printer.decoded import decoded
from tests.printer.stand_in import NO_PAPER, Printer
from tests.web.axe import AXE, violations
from tests.web.conftest import ARGUMENTS, CHROMIUM
from tests.web.pages import Pages
from tests.web.test_kiosk import PATIENCE, choose, kiosk, printed

CODE = "73.71.13"
REGULAR = re.compile("Tidak, ambil nomor biasa|No, a regular number")


@pytest.fixture
def printer():
    with Printer() as printer:
        yield printer


@pytest.fixture
def agent(printer, town, tmp_path):
    with running(tmp_path, printer=printer.url, origins=town.url, answer="20") as agent:
        yield agent


def stand(pages, town, agent, **more):
    return kiosk(pages, town, CODE, pages.context("tablet", **more), f"?printer={agent.port}")


def take(page, service="E"):
    choose(page, service)
    page.get_by_role("button", name=REGULAR).click()
    expect(page.locator("#number")).not_to_be_empty()
    return page.locator("#number").inner_text()


def said(page, words):
    expect(page.locator("#paper")).to_contain_text(words, timeout=PATIENCE)


def shows(slip, number):
    """Whether that number stands on the paper, 20 mm high."""
    (picture,) = decoded(slip).pictures
    wanted = ImageChops.invert(figure(number, 576, 203).convert("L"))
    return ImageChops.difference(picture.convert("L"), wanted).getbbox() is None


def nothing_printed(page):
    assert page.locator("html").get_attribute("data-printed") is None


def test_a_number_comes_out_of_the_printer_once_and_again_only_when_asked(
    pages, town, printer, agent
):
    seen = stand(pages, town, agent)
    number = take(seen.page)
    said(seen.page, "Silakan ambil struk Anda")
    (slip,) = printer.wait(1)
    assert shows(slip, number)
    paper = decoded(slip)
    assert paper.lines[0] == seen.page.locator("#slip-office").inner_text()
    assert re.fullmatch(r"Senin, 2 Maret 2026, \d\d\.\d\d", paper.lines[1])
    assert "Simpan struk ini." in " ".join(paper.lines)
    (address,) = paper.codes
    assert address.startswith(f"{town.url}/t/737113-260302-")
    assert paper.cuts == 1
    nothing_printed(seen.page)
    seen.page.get_by_role("button", name="Cetak lagi").click()
    second = printer.wait(2)[1]
    assert second == slip
    said(seen.page, "Silakan ambil struk Anda")
    seen.page.get_by_role("button", name="Selesai").click()
    expect(seen.page.locator("#services li").first).to_be_visible()
    expect(seen.page.locator("#paper")).to_have_text("")
    other = take(seen.page)
    assert other != number
    assert shows(printer.wait(3)[2], other)
    assert seen.faults == []


def test_the_slip_speaks_the_pages_language(pages, town, printer, agent):
    page = stand(pages, town, agent, language="en").page
    page.evaluate(AXE)
    take(page)
    said(page, "Please take your slip")
    lines = decoded(printer.wait(1)[0]).lines
    assert "Your number" in lines
    assert "Keep this slip. Scan it to follow your turn on a" in lines
    assert violations(page) == []


def test_without_the_agent_the_browser_prints_and_the_page_says_so(pages, town, printer, agent):
    page = stand(pages, town, agent).page
    agent.kill()
    number = take(page)
    printed(page, 1)
    said(page, "Printer struk tidak siap")
    expect(page.locator("#number")).to_have_text(number)
    page.get_by_role("button", name="Cetak lagi").click()
    printed(page, 2)
    assert printer.slips == []


def test_without_paper_the_browser_prints_and_then_the_agent_again(pages, town, printer, agent):
    page = stand(pages, town, agent).page
    printer.paper = NO_PAPER
    number = take(page)
    printed(page, 1)
    said(page, "Kertas printer struk habis")
    printer.paper = 0x12
    page.get_by_role("button", name="Cetak lagi").click()
    said(page, "Silakan ambil struk Anda")
    assert shows(printer.wait(1)[0], number)
    printed(page, 1)


def test_a_printer_that_dies_amid_the_slip_gives_no_second_paper_until_somebody_asks(
    pages, town, printer, agent
):
    page = stand(pages, town, agent).page
    printer.dies_after = 2000
    number = take(page)
    said(page, "Struk mungkin tidak lengkap")
    printer.dies_after = None
    assert len(printer.wait(1)) == 1
    nothing_printed(page)
    expect(page.locator("#number")).to_have_text(number)
    page.get_by_role("button", name="Cetak lagi").click()
    said(page, "Silakan ambil struk Anda")
    assert shows(printer.wait(2)[1], number)
    nothing_printed(page)


def test_an_agent_that_is_lost_amid_its_answer_gives_no_second_paper(pages, town, printer, agent):
    page = stand(pages, town, agent).page
    page.route("**/print", lambda route: (route.fetch(), route.abort("connectionreset")))
    number = take(page)
    said(page, "Struk mungkin tidak lengkap")
    assert shows(printer.wait(1)[0], number)
    nothing_printed(page)


@pytest.fixture
def far(town, browser):
    """Pages in a browser to which the town's gateway is somewhere on the internet, as it is to a
    kiosk; `browser` is asked for because it starts the driver."""
    there = f"--ip-address-space-overrides=127.0.0.1:{urlsplit(town.url).port}=public"
    own = browser.browser_type.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, there])
    pages = Pages(own, town.url)
    yield pages
    pages.close()
    own.close()


def test_a_page_from_the_internet_prints_where_the_browser_was_allowed_to(
    far, town, printer, agent
):
    seen = stand(far, town, agent, permissions=["local-network-access"])
    number = take(seen.page)
    said(seen.page, "Silakan ambil struk Anda")
    assert shows(printer.wait(1)[0], number)
    assert seen.faults == []


def test_a_page_from_the_internet_that_was_not_allowed_to_prints_by_the_browser(
    far, town, printer, agent
):
    page = stand(far, town, agent).page
    take(page)
    printed(page, 1)
    said(page, "Printer struk tidak siap")
    assert printer.slips == []


def test_an_agent_that_was_told_of_another_page_prints_nothing_and_the_browser_does(
    pages, town, printer, tmp_path
):
    with running(tmp_path, printer=printer.url, origins="https://other.example") as agent:
        page = stand(pages, town, agent).page
        take(page)
        printed(page, 1)
        said(page, "Printer struk tidak siap")
        assert printer.slips == []


@pytest.mark.parametrize("given", ["0", "65536", "9110.5", "evil.example:80/"])
def test_what_is_no_port_is_no_agent(pages, town, given):
    seen = kiosk(pages, town, CODE, query=f"?printer={given}")
    take(seen.page)
    printed(seen.page, 1)
    expect(seen.page.locator("#paper")).to_be_hidden()
    assert seen.faults == []
