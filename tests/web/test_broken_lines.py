"""Networks that go, services that restart, phones without a connection: pages say how old they are,
come back by themselves, and do nothing twice."""

import json
import re

from playwright.sync_api import expect

from tests.web.pages import until
from tests.web.town import MAKASSAR

PATIENCE = 60_000  # ms for what must come back
AGE = re.compile(r"Data terakhir pukul \d\d\.\d\d")


def test_pages_say_that_they_are_stale_and_come_back_when_the_gateway_does(own_town, own_pages):
    with own_town.desk() as desk:
        desk.at("1", "open")
        tickets = [desk.take() for _ in range(3)]
        city = own_pages.open("/").page
        office = own_pages.open(f"/#{MAKASSAR}").page
        ticket = own_pages.open(f"/t/{tickets[2]['id']}").page
        expect(ticket.locator("#ahead")).to_have_text("2")
        expect(office.locator("#services li").first).to_contain_text("3 menunggu")
        expect(city.locator("#offices li").nth(3)).to_contain_text("3 menunggu")
        everyone = (city, office, ticket)
        for page in everyone:
            expect(page.locator("#stale")).to_be_hidden()
            page.evaluate("window.same = true")

        own_town.stack.kill("gateway")
        for page in everyone:
            stale = page.locator("#stale")
            expect(stale).to_be_visible(timeout=PATIENCE)
            expect(stale).to_contain_text(AGE)
        expect(ticket.locator("#number")).to_have_text(tickets[2]["number"])
        ticket.get_by_role("button", name="Saya sudah di sini").click()
        expect(ticket.locator("#problem")).to_contain_text("Belum terkirim")

        own_town.stack.restart("gateway")
        for page in everyone:
            expect(page.locator("#stale")).to_be_hidden(timeout=PATIENCE)
        expect(ticket.locator("#detail")).to_have_text(
            "Kedatangan Anda sudah tercatat.", timeout=PATIENCE
        )
        expect(ticket.locator("#problem")).to_be_empty()
        desk.at("1", "callNext")
        expect(ticket.locator("#ahead")).to_have_text("1")
        expect(office.locator("#services li").first).to_contain_text("2 menunggu")
        expect(city.locator("#offices li").filter(has_text="Makassar")).to_contain_text(
            "2 menunggu"
        )
        assert all(page.evaluate("window.same") for page in everyone)
        events = desk.get(f"{desk.office}/days/2026-03-02/events").text.splitlines()
        assert sum('"present"' in line for line in events) == 1


def test_a_queue_that_is_away_makes_pages_stale_though_the_gateway_answers(own_town, own_pages):
    with own_town.desk() as desk:
        ticket = desk.take()
        page = own_pages.open(f"/t/{ticket['id']}").page
        expect(page.locator("#stale")).to_be_hidden()
        own_town.stack.kill("queue-1")
        expect(page.locator("#stale")).to_be_visible(timeout=PATIENCE)
        own_town.stack.restart("queue-1")
        expect(page.locator("#stale")).to_be_hidden(timeout=PATIENCE)


def test_where_streams_do_not_get_through_the_page_asks_instead(pages, town):
    with town.desk("73.71.14") as desk:
        ticket = desk.take()
        phone = pages.context(service_workers="block")
        phone.route("**/v1/streams/**", lambda route: route.abort())
        page = pages.within(phone, f"/t/{ticket['id']}").page
        expect(page.locator("#card")).to_have_attribute("data-state", "WAITING")
        desk.at("1", "open")
        desk.at("1", "callNext")
        expect(page.locator("#headline")).to_contain_text("loket 1", timeout=PATIENCE)
        expect(page.locator("#stale")).to_be_hidden()


# --- without a connection ---------------------------------------------------------------------


def installed(page):
    """Until the phone keeps the pages."""
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    assert until(page, "navigator.serviceWorker.controller !== null")


def test_a_phone_without_a_connection_shows_its_last_ticket_and_how_old_it_is(pages, town):
    with town.desk("73.71.15") as desk:
        ticket = desk.take()
        phone = pages.context()
        page = pages.within(phone, f"/t/{ticket['id']}").page
        expect(page.locator("#card")).to_have_attribute("data-state", "WAITING")
        expect(page.locator("#office")).to_have_text("Kecamatan Kepulauan Sangkarrang")
        installed(page)
        phone.set_offline(True)
        page.reload()
        expect(page.locator("#number")).to_have_text(ticket["number"])
        expect(page.locator("#office")).to_have_text("Kecamatan Kepulauan Sangkarrang")
        expect(page.locator("#stale")).to_contain_text(
            re.compile(r"Data terakhir pukul \d\d\.\d\d")
        )
        page.goto("/")
        expect(page.locator("#tickets a")).to_contain_text(ticket["number"])
        expect(page.locator("#stale")).to_be_visible()
        page.goto(f"/t/{ticket['id']}")
        phone.set_offline(False)
        expect(page.locator("#stale")).to_be_hidden(timeout=PATIENCE)


LEFT = """async () => {
  for (const name of ["tunggu-0123456789ab", "tunggu-hall-0123456789ab", "tunggu-phone-0123456789ab"]) {
    const cache = await caches.open(name);
    for (const path of ["/", "/icon.svg"]) await cache.put(path, new Response("former"));
  }
}"""  # noqa: E501
OWNERS = "async () => (await caches.keys()).map((name) => name.split('-')[1]).sort()"


def test_a_new_release_clears_away_its_former_ones_and_shows_nothing_that_another_worker_keeps(
    pages,
):
    phone = pages.context()
    page = phone.new_page()
    page.goto("/version")
    page.evaluate(LEFT)
    page = pages.within(phone, "/").page
    installed(page)
    assert until(page, OWNERS, ["hall", "phone"])
    phone.set_offline(True)
    page.reload()
    expect(page.locator("#offices li").first).to_be_visible()
    assert "former" not in page.evaluate("fetch('/icon.svg').then((answer) => answer.text())")


def test_a_push_is_shown_and_opens_its_ticket_and_nothing_foreign(pages, town, desk):
    phone = pages.context(permissions=["notifications"])
    page = pages.within(phone, "/").page
    installed(page)
    cdp = phone.new_cdp_session(page)
    workers = []
    cdp.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: workers.extend(event["registrations"]),
    )
    cdp.send("ServiceWorker.enable")
    page.wait_for_timeout(200)
    ticket = desk.take()
    told = {"id": "1", "kind": "CALLED", "title": "A001", "body": "Loket 2", "language": "id"}
    registration = workers[-1]["registrationId"]

    def push(data):
        where = {"origin": pages.url, "registrationId": registration}
        cdp.send("ServiceWorker.deliverPushMessage", {**where, "data": data})

    push(json.dumps(told | {"url": f"/t/{ticket['id']}"}))
    push("not json")
    shown = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
      .map(({ title, body, data }) => [title, body, data.url])"""
    for _ in range(200):
        found = sorted(page.evaluate(shown))  # two at once have no order of their own
        if len(found) == 2:
            break
        page.wait_for_timeout(100)
    assert found == [["A001", "Loket 2", f"/t/{ticket['id']}"], ["Tunggu", "", "/"]]
