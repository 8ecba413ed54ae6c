"""The officer's console: a counter worked by hand, and nothing done twice, whatever breaks.

Each test has the last counter of an office, which alone calls service E.
"""

import re

import pytest
from playwright.sync_api import expect

from services.chassis.token import mint
from services.local.keys import development_key
from tests.web.town import ATTACK, HASTY, HOSTILE

PATIENCE = 60_000  # ms for what must come back


def last(desk):
    """The counter's id."""
    return desk.get(desk.office).json()["counters"][-1]["id"]


def console(pages, town, desk, context=None, token=""):
    path = f"/counter/{desk.code}/{last(desk)}#token={token or town.token('OFFICER', desk.code)}"
    return pages.within(context or pages.context("desktop"), path)


def stage(page, state, busy=False):
    """Unless it is `busy` the console hears what is pressed next."""
    expect(page.locator("#stage")).to_have_attribute("data-state", state, timeout=PATIENCE)
    if not busy:
        expect(page.locator("#acts [aria-disabled]")).to_have_count(0, timeout=PATIENCE)


def press(page, key):
    """Once what was pressed before is done: the page takes no key while an answer is due."""
    expect(page.locator("#acts [aria-disabled]")).to_have_count(0, timeout=PATIENCE)
    page.keyboard.press(key)


def button(page, name):
    return page.get_by_role("button", name=re.compile(f"^{name}"))


def events(desk, *kinds):
    """The kinds of the day's events at the counter or of its tickets, in order."""
    lines = desk.get(f"{desk.office}/days/2026-03-02/events").text.splitlines()
    found = [re.search(r'"e":"([\w.]+)"', line)[1] for line in lines]
    return [kind for kind in found if kind in kinds]


def test_a_counter_is_worked_with_the_keyboard_alone(pages, town):
    with town.desk("73.71.04") as desk:
        numbers = [desk.take("E")["number"] for _ in range(2)]
        page = console(pages, town, desk).page
        stage(page, "CLOSED")
        expect(page.locator("#name")).to_have_text(f"Loket {last(desk)}")
        expect(page.locator("#next-number")).to_have_text(numbers[0])
        press(page, "l")
        stage(page, "OPEN")
        expect(page.locator("#why")).to_have_text(
            "Karena datang paling awal di antara yang menunggu."
        )
        press(page, "b")
        stage(page, "CALLED")
        expect(page.locator("#number")).to_have_text(numbers[0])
        expect(page.locator("#since")).to_contain_text("Panggilan ke-1 pukul 10.")
        expect(button(page, "Panggil ulang")).to_contain_text("dtk")
        expect(button(page, "Tidak datang")).to_contain_text("2 panggilan lagi")
        press(page, "u")
        expect(page.locator("#problem")).to_contain_text(
            re.compile(r"Belum 20 detik .* mulai pukul 10\.\d\d\.\d\d")
        )
        press(page, "m")
        stage(page, "SERVING")
        expect(page.locator("#problem")).to_be_hidden()
        press(page, "s")
        stage(page, "OPEN")
        expect(page.locator("#next-number")).to_have_text(numbers[1])
        press(page, "n")
        expect(page.locator("#paper-number")).to_be_focused()
        page.keyboard.type("bl")  # a letter in a field is a letter
        stage(page, "OPEN")
        page.locator("#paper-number").fill("")
        page.locator("#paper-number").blur()
        press(page, "l")
        stage(page, "CLOSED")
        page.get_by_label("Pakai pintasan papan tik").uncheck()
        press(page, "l")
        page.reload()
        stage(page, "CLOSED")
        press(page, "l")
        assert events(desk, "call", "recall", "start", "done", "counter.open") == [
            *("counter.open", "call", "start", "done")
        ]


def test_the_console_says_whose_turn_it_is_and_why_and_calls_just_that(pages, town):
    with town.desk("73.71.06") as desk:
        desk.at(last(desk), "open")
        regular = [desk.take("E")["number"] for _ in range(4)]
        page = console(pages, town, desk).page
        expect(page.locator("#next-number")).to_have_text(regular[0])
        page.fill("#paper-number", regular[3].replace("E", "e ").replace("00", ""))
        expect(page.locator("#paper-said")).to_contain_text(f"{regular[3]} · Informasi")
        button(page, "Catat sudah datang").click()
        expect(page.locator("#paper-said")).to_contain_text("sudah datang")
        button(page, "Jadikan prioritas").click()
        expect(page.locator("#next-number")).to_have_text(regular[3])
        expect(page.locator("#why")).to_have_text(
            "Giliran prioritas: di antara dua nomor prioritas paling banyak 2 nomor biasa. "
            f"Tanpa itu giliran {regular[0]}."
        )
        expect(page.locator("#upcoming li")).to_have_text(regular[:3])
        expect(page.locator("#line li").last).to_contain_text("4 menunggu · 1 prioritas")
        button(page, "Panggil berikutnya").click()
        expect(page.locator("#number")).to_have_text(regular[3])
        expect(page.locator("#service")).to_contain_text("prioritas · sudah datang")


def test_who_did_not_come_and_who_was_put_aside_comes_back(pages, town):
    with town.desk(HASTY) as desk:
        desk.at(last(desk), "open")
        first, second = (desk.take("E")["number"] for _ in range(2))
        page = console(pages, town, desk).page
        page.locator("#stage[data-state=OPEN]").wait_for()
        press(page, "b")
        stage(page, "CALLED")
        press(page, "t")
        stage(page, "OPEN")
        row = page.locator("#away-list li")
        expect(row).to_contain_text(f"{first}Terlewat, sampai 11.")
        row.get_by_role("button").click()
        expect(row).to_have_count(0)
        expect(page.locator("#later li")).to_contain_text(f"{first} kembali setelah terlewat")
        expect(page.locator("#next-number")).to_have_text(second)
        for _ in range(2):
            press(page, "b")
            stage(page, "CALLED")
            press(page, "m")
            stage(page, "SERVING")
            expect(page.locator("#number")).to_have_text(second)
            press(page, "d")
            stage(page, "OPEN")
            page.fill("#paper-number", second)
            button(page, "Kembalikan ke antrean").click()
            expect(page.locator("#next-number")).to_have_text(second)
            expect(page.locator("#why")).to_contain_text("kembali ke antrean")
            page.locator("#paper-number").blur()
        press(page, "b")
        stage(page, "CALLED")
        press(page, "m")
        stage(page, "SERVING")
        press(page, "d")
        expect(page.locator("#problem")).to_contain_text("sudah 2 kali ditunda")
        press(page, "p")
        page.get_by_role("dialog").get_by_role("button", name=re.compile("^D")).click()
        stage(page, "OPEN")
        page.fill("#paper-number", first)
        button(page, "Batalkan nomor").click()
        button(page, "Tidak jadi").click()
        expect(page.locator("#paper-said")).to_contain_text("Menunggu")
        button(page, "Batalkan nomor").click()
        button(page, "Ya, batalkan").click()
        expect(page.locator("#paper-said")).to_contain_text("Dibatalkan")
        expect(page.locator("#next-service")).to_contain_text("Rekomendasi")


# --- nothing twice ----------------------------------------------------------------------------


def test_an_answer_that_is_lost_calls_nobody_else(pages, town):
    with town.desk("73.71.07") as desk:
        desk.at(last(desk), "open")
        numbers = [desk.take("E")["number"] for _ in range(2)]
        page = console(pages, town, desk).page
        stage(page, "OPEN")
        sent = []

        def lose(route):
            sent.append(route.request.headers["idempotency-key"])
            if len(sent) < 3:
                route.fetch()
                route.abort("connectionreset")
            else:
                route.continue_()

        page.route("**:callNext", lose)
        button(page, "Panggil berikutnya").dblclick()
        page.keyboard.press("b")
        stage(page, "CALLED")
        expect(page.locator("#number")).to_have_text(numbers[0])
        expect(page.locator("#problem")).to_be_hidden(timeout=PATIENCE)
        assert (len(sent), len(set(sent))) == (3, 1)
        assert events(desk, "call") == ["call"]


def test_a_reload_in_the_middle_shows_what_happened_and_does_it_once(pages, town):
    with town.desk("73.71.08") as desk:
        desk.at(last(desk), "open")
        number = desk.take("E")["number"]
        desk.take("E")
        page = console(pages, town, desk).page
        stage(page, "OPEN")
        page.route("**:callNext", lambda route: (route.fetch(), route.abort("connectionreset")))
        page.keyboard.press("b")
        expect(page.locator("#problem")).to_contain_text("hanya sekali", timeout=PATIENCE)
        page.unroute("**:callNext")
        page.reload()
        stage(page, "CALLED")
        expect(page.locator("#number")).to_have_text(number)
        expect(page.locator("#acts [aria-disabled]")).to_have_count(0)
        assert events(desk, "call") == ["call"]


def expired(town, code):
    """A token whose time is over, though the page does not know it yet."""
    key = development_key(town.folder / "keys")
    return mint(key, ["OFFICER"], [code], hours=-1)


def test_a_session_that_ends_asks_for_a_token_and_then_goes_on(pages, town):
    with town.desk("73.71.10") as desk:
        number = desk.take("E")["number"]
        page = console(pages, town, desk).page
        stage(page, "CLOSED")
        old = expired(town, desk.code)
        late = {"authorization": f"Bearer {old}"}
        page.route(
            "**:open",
            lambda route: route.continue_(headers=route.request.headers | late),
            times=1,
        )
        button(page, "Buka loket").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        stage(page, "CLOSED", busy=True)
        dialog.get_by_label("Token").fill("bukan token")
        dialog.get_by_role("button", name="Masuk").click()
        expect(dialog).to_contain_text("tidak dapat dibaca")
        dialog.get_by_label("Token").fill(town.token("OFFICER", desk.code))
        dialog.get_by_role("button", name="Masuk").click()
        stage(page, "OPEN")
        page.keyboard.press("b")
        expect(page.locator("#number")).to_have_text(number)
        assert events(desk, "counter.open", "call") == ["counter.open", "call"]


def test_another_officers_counter_is_taken_over_only_while_it_serves_nobody(pages, town):
    with town.desk("73.71.12") as desk:
        for _ in range(2):
            desk.take("E")
        mine, theirs = (
            console(pages, town, desk, token=town.stack.token("OFFICER", desk.code, who)).page
            for who in ("ani", "budi")
        )
        button(mine, "Buka loket").click()
        stage(theirs, "OPEN")
        theirs.keyboard.press("b")
        expect(theirs.locator("#problem")).to_contain_text("Petugas lain memakai loket ini")
        mine.keyboard.press("b")
        stage(theirs, "CALLED")
        button(theirs, "Ambil alih").click()
        expect(theirs.locator("#problem")).to_contain_text("Petugas lain memakai loket ini")
        press(mine, "m")
        stage(mine, "SERVING")
        press(mine, "s")
        stage(theirs, "OPEN")
        theirs.keyboard.press("b")
        button(theirs, "Ambil alih").click()
        expect(theirs.locator("#acts [aria-disabled]")).to_have_count(0)
        expect(theirs.locator("#problem")).to_be_hidden()
        theirs.keyboard.press("b")
        stage(mine, "CALLED")
        mine.keyboard.press("m")
        expect(mine.locator("#problem")).to_contain_text("Petugas lain memakai loket ini")


def newer(route):
    """The journal as if a release that is not this page's had another name for a check-in."""
    there = route.fetch()
    route.fulfill(response=there, body=there.text().replace('"e":"present"', '"e":"arrived"'))


def test_a_leaf_that_only_a_newer_release_knows_does_not_stop_an_open_console(pages, town):
    with town.desk("73.71.15") as desk:
        desk.at(last(desk), "open")
        number = desk.take("E")["number"]
        context = pages.context("desktop")
        context.route("**/events?*", newer)
        page = console(pages, town, desk, context).page
        stage(page, "OPEN")
        page.fill("#paper-number", number)
        button(page, "Catat sudah datang").click()
        expect(page.locator("#paper-number")).to_be_focused()  # it is done
        page.locator("#paper-number").blur()
        due = page.locator("#next-number").text_content()
        press(page, "b")
        stage(page, "CALLED")
        expect(page.locator("#number")).to_have_text(due)
        assert events(desk, "present", "call") == ["present", "call"]


@pytest.mark.parametrize("role", ["KIOSK", "OFFICER"])
def test_who_may_not_act_here_is_told_so_and_may_sign_in_as_another(pages, town, role):
    with town.desk("73.71.13") as desk:
        token = town.token(role, desk.code if role == "KIOSK" else "73.71.14")
        page = console(pages, town, desk, token=token).page
    button(page, "Buka loket").click()
    expect(page.locator("#problem")).to_contain_text(re.compile("tidak berwenang|tidak bertugas"))
    button(page, "Masuk sebagai orang lain").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_counter_that_is_not_there_is_said_and_offers_nothing(pages, town):
    token = town.token("OFFICER", "73.71.13")
    seen = pages.open(f"/counter/73.71.13/9#token={token}", "desktop")
    expect(seen.page.locator("#headline")).to_contain_text("tidak memiliki loket")
    expect(seen.page.locator("#acts button:visible")).to_have_count(0)


def test_hostile_names_show_as_text(pages, town):
    with town.desk(HOSTILE) as desk:
        desk.take("E")
        seen = console(pages, town, desk)
        expect(seen.page.locator("#next-service")).to_have_text(f"E {ATTACK}")
        expect(seen.page.locator("#office")).to_contain_text(ATTACK)
        assert seen.page.locator("img[src=x]").count() == 0
        assert seen.faults == []
