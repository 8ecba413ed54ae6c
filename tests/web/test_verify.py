"""The page that checks a day: what it says of lawful days, of others, and of one's own number."""

import hashlib
import json
import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from services.gateway.pages import WEB
from services.queue import commands as verb
from services.queue.findings import BREACHES, INDICATORS
from services.queue.journal import encode
from services.queue.model import Lane
from tests.queue.days import MINUTE, Office, document
from tests.queue.test_verify import busy_day
from tests.web.town import DAY, MAKASSAR, running

PATH = f"/verify/{MAKASSAR}/{DAY}"
WATCH_TASKS = """
globalThis.tasks = [];
new PerformanceObserver((list) => tasks.push(...list.getEntries().map((one) => one.duration)))
  .observe({ type: "longtask", buffered: true });
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Of this file's own: what others have left in an office would be counted here."""
    with running(tmp_path_factory.mktemp("town")) as town:
        yield town


class Given:
    """A browser profile whose office gives out a journal, a policy and a day of our choice."""

    def __init__(self, pages, leaves, text, today=DAY, **settings):
        self.pages, self.leaves, self.today = pages, leaves, today
        self.context = pages.context(**settings)
        self.asked = []
        self.context.route("**/events?*", self.events)
        self.context.route("**/policies/*", lambda route: route.fulfill(status=200, body=text))
        self.context.route("**/board", self.board)

    def events(self, route):
        query = parse_qs(urlsplit(route.request.url).query)
        after, size = int(query["after"][0]), int(query["pageSize"][0])
        self.asked.append(after)
        page = self.leaves[after + 1 : after + 1 + size]
        route.fulfill(status=200, body=b"".join(leaf + b"\n" for leaf in page))

    def board(self, route):
        route.fulfill(status=200, body=json.dumps({"day": self.today}), content_type="text/json")

    def open(self, fragment=""):
        page = self.pages.within(self.context, PATH + fragment).page
        expect(page.locator("#result")).to_have_attribute("aria-busy", "false")
        return page


def of(pages, office, fragment="", **settings):
    return Given(pages, office.leaves, office.text, **settings).open(fragment)


def morning():
    """A running day: A004 is of priority and was called first."""
    office = Office(document({"1": "AB", "2": "A"})).opened("1", "2")
    for lane in (Lane.REGULAR, Lane.REGULAR, Lane.REGULAR, Lane.PRIORITY, Lane.REGULAR):
        office.take("A", lane)
    for _ in range(4):
        office.serve("1")
    return office


def swapped(office, first, second):
    """One call takes the number of another: whoever was due is passed over."""
    at = [n for n, event in enumerate(office.events) if event.e == "call"]
    one, other = at[first], at[second]
    office.events[one] = replace(office.events[one], k=office.events[other].k)
    return office


def test_a_closed_day_by_the_rule_is_said_in_one_sentence(pages):
    office = busy_day()
    calls = sum(event.e == "call" for event in office.events)
    page = of(pages, office)
    expect(page.locator("#headline")).to_have_text(f"Semua {calls} panggilan sesuai aturan")
    expect(page.locator("#result")).to_have_attribute("data-verdict", "CLEAN")
    expect(page.locator("#leaves")).to_have_text(str(len(office.events)))
    expect(page.locator("#detail")).to_contain_text("seluruh catatannya")
    assert page.locator("#breaches, #again").locator("visible=true").count() == 0


def test_a_running_day_is_judged_so_far_and_again_when_asked(pages):
    office = morning()
    given = Given(pages, office.leaves, office.text)
    page = given.open()
    expect(page.locator("#headline")).to_have_text(
        "Sampai sekarang semua 4 panggilan sesuai aturan"
    )
    office.serve("1")
    given.leaves = office.leaves
    page.get_by_role("button", name="Periksa lagi").click()
    expect(page.locator("#headline")).to_have_text(
        "Sampai sekarang semua 5 panggilan sesuai aturan"
    )


def test_a_day_that_is_over_but_was_not_closed_is_not_by_the_rule(pages):
    office = morning()
    page = Given(pages, office.leaves, office.text, today="2026-03-03").open()
    expect(page.locator("#headline")).to_have_text("Satu hal tidak sesuai aturan")
    expect(page.locator("#breach-list")).to_contain_text("tanpa penutupan")


def test_a_call_out_of_turn_is_named_with_who_should_have_been_called(pages):
    page = of(pages, swapped(morning(), 1, 2), "#A001", language="en")
    expect(page.locator("#result")).to_have_attribute("data-verdict", "BREACH")
    first = page.locator("#breach-list li").first
    expect(first).to_contain_text("counter 1 called A002; by the rule it was the turn of A001")
    assert re.search(r"at \d\d:\d\d", first.text_content())
    expect(page.locator("#story")).to_contain_text("A002 at")
    expect(page.locator("#story")).to_contain_text("not by the rule")
    expect(page.locator("#story .wrong")).not_to_have_count(0)


def test_questions_stand_apart_from_breaches(pages):
    office = morning()
    office.take("A")
    for _ in range(2):
        office.do(verb.RequeueTicket(office.call("1")))
    page = of(pages, office)
    expect(page.locator("#result")).to_have_attribute("data-verdict", "CLEAN")
    expect(page.locator("#question-list")).to_contain_text("dibatalkan tanpa melayani")
    expect(page.locator("#questions")).to_contain_text("bukan tuduhan")
    expect(page.locator("#breaches")).to_be_hidden()


def test_ones_own_number_is_told_with_the_reasons(pages):
    page = of(pages, morning())
    page.get_by_label("Nomor antrean").fill(" a3 ")
    page.get_by_role("button", name="Lihat").click()
    expect(page.locator("#said")).to_have_text("Yang terjadi pada nomor A003:")
    lines = page.locator("#story > li")
    expect(lines).to_have_count(4)
    expect(lines.first).to_contain_text("2 nomor sedang menunggu")
    expect(lines.nth(1)).to_contain_text("Dipanggil ke loket 1")
    expect(lines.nth(1)).to_contain_text("A004 pukul")
    expect(lines.nth(1)).to_contain_text("nomor prioritas, setelah 2 nomor biasa")
    page.goto(f"{PATH}#A004")
    expect(page.locator("#story")).to_contain_text("giliran nomor prioritas")
    page.goto(f"{PATH}#A005")
    expect(page.locator("#story")).to_contain_text("Masih menunggu")


@pytest.mark.parametrize(
    ("typed", "said"),
    [("A999", "tidak ada dalam catatan"), ("17", "satu huruf dan angka"), ("<b>", "satu huruf")],
)
def test_a_number_that_is_not_there_is_said_to_be_missing(pages, typed, said):
    page = of(pages, morning())
    page.get_by_label("Nomor antrean").fill(typed)
    page.get_by_role("button", name="Lihat").click()
    expect(page.locator("#said")).to_contain_text(said)
    expect(page.locator("#story li")).to_have_count(0)


def test_one_who_came_back_reads_why_others_went_first(pages):
    office = Office(document({"1": "A"}, "A")).opened("1")
    for _ in range(6):
        office.take("A")
    absent = office.call("1")
    office.skip("1", absent)
    office.do(verb.ReturnTicket(absent), MINUTE)
    while office.serve("1") != absent:
        pass
    page = of(pages, office, f"#{absent}")
    story = page.locator("#story")
    expect(story).to_contain_text("3 nomor lagi, lalu giliran ini")
    expect(story).to_contain_text("nomor Anda baru kembali")


def test_the_fingerprint_is_that_of_the_file_and_can_be_compared(pages):
    office = busy_day()
    whole = b"".join(leaf + b"\n" for leaf in office.leaves)
    digest = hashlib.sha256(whole).hexdigest()
    page = of(pages, office)
    assert page.locator("#hash").inner_text().replace("\n", "").replace(" ", "") == digest
    for typed, said in [(digest.upper(), "Sama"), ("00" * 32, "Berbeda"), ("12", "64 huruf")]:
        page.get_by_label("Sidik jari dari orang lain").fill(typed)
        page.get_by_role("button", name="Bandingkan").click()
        expect(page.locator("#same")).to_contain_text(said)
    with page.expect_download() as download:
        page.get_by_role("link", name="Simpan catatan").click()
    assert download.value.suggested_filename == f"{MAKASSAR}-{DAY}.ndjson"
    assert download.value.path().read_bytes() == whole


def test_the_rule_is_told_in_words_with_the_offices_own_numbers(pages):
    page = of(pages, morning())
    page.locator("#rule summary").click()
    expect(page.locator("#rule-list")).to_contain_text(
        "setelah 2 nomor biasa, satu nomor prioritas"
    )
    expect(page.locator("#rule-list")).to_contain_text("dipanggil 3 kali dan ditunggu 90 detik")
    expect(page.locator("#rule-list")).to_contain_text("07.30–12.00, 13.00–15.30")


def test_a_real_day_of_a_real_office_is_checked(pages, town, desk):
    desk.at("1", "open")
    number = desk.served("A", "1")["number"]
    page = pages.open(f"{PATH}#{number}").page
    expect(page.locator("#result")).to_have_attribute("data-verdict", "CLEAN")
    expect(page.locator("#office")).to_have_text("Kecamatan Makassar")
    expect(page.locator("#story")).to_contain_text("Selesai di loket 1")


def test_a_day_without_a_record_cannot_be_judged_and_says_why(pages):
    for path in (f"/verify/{MAKASSAR}/2025-01-02", "/verify/99.99.99/2026-03-02", "/verify/x/y"):
        page = pages.open(path).page
        expect(page.locator("#headline")).to_have_text("Hari itu tidak dapat dinilai")
        expect(page.locator("#detail")).not_to_be_empty()


def test_a_page_without_a_connection_says_so_and_tries_again(pages):
    office = morning()
    given = Given(pages, office.leaves, office.text)
    given.context.route("**/policies/*", lambda route: route.abort())
    page = given.open()
    expect(page.locator("#detail")).to_contain_text("belum dapat dihubungi")
    given.context.unroute("**/policies/*")
    given.context.route("**/policies/*", lambda route: route.fulfill(body=office.text))
    page.get_by_role("button", name="Periksa lagi").click()
    expect(page.locator("#result")).to_have_attribute("data-verdict", "CLEAN")


def test_a_page_that_cannot_reckon_fingerprints_judges_nothing(pages):
    office = morning()
    given = Given(pages, office.leaves, office.text)
    given.context.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    expect(given.open().locator("#detail")).to_contain_text("https")


def test_a_policy_that_is_none_and_a_day_that_names_none_are_not_judged(pages):
    office = morning()
    page = Given(pages, office.leaves, b'{"code": 1}').open()
    expect(page.locator("#detail")).to_contain_text("tidak dapat dipakai")
    page = Given(pages, office.leaves[1:], office.text).open()
    expect(page.locator("#detail")).to_contain_text("tidak menyebut aturan")


def test_another_policy_than_the_days_own_is_a_breach(pages):
    page = Given(pages, morning().leaves, document({"1": "AB", "2": "B"})).open()
    expect(page.locator("#breach-list li").first).to_contain_text("dibuka dengan aturan lain")


def test_a_ticket_leads_to_its_own_story(pages, desk):
    ticket = desk.take()
    page = pages.open(f"/t/{ticket['id']}").page
    page.get_by_role("link", name="Periksa sendiri").click()
    expect(page.locator("#said")).to_have_text(f"Yang terjadi pada nomor {ticket['number']}:")
    expect(page.locator("#story")).to_contain_text("Masih menunggu")
    assert ticket["id"] not in page.url


def test_the_way_to_the_content_leaves_the_chosen_number(pages):
    page = of(pages, morning(), "#A001")
    page.get_by_label("Nomor antrean").fill("A002")
    page.get_by_role("button", name="Lihat").click()
    expect(page.locator("#said")).to_contain_text("A002")
    page.goto(f"{PATH}#content")
    expect(page.locator("#said")).to_contain_text("A002")


def test_lines_that_are_no_leaves_are_found_and_shown_as_text(pages):
    office = morning()
    leaves = [*office.leaves, b"<img src=x onerror=alert(1)>", b'{"v":7}']
    page = Given(pages, leaves, office.text).open()
    expect(page.locator("#breach-list")).to_contain_text("bukan catatan yang sah")
    expect(page.locator("#detail")).to_contain_text("tidak dikenal halaman ini")
    assert page.locator("img[src=x]").count() == 0


def test_every_code_of_the_verifier_has_words():
    texts = json.loads((WEB / "verify" / "texts.en.json").read_text("utf-8"))
    for codes, prefix in ((BREACHES, "breach."), (INDICATORS, "question.")):
        told = {key.removeprefix(prefix) for key in texts if key.startswith(prefix)}
        assert told == set(codes)
        for code in codes:
            braces = set(re.findall(r"\{\w+\}", texts[prefix + code]))
            assert braces <= set(re.findall(r"\{\w+\}", "".join(codes[code]))), code


def great_day(tickets=2000):
    """Two thousand numbers: they come and are served all day, some are of priority."""
    office = Office(document(dict.fromkeys("12345678", "AB"))).opened(*"12345678")
    for n in range(tickets):
        office.take("AB"[n % 3 == 0], Lane.PRIORITY if n % 9 == 0 else Lane.REGULAR)
        office.at += 3000
        if n > 400:
            counter = "12345678"[n % 8]
            number = office.call(counter, 1000)
            office.do(verb.StartTicket(counter, number))
            office.do(verb.CompleteTicket(counter, number))
    return office


def test_a_day_of_two_thousand_numbers_leaves_the_page_awake(pages):
    office = great_day()
    given = Given(pages, office.leaves, office.text)
    given.context.add_init_script(WATCH_TASKS)
    page = given.open("#A1000")
    calls = sum(event.e == "call" for event in office.events)
    expect(page.locator("#calls")).to_have_text(f"{calls:,}".replace(",", "."))
    expect(page.locator("#result")).to_have_attribute("data-verdict", "CLEAN")
    assert given.asked == [-1, 4999]
    took = page.locator("#result").get_attribute("data-took")
    longest = max(page.evaluate("tasks"), default=0)
    print(f"{len(office.events)} events in {took} ms, the longest task {longest:.0f} ms")


def test_a_day_full_of_breaches_shows_the_first_hundred(pages):
    office = morning()
    leaf = encode(replace(office.events[-1], e="present", c=""))
    page = Given(pages, [*office.leaves, *[leaf] * 3000], office.text).open()
    expect(page.locator("#breach-list li")).to_have_count(100)
    expect(page.locator("#breach-more")).to_contain_text("lagi")
