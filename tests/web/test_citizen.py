"""A citizen's day: a number taken on the phone, followed, lost and found again, rated."""

import re

from playwright.sync_api import expect

from tests.web.town import DAY, HASTY

PATIENCE = 30_000


def walk_to(pages, name, service, language="id", context=None):
    """From the front page to a service of an office, as a thumb does it."""
    seen = pages.within(context or pages.context(language=language), "/")
    seen.page.get_by_role("searchbox").fill(name)
    seen.page.get_by_role("link", name=re.compile(rf"^{name}")).click()
    seen.page.get_by_role("link", name=service).click()
    return seen


def open_desk(town, code):
    desk = town.desk(code)
    desk.at("1", "open")
    return desk


def test_everything_to_know_stands_there_before_a_number_is_taken(pages, town, desk):
    desk.take("B")
    desk.at("3", "open")
    page = walk_to(pages, "Makassar", "Surat keterangan").page
    expect(page.get_by_role("heading", name="Surat keterangan")).to_be_visible()
    expect(page.locator("#service-requirements")).to_contain_text("Surat pengantar dari kelurahan")
    expect(page.locator("#service-cost")).to_have_text("Rp 0")
    for part, begin in {
        "duration": "Pada hari yang sama",
        "procedure": "Ambil nomor",
        "product": "Surat keterangan domisili",
        "complaints": "Petugas informasi",
    }.items():
        expect(page.locator(f"#service-{part}")).to_contain_text(begin)
    expect(page.locator("#service-waiting")).to_have_text(re.compile(r"^\d+ orang$"))
    expect(page.locator("#service-wait")).to_have_text(re.compile(r"^\d+–\d+ menit$"))
    assert desk.get(f"{desk.office}/board").json()["services"][1]["issued"] >= 1


def test_a_number_is_taken_called_served_and_rated_without_a_reload(pages, town):
    with open_desk(town, "73.71.06") as desk:
        seen = walk_to(pages, "Bontoala", "Administrasi")
        page = seen.page
        page.get_by_role("button", name="Ambil nomor").click()
        expect(page.locator("#number")).to_have_text("A001")
        expect(page.locator("#headline")).to_contain_text("Anda berikutnya")
        expect(page.locator("#ahead")).to_have_text("0")
        page.get_by_role("button", name="Saya sudah di sini").click()
        expect(page.locator("#detail")).to_have_text("Kedatangan Anda sudah tercatat.")
        page.evaluate("window.same = true")
        desk.at("1", "callNext")
        expect(page.locator("#headline")).to_have_text("Giliran Anda: silakan ke loket 1")
        expect(page.locator("[aria-live=assertive]")).to_contain_text("silakan ke loket 1")
        expect(page).to_have_title(re.compile("A001 · Dipanggil"))
        desk.at("1", "start", ticket="A001")
        expect(page.locator("#headline")).to_have_text("Sedang dilayani di loket 1")
        desk.at("1", "complete", ticket="A001")
        page.get_by_role("button", name="Tidak puas").click()
        expect(page.locator("#thanks")).to_contain_text("Terima kasih")
        page.get_by_role("button", name="Waktu tunggu").click()
        page.get_by_role("button", name="Kirim").click()
        expect(page.get_by_role("button", name="Tidak puas")).to_have_attribute(
            "aria-pressed", "true"
        )
        assert page.evaluate("window.same")
        assert seen.faults == []
        answers = desk.satisfaction(**{"from": DAY, "to": DAY})["total"]
        assert (answers["answers"], answers["notSatisfied"]["count"]) == (1, 1)


def test_priority_is_asked_as_yes_or_no_and_english_is_spoken(pages, town):
    with town.desk("73.71.07") as desk:
        seen = walk_to(pages, "Tallo", "Surat keterangan", "en")
        seen.page.get_by_label(re.compile("Priority queue")).check()
        seen.page.get_by_role("button", name="Take a number").click()
        expect(seen.page.locator("#headline")).to_have_text("You are in the queue")
        id = seen.page.url.rpartition("/")[2]
        assert desk.get(f"/v1/tickets/{id}").json()["lane"] == "PRIORITY"


def test_the_phone_finds_its_number_again_and_a_second_wish_leads_to_it(pages, town):
    phone = pages.context()
    page = walk_to(pages, "Manggala", "Administrasi", context=phone).page
    page.get_by_role("button", name="Ambil nomor").click()
    expect(page.locator("#number")).to_have_text("A001")
    ticket = page.url
    page.goto("/")
    card = page.locator("#tickets a")
    expect(card).to_contain_text("A001")
    expect(page.locator("#offices li").first).to_contain_text("Terakhir dipakai")
    page.get_by_role("link", name=re.compile("^Manggala")).click()
    page.get_by_role("link", name="Administrasi").click()
    page.get_by_role("button", name="Ambil nomor").click()
    expect(page.locator("#number")).to_have_text("A001")
    assert page.url == ticket


def test_a_lost_answer_does_not_take_a_second_number(pages, town):
    with town.desk("73.71.08") as desk:
        context = pages.context(service_workers="block")
        seen = walk_to(pages, "Ujung Tanah", "Administrasi", context=context)
        sent = []

        def lose(route):
            sent.append(route.request.headers["idempotency-key"])
            if len(sent) < 3:
                route.fetch()
                route.abort("connectionreset")
            else:
                route.continue_()

        seen.page.route("**/v1/kecamatan/73.71.08/tickets", lose)
        seen.page.get_by_role("button", name="Ambil nomor").dblclick()
        expect(seen.page.locator("#number")).to_have_text("A001", timeout=PATIENCE)
        assert len(set(sent)) == 1
        board = desk.get(f"{desk.office}/board").json()
        assert board["services"][0]["issued"] == 1


def test_a_wish_that_a_reload_interrupted_is_finished_and_counted_once(pages, town):
    with town.desk("73.71.09") as desk:
        context = pages.context(service_workers="block")  # it would take requests past the route
        seen = walk_to(pages, "Panakkukang", "Administrasi", context=context)
        pattern = "**/v1/kecamatan/73.71.09/tickets"
        seen.page.route(pattern, lambda route: (route.fetch(), route.abort("connectionreset")))
        seen.page.get_by_role("button", name="Ambil nomor").click()
        expect(seen.page.locator("#problem")).to_contain_text("hanya sekali", timeout=PATIENCE)
        seen.page.unroute(pattern)
        seen.page.reload()
        expect(seen.page.locator("#number")).to_have_text("A001", timeout=PATIENCE)
        assert desk.get(f"{desk.office}/board").json()["services"][0]["issued"] == 1


def test_a_number_is_given_back_only_after_a_second_question(pages, town):
    with town.desk("73.71.10") as desk:
        ticket = desk.take()
        page = pages.open(f"/t/{ticket['id']}").page
        sure = page.get_by_role("button", name="Ya, batalkan nomor saya")
        expect(sure).to_be_hidden()
        page.get_by_text("Tidak jadi datang?").click()
        sure.click()
        expect(page.locator("#headline")).to_have_text("Nomor ini sudah dibatalkan")
        expect(page.get_by_text("Tidak jadi datang?")).to_be_hidden()


def test_who_was_passed_over_comes_back(pages, town):
    with open_desk(town, HASTY) as desk:
        ticket = desk.take()
        page = pages.open(f"/t/{ticket['id']}").page
        desk.at("1", "callNext")
        desk.at("1", "skip", ticket=ticket["number"])
        expect(page.locator("#headline")).to_have_text("Nomor Anda sudah dipanggil dan terlewat")
        expect(page.locator("#detail")).to_contain_text("Anda masih dapat kembali sampai pukul")
        page.get_by_role("button", name="Saya kembali").click()
        expect(page.locator("#card")).to_have_attribute("data-state", "WAITING")


def test_a_stop_is_said_with_its_reason_and_no_number_can_be_taken(pages, town):
    with town.desk("73.71.11") as desk:
        page = walk_to(pages, "Biringkanaya", "Administrasi").page
        expect(page.get_by_role("button", name="Ambil nomor")).to_be_enabled()
        desk.post(f"{desk.office}:stopIssuing", {"reason": "POWER"}, "SUPERVISOR")
        expect(page.get_by_role("button", name="Belum dapat")).to_be_disabled()
        page.locator("#service-back").click()
        expect(page.locator("#office-notice")).to_contain_text("listrik padam")
        expect(page.locator("#office-state")).to_have_text("Dihentikan")
        desk.post(f"{desk.office}:resumeIssuing", {}, "SUPERVISOR")
        expect(page.locator("#office-notice")).to_be_hidden()


def test_without_a_script_a_number_is_followed_and_given_back(pages, town):
    with open_desk(town, "73.71.13") as desk:
        ticket = desk.take()
        page = pages.context(java_script_enabled=False).new_page()
        page.goto(f"/t/{ticket['id']}")
        expect(page.locator("#headline")).to_have_text("Anda dalam antrean")
        expect(page.locator("#ahead")).to_have_text("0")
        expect(page.locator("svg.qr")).to_be_visible()
        page.get_by_role("button", name="Saya sudah di sini").click()
        expect(page.get_by_role("button", name="Saya sudah di sini")).to_be_hidden()
        page.get_by_text("English").click()
        expect(page.locator("#headline")).to_have_text("You are in the queue")
        page.get_by_text("Tidak jadi datang?").click()
        page.get_by_role("button", name="Ya, batalkan").click()
        expect(page.locator("#card")).to_have_attribute("data-state", "CANCELLED")


def test_a_number_that_is_not_there_is_said_kindly(pages):
    seen = pages.open("/t/737103-260302-zzzzzzzzzzzzzzzzzzzzzz")
    expect(seen.page.locator("#headline")).to_contain_text("tidak ditemukan")
    expect(seen.page.locator("#stale")).to_be_hidden()


def test_an_id_is_in_no_log_and_no_referrer(pages, town, desk):
    ticket = desk.take("E")
    seen = pages.open(f"/t/{ticket['id']}")
    told = []
    seen.page.on("request", lambda request: told.append(request.headers.get("referer", "")))
    seen.page.get_by_text("Tidak jadi datang?").click()
    seen.page.get_by_role("button", name="Ya, batalkan").click()
    expect(seen.page.locator("#card")).to_have_attribute("data-state", "CANCELLED")
    seen.page.get_by_role("link", name="Tunggu").click()
    expect(seen.page.get_by_role("searchbox")).to_be_visible()
    assert told
    assert not [one for one in told if ticket["id"] in one]
    logs = town.logs()
    assert "/t/{ticket}" in logs
    assert ticket["id"] not in logs
