"""The hall's films: kept, played without a connection, each in its hours; none spoils another."""

import re

import pytest
from playwright.sync_api import expect

from services.local.apply import client
from tests.web.cinema import open_cinema, recorded, showing
from tests.web.door import open_door
from tests.web.pages import Pages, until
from tests.web.table import SERVING, called
from tests.web.town import ATTACK

HALL = SERVING
PAGE = f"/display/{HALL}"
PATIENCE = 60_000  # ms
KEPT = f"""async () => {{
  const cache = await caches.open("tunggu-films-{HALL}");
  return (await cache.keys()).map(({{ url }}) => new URL(url).pathname).sort();
}}"""
CLIPS = """async () => {
  const [script] = document.scripts;
  const voice = await import(script.src.replace("page.js", "voice.js"));
  return (await voice.clips(new AudioContext())).size;
}"""
PLAYS = "document.querySelector('#film video').currentTime > 0"


@pytest.fixture(scope="module")
def blank(browser, town):
    """A page of ours to run modules of the display in."""
    page = browser.new_context(base_url=town.url, bypass_csp=True).new_page()
    page.goto("/")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def film(blank):
    return recorded(blank)


@pytest.fixture
def cinema(town, film):
    with open_cinema(film) as cinema:
        yield cinema
    showing(town, HALL, [])


def listed(cinema, *names):
    return [{"url": f"{cinema.url}/{name}.webm", "title": name} for name in names]


def run(page, module, work, value=None):
    code = f"async (value) => {{ const m = await import('/web/-/display/{module}');"
    return page.evaluate(f"{code} return ({work})(m, value); }}", value)


def plays(page, title):
    """Until the film of that title moves on the wall."""
    expect(page.locator("#film figcaption")).to_have_text(title, timeout=PATIENCE)
    expect(page.locator("#film")).to_be_visible(timeout=PATIENCE)
    assert until(page, PLAYS, True)


def keeps(page, *paths):
    """Until the screen keeps just these."""
    assert until(page, KEPT, sorted(paths))


def at_work(page):
    """Until the service worker has the page in hand."""
    assert until(page, "navigator.serviceWorker.controller !== null", True)


# --- without a connection ---------------------------------------------------------------------


def test_a_screen_that_starts_without_a_line_shows_what_it_knew_and_plays_its_films(
    pages, town, cinema
):
    films = listed(cinema, "a", "b")
    films[0]["captions"] = f"{cinema.url}/a.vtt"
    showing(town, HALL, films)
    number = called(town)["number"]
    context = pages.context("hall")
    seen = pages.within(context, PAGE)
    page = seen.page
    expect(page.locator("#big > .number")).to_have_text(number)
    keeps(page, "/a.webm", "/b.webm", "/a.vtt")
    at_work(page)
    context.set_offline(True)
    page.reload()
    expect(page.locator("#big > .number")).to_have_text(number)
    expect(page.locator("#office")).to_have_text("Kecamatan Mariso")
    expect(page.locator("#running")).not_to_be_empty()
    expect(page.locator("#stale")).to_contain_text(re.compile(r"Data terakhir pukul \d\d\.\d\d"))
    plays(page, "a")
    expect(page.locator("#film track")).to_have_js_property("readyState", 2)
    plays(page, "b")
    assert page.evaluate(CLIPS) > 40
    context.set_offline(False)
    expect(page.locator("#stale")).to_be_hidden(timeout=PATIENCE)
    plays(page, "a")
    assert cinema.asked == {"/a.webm": 1, "/b.webm": 1, "/a.vtt": 1}
    assert seen.errors == []


def test_a_proxy_that_says_that_nobody_is_behind_it_is_no_page_for_a_wall(browser, town):
    number = called(town)["number"]
    with open_door(town.url) as door:
        pages = Pages(browser, door.url)
        page = pages.open(PAGE, "hall").page
        expect(page.locator("#big > .number")).to_have_text(number)
        at_work(page)
        door.shut = True
        page.reload()
        expect(page.locator("#big > .number")).to_have_text(number)
        expect(page.locator("#stale")).to_be_visible(timeout=PATIENCE)
        door.shut = False
        expect(page.locator("#stale")).to_be_hidden(timeout=PATIENCE)
        pages.close()


GIVEN_UP = """async () => {
  const begun = (await caches.keys()).some((name) => name.startsWith("tunggu-hall-"));
  return begun && !(await navigator.serviceWorker.getRegistration());
}"""


def test_while_a_release_is_rolled_out_a_screen_keeps_no_file_of_another_one(browser, town):
    with open_door(town.url) as door:
        pages = Pages(browser, door.url)
        door.former = True
        page = pages.open(PAGE, "hall").page
        assert until(page, GIVEN_UP, True)
        door.former = False
        page.reload()
        at_work(page)
        pages.close()


def test_a_film_that_is_no_longer_shown_is_let_go_and_a_new_one_is_fetched(pages, town, cinema):
    showing(town, HALL, listed(cinema, "a"))
    page = pages.open(PAGE, "hall").page
    keeps(page, "/a.webm")
    showing(town, HALL, listed(cinema, "b"))
    page.reload()
    plays(page, "b")
    keeps(page, "/b.webm")
    showing(town, HALL, [])
    page.reload()
    keeps(page)
    expect(page.locator("#film")).to_be_hidden()


def test_of_an_office_that_is_gone_nothing_stays_on_the_wall_until_it_is_back(
    own_pages, own_town, film
):
    with open_cinema(film) as cinema:
        showing(own_town, HALL, listed(cinema, "a"))
        number = called(own_town)["number"]
        context = own_pages.context("hall")
        context.clock.install()
        page = own_pages.within(context, PAGE).page
        plays(page, "a")
        keeps(page, "/a.webm")
        expect(page.locator("#big > .number")).to_have_text(number)
        with client(own_town.url, own_town.token("ADMIN", "*")) as http:
            http.delete(f"/v1/kecamatan/{HALL}").raise_for_status()
        page.clock.fast_forward(5 * 60_000)
        expect(page.locator("#office")).to_have_text("Kantor ini tidak dikenal.", timeout=PATIENCE)
        expect(page.locator("#film")).to_be_hidden()
        expect(page.locator("#running")).to_be_hidden()
        expect(page.locator("#big > .number")).to_have_count(0)
        keeps(page)
        showing(own_town, HALL, listed(cinema, "b"))
        page.clock.fast_forward(5 * 60_000)
        expect(page.locator("#office")).to_have_text("Kecamatan Mariso", timeout=PATIENCE)
        keeps(page, "/b.webm")


OTHERS = """async (m) => {
  const week = 7 * 24 * 3600_000;
  for (const [place, looked] of [["1", Date.now()], ["2", Date.now() - 2 * week], ["3", null]]) {
    await caches.open(m.shelfOf(place));
    if (looked) localStorage[`tunggu.display.${place}`] = JSON.stringify({ looked });
  }
  await caches.open("tunggu-phone-x");
  await m.forgetOthers();
  const left = [1, 2, 3].map((place) => `tunggu.display.${place}` in localStorage);
  const names = await caches.keys();
  await Promise.all([m.shelfOf("1"), "tunggu-phone-x"].map((name) => caches.delete(name)));
  return [["1", "2", "3"].map((place) => names.includes(m.shelfOf(place))), left,
    names.includes("tunggu-phone-x")];
}"""


def test_a_screen_lets_go_of_an_office_that_it_has_not_shown_for_long_and_of_no_other(
    browser, town
):
    page = browser.new_context(base_url=town.url, bypass_csp=True).new_page()
    page.goto("/version")
    try:
        here = [True, False, False]
        assert run(page, "last.js", OTHERS) == [here, here, True]
    finally:
        page.context.close()


# --- what cannot be kept, or cannot be played ---------------------------------------------------


def test_a_film_that_other_hosts_may_not_read_plays_from_where_it_is(pages, town, cinema):
    showing(town, HALL, listed(cinema, "closed"))
    page = pages.open(PAGE, "hall").page
    plays(page, "closed")
    assert page.locator("#film video").get_attribute("src") == f"{cinema.url}/closed.webm"
    keeps(page)


def test_what_is_gone_broken_or_no_film_is_left_out_and_not_kept(pages, town, cinema):
    showing(town, HALL, listed(cinema, "gone", "broken", "excuse", "a"))
    page = pages.open(PAGE, "hall").page
    plays(page, "a")
    keeps(page, "/a.webm")
    plays(page, "a")


HOSTILE = [
    *("javascript:alert(1)", "data:video/webm;base64,AAAA", "blob:null/x", "file:///etc/passwd"),
    *("https://", "https://[::1", "about:blank"),
]


def test_hostile_addresses_and_titles_load_nothing_and_show_as_text(pages, town, cinema):
    films = [{"url": url, "title": ATTACK} for url in HOSTILE]
    films += [film | {"title": ATTACK} for film in listed(cinema, "a")]
    films[-1]["captions"] = "javascript:alert(1)"
    showing(town, HALL, films)
    seen = pages.open(PAGE, "hall")
    plays(seen.page, ATTACK)
    keeps(seen.page, "/a.webm")
    assert seen.page.locator("img[src=x]").count() == 0
    assert seen.faults == []


# --- how much is kept ---------------------------------------------------------------------------

STOCK = """async (m, [bounds, names]) => {
  await caches.delete("tunggu-films-test");
  const shelf = m.shelf("tunggu-films-test", bounds);
  const films = names.map((url) => ({ url }));
  shelf.stock(films);
  const taken = [];
  for (const film of films) {
    const { url, release } = await shelf.take(film);
    taken.push([url.startsWith("blob:"), (await (await fetch(film.url)).blob()).size]);
    release();
  }
  return [taken, films.every(shelf.ready)];
}"""


def stocked(blank, names, **bounds):
    (taken, ready) = run(blank, "shelf.js", STOCK, [bounds, names])
    assert ready
    return [size for kept, size in taken if kept], [size for kept, size in taken if not kept]


NAMES = [f"/web/-/voice/{word}.opus" for word in ("a", "b", "nomor-antrean", "c", "d")]


def test_a_screen_keeps_no_file_that_is_too_large(blank):
    kept, left = stocked(blank, NAMES, largest=5000)
    assert len(kept) == 4
    assert max(kept) <= 5000 < min(left)


def test_a_screen_keeps_no_more_than_its_bound_in_all(blank):
    kept, left = stocked(blank, NAMES, most=4500)
    assert sum(kept) <= 4500 < sum(kept) + min(left)
    assert len(kept) == 2


FRUGAL = """async (m, url) => {
  await caches.delete("tunggu-films-test");
  const shelf = m.shelf("tunggu-films-test", { largest: 1000 });
  for (let i = 0; i < 3; i++) {
    shelf.stock([{ url }]);
    const { release } = await shelf.take({ url });
    release();
    shelf.stock([]);
    shelf.stock([{ url }]);
    await shelf.take({ url });
  }
  return (await (await caches.open("tunggu-films-test")).keys()).length;
}"""


def test_a_file_that_does_not_say_that_it_is_too_large_is_not_fetched_again(blank, cinema):
    assert run(blank, "shelf.js", FRUGAL, f"{cinema.url}/a.webm?unmeasured") == 0
    assert cinema.asked == {"/a.webm?unmeasured": 1}


# --- when ---------------------------------------------------------------------------------------

MORNING = {"hours": [{"open": "08:00", "close": "12:00"}]}
BOTH = {"hours": [{"open": "08:00", "close": "12:00"}, {"open": "13:00", "close": "24:00"}]}


@pytest.mark.parametrize(
    ("film", "clock", "shown"),
    [
        ({}, "03:00", True),
        ({"hours": []}, "03:00", True),
        (MORNING, "07:59", False),
        (MORNING, "08:00", True),
        (MORNING, "11:59", True),
        (MORNING, "12:00", False),
        (BOTH, "12:30", False),
        (BOTH, "23:59", True),
        (BOTH, "00:00", False),
    ],
)
def test_a_film_is_due_in_its_hours_and_without_any_always(blank, film, clock, shown):
    assert (
        run(blank, "films.js", "(m, [film, clock]) => m.due(film, clock)", [film, clock]) is shown
    )


@pytest.mark.parametrize(
    ("at", "fit", "found"),
    [(-1, "abc", 0), (0, "abc", 1), (2, "abc", 0), (0, "a", 0), (0, "c", 2), (1, "", -1)],
)
def test_the_next_film_is_the_next_one_that_is_fit_and_after_the_last_the_first(
    blank, at, fit, found
):
    work = "(m, [at, fit]) => m.following([...'abc'], at, (one) => fit.includes(one))"
    assert run(blank, "films.js", work, [at, fit]) == found
    assert run(blank, "films.js", "(m) => m.following([], -1, () => true)") == -1


def wall(pages, clock):
    """A display far from Makassar, to which the server says that it is that time, UTC."""
    context = pages.context("hall", timezone_id="America/New_York", service_workers="block")

    def answer(route):
        there = route.fetch()
        told = there.headers | {"date": f"Mon, 02 Mar 2026 {clock}:00 GMT"}
        route.fulfill(response=there, headers=told)

    context.route("**/v1/kecamatan/*", answer)
    return pages.within(context, PAGE).page


def test_a_wall_shows_only_what_is_due_by_the_clock_of_the_office(pages, town, cinema):
    films = listed(cinema, "a", "b")
    films[0]["hours"] = [{"open": "19:00", "close": "19:30"}]
    films[1]["hours"] = [{"open": "19:30", "close": "20:00"}]
    showing(town, HALL, films)
    for clock, title in [("11:10", "a"), ("11:40", "b")]:
        page = wall(pages, clock)
        keeps(page, "/a.webm", "/b.webm")
        plays(page, title)
        page.evaluate("document.querySelector('#film video').dispatchEvent(new Event('ended'))")
        plays(page, title)
    page = wall(pages, "12:10")
    keeps(page, "/a.webm", "/b.webm")
    expect(page.locator("#film")).to_be_hidden()
