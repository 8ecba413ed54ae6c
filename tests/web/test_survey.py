"""The tablet on a counter: it wakes for whoever was served, counts one answer, and sleeps.

Each test has the first counter of an office, where nobody else calls service B.
"""

import re

from playwright.sync_api import expect

from tests.web.axe import AXE, violations
from tests.web.town import DAY

PATIENCE = 60_000  # ms
COUNTER = "1"


def tablet(pages, town, code, context=None, token=""):
    path = f"/survey/{code}/{COUNTER}#token={token or town.token('KIOSK', code)}"
    seen = pages.within(context or pages.context("tablet"), path)
    expect(seen.page.locator("#counter")).to_have_text(f"Loket {COUNTER}")
    return seen


def served(desk):
    """Somebody is served at the counter, whoever it is that the rule names."""
    desk.take("B")
    return desk.serve(COUNTER)


def answers(desk):
    total = desk.satisfaction(**{"from": DAY, "to": DAY})["total"]
    names = ("verySatisfied", "satisfied", "notSatisfied")
    return [total[name]["count"] for name in names]


def asked(page, number):
    expect(page.locator("#ask")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#number")).to_have_text(number)


def test_one_press_after_service_is_one_answer_and_the_tablet_sleeps_again(pages, town):
    with town.desk("73.71.04") as desk:
        desk.at(COUNTER, "open")
        seen = tablet(pages, town, desk.code)
        page = seen.page
        expect(page.get_by_role("heading", name="Selamat datang")).to_be_visible()
        before = answers(desk)
        asked(page, served(desk))
        order = page.locator("#faces button")
        expect(order).to_have_text(["Sangat puas", "Puas", "Tidak puas"])
        page.get_by_role("button", name="Sangat puas").dblclick()
        expect(page.locator("#said-title")).to_have_text("Terima kasih!")
        expect(page.locator("#said-more")).to_have_text("Jawaban Anda sudah tercatat.")
        expect(page.locator("#idle")).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#open")).to_be_hidden()
        assert answers(desk) == [before[0] + 1, *before[1:]]
        page.reload()
        expect(page.locator("#counter")).to_have_text("Loket 1")
        expect(page.locator("#open")).to_be_hidden()
        asked(page, served(desk))
        assert seen.faults == []


def test_who_is_not_satisfied_may_say_why_with_three_reasons_at_most(pages, town):
    with town.desk("73.71.06") as desk:
        desk.at(COUNTER, "open")
        page = tablet(pages, town, desk.code).page
        before = answers(desk)
        number = served(desk)
        asked(page, number)
        page.get_by_role("button", name="Tidak puas").click()
        for name in ("Waktu tunggu", "Petugas", "Biaya", "Tempat"):
            page.get_by_role("button", name=name).click(force=True)
        chosen = page.locator(".reason[aria-pressed=true]")
        expect(chosen).to_have_text(["Waktu tunggu", "Petugas", "Biaya"])
        with page.expect_response("**/responses") as sent:
            page.get_by_role("button", name="Kirim").click()
        expect(page.locator("#said-title")).to_have_text("Terima kasih!")
        answer = sent.value.json()["response"]
        assert answer["number"] == number
        assert answer["reasons"] == ["WAITING", "OFFICER", "COST"]
        assert answers(desk) == [*before[:2], before[2] + 1]


def test_who_leaves_is_not_asked_for_ever_and_a_press_without_reasons_counts(pages, town):
    with town.desk("73.71.08") as desk:
        desk.at(COUNTER, "open")
        context = pages.context("tablet")
        context.clock.install()
        page = tablet(pages, town, desk.code, context).page
        before = answers(desk)
        number = served(desk)
        asked(page, number)
        page.clock.run_for(9_000)
        expect(page.locator("#idle")).to_be_visible()
        assert answers(desk) == before
        page.get_by_role("button", name=f"Beri penilaian untuk {number}").click()
        page.get_by_role("button", name="Tidak puas").click()
        page.clock.run_for(9_000)
        expect(page.locator("#said-more")).to_have_text("Jawaban Anda sudah tercatat.")
        assert answers(desk) == [*before[:2], before[2] + 1]


def test_the_next_who_sits_down_cannot_answer_for_the_one_before(pages, town):
    with town.desk("73.71.09") as desk:
        desk.at(COUNTER, "open")
        context = pages.context("tablet")
        context.clock.install()
        page = tablet(pages, town, desk.code, context).page
        asked(page, served(desk))
        page.clock.run_for(9_000)
        expect(page.locator("#open")).to_be_visible()
        desk.take("B")
        number = desk.at(COUNTER, "callNext")["ticket"]["number"]
        desk.at(COUNTER, "start", ticket=number)
        expect(page.locator("#open")).to_be_hidden(timeout=PATIENCE)
        desk.at(COUNTER, "complete", ticket=number)
        asked(page, number)


def test_an_answer_that_is_lost_counts_once_and_one_from_the_phone_is_enough(pages, town):
    with town.desk("73.71.10") as desk:
        desk.at(COUNTER, "open")
        page = tablet(pages, town, desk.code).page
        before = answers(desk)
        asked(page, served(desk))
        sent = []

        def lose(route):
            sent.append(route.request.headers["idempotency-key"])
            if len(sent) < 2:
                route.fetch()
                route.abort("connectionreset")
            else:
                route.continue_()

        page.route("**/responses", lose)
        page.locator(".face.well").click()
        expect(page.locator("#said-more")).to_have_text(
            "Jawaban Anda sudah tercatat.", timeout=PATIENCE
        )
        assert len(set(sent)) == 1
        assert answers(desk) == [before[0], before[1] + 1, before[2]]
        ticket = desk.take("B")
        while desk.serve(COUNTER) != ticket["number"]:
            pass
        desk.answer(ticket, "SATISFIED").raise_for_status()
        asked(page, ticket["number"])
        page.locator(".face.very").click()
        expect(page.locator("#said-more")).to_contain_text("sudah tercatat")
        assert answers(desk) == [before[0], before[1] + 2, before[2]]


def test_axe_finds_nothing_while_it_asks(pages, town):
    with town.desk("73.71.12") as desk:
        desk.at(COUNTER, "open")
        page = tablet(pages, town, desk.code, pages.context("tablet", reduced_motion="reduce")).page
        page.evaluate(AXE)
        asked(page, served(desk))
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.evaluate("dispatchEvent(new Event('pointerdown'))")  # somebody is still there
            assert violations(page) == []
        page.locator(".face.not").click()
        assert violations(page) == []


def test_a_tablet_that_may_not_ask_says_so(pages, town):
    token = town.token("KIOSK", "73.71.14")
    page = tablet(pages, town, "73.71.13", token=token).page
    expect(page.locator("#said-more")).to_contain_text(re.compile("tidak bertugas|tidak berwenang"))
