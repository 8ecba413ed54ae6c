"""Networks that go, services that restart, phones without a connection: pages say how old they are,
come back by themselves, and do nothing twice."""

import json
import re
import time
from contextlib import ExitStack

import pytest
from playwright.sync_api import Error, expect

from tests.web.followed import FOLLOWED, PATIENCE, Taking
from tests.web.pages import until
from tests.web.town import DAY, HOSTILE, MAKASSAR, running

SLOW_S = 5  # is worth a line beside a failure
SETTLED_S = 4  # until the city's stream, too, has told of every number that was taken
AGE = re.compile(r"Data terakhir pukul \d\d\.\d\d")


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Of this file's own: it is broken here."""
    with running(tmp_path_factory.mktemp("town")) as town:
        yield town


def each(those, work):
    """Does `work` with every page; what fails names its page, after what had been slow."""
    for one in those:
        name, since = f"{type(one).__name__} of {one.code}", time.monotonic()
        try:
            work(one)
        except (AssertionError, Error) as error:
            error.add_note(f"the page: {name}")
            raise
        if (took := time.monotonic() - since) > SLOW_S:
            print(f"{name}: {took:.1f} s")


def cut(town, away, those):
    if away == "network":
        # A browser that is told to be offline keeps the streams that it has open. What is still on
        # its way would be the present: a page is right to show it, and not to be stale.
        time.sleep(SETTLED_S)
        each(those, lambda one: one.page.context.set_offline(True))
    else:
        town.stack.kill(away)


def mend(town, away, those):
    """Until every service answers again through the gateway."""
    if away == "network":
        return each(those, lambda one: one.page.context.set_offline(False))
    town.stack.restart(away)
    paths = [f"{those[0].desk.office}/{what}" for what in ("board", "satisfaction")]
    since = time.monotonic()
    for _ in range(240):
        answers = [those[0].desk.get(path).status_code for path in paths]
        if answers == [200, 200]:
            return print(f"{away} answers after {time.monotonic() - since:.1f} s")
        time.sleep(0.25)
    return pytest.fail("the town does not answer")


def stale(one):
    expect(one.page.locator("#stale")).to_be_visible(timeout=PATIENCE)
    expect(one.page.locator("#stale")).to_contain_text(AGE)


def mended(one):
    """The present stands there, on the page that was opened."""
    one.shows()
    expect(one.page.locator("#stale")).to_be_hidden(timeout=PATIENCE)
    assert one.page.evaluate("window.same") or isinstance(one, Taking)


def did(one):
    one.done()
    assert one.times() == one.before + one.does


@pytest.mark.parametrize("away", ["network", "gateway", "queue-1", "survey"])
def test_every_page_says_that_it_is_cut_off_recovers_and_does_what_was_pressed_once(
    away, town, pages
):
    with ExitStack() as desks:
        those = [
            page(town, desks.enter_context(town.desk(page.code)))
            for page in FOLLOWED
            if away in page.lives_on | page.acts_on
        ]
        each(those, lambda one: one.open(pages))
        cut(town, away, those)
        each([one for one in those if away in one.lives_on], stale)
        each(those, lambda one: one.press())
        each(those, lambda one: one.waits and one.says(*one.waits))
        if away == "network":  # nothing can happen while a process is away
            each(those, lambda one: one.change())
        mend(town, away, those)
        if away != "network":
            each(those, lambda one: one.change())
        each(those, did)
        each(those, mended)


def test_where_streams_do_not_get_through_the_page_asks_instead(pages, town):
    with town.desk(HOSTILE) as desk:  # no page above is of this office
        ticket = desk.take()
        phone = pages.context(service_workers="block")
        phone.route("**/v1/streams/**", lambda route: route.abort())
        page = pages.within(phone, f"/t/{ticket['id']}").page
        expect(page.locator("#card")).to_have_attribute("data-state", "WAITING")
        desk.at("1", "open")
        desk.at("1", "callNext")
        expect(page.locator("#headline")).to_contain_text("loket 1", timeout=PATIENCE)
        expect(page.locator("#stale")).to_be_hidden()


OFFICE = {
    "phone": ("/#{k}", "", "#office-name"),
    "display": ("/display/{k}", "", "#office"),
    "counter": ("/counter/{k}/1", "OFFICER", "#office"),
    "survey": ("/survey/{k}/1", "KIOSK", "#office"),
    "dashboard": ("/dashboard/{k}", "SUPERVISOR", "#name"),
    "verify": (f"/verify/{{k}}/{DAY}", "", "#office"),
}


@pytest.mark.parametrize("name", OFFICE)
def test_a_page_that_could_not_learn_its_office_asks_again_when_the_line_is_back(name, town, pages):
    path, role, place = OFFICE[name]
    path = path.format(k=MAKASSAR)
    context = pages.context("desktop", service_workers="block")
    lost = []
    nothing = "**/v1/kecamatan/73.71.03"
    context.route(nothing, lambda route: (lost.append(1), route.abort()))
    context.route("**/figures?*", lambda route: route.abort())
    page = pages.within(context, town.link(path, role) if role else path).page
    if name == "dashboard":
        expect(page.locator("#period-problem")).to_be_visible(timeout=PATIENCE)
    context.unroute("**/figures?*")
    page.wait_for_timeout(500)
    assert lost
    assert "Kecamatan" not in page.locator(place).inner_text()
    context.set_offline(True)
    expect(page.locator("#stale")).to_be_visible(timeout=PATIENCE)
    context.unroute(nothing)
    context.set_offline(False)
    expect(page.locator(place)).to_have_text("Kecamatan Makassar", timeout=PATIENCE)
    if name == "dashboard":
        page.locator("#services-table td").first.wait_for(timeout=PATIENCE)
        expect(page.locator("#period-problem")).to_be_hidden(timeout=PATIENCE)


def test_an_answer_that_comes_late_does_not_put_people_back_before_a_number(pages, town):
    with town.desk("73.71.02") as desk:
        desk.at("1", "open")
        ticket = [desk.take() for _ in range(3)][-1]
        page = pages.within(pages.context(service_workers="block"), f"/t/{ticket['id']}").page
        expect(page.locator("#ahead")).to_have_text("2")
        held = []
        page.route("**:checkIn", lambda route: held.append((route, route.fetch())))
        page.get_by_role("button", name="Saya sudah di sini").click()
        expect(page.locator("#detail")).to_be_visible(timeout=PATIENCE)  # by the stream
        desk.at("1", "callNext")
        expect(page.locator("#ahead")).to_have_text("1", timeout=PATIENCE)
        ((route, answer),) = held
        assert answer.json()["ticket"]["ahead"] == 2
        route.fulfill(response=answer)
        expect(page.locator("[aria-busy]")).to_have_count(0)
        expect(page.locator("#ahead")).to_have_text("1")


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
        expect(page.locator("#number")).to_have_text(ticket["number"], timeout=PATIENCE)
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
