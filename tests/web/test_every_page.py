"""What holds for every page of the table: readable by all, small, calm, and nothing foreign."""

from urllib.parse import urlsplit

import pytest

from tests.web.axe import AXE, violations
from tests.web.pages import SIZES
from tests.web.table import TABLE
from tests.web.town import ATTACK, HOSTILE, MAKASSAR

every_page = pytest.mark.parametrize("shown", TABLE, ids=lambda shown: shown.name)
FOCUS = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  return { what: one.outerHTML.slice(0, 90), outline: parseFloat(style.outlineWidth) || 0,
           seen: box.width > 1 && box.height > 1 && box.right > 0 && box.bottom > 0 };
}"""

# Where a walk ended, or what had the focus and was hidden, the next one would begin.
TOP = """() => {
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.blur();
  document.body.removeAttribute("tabindex");
}"""

SMALL = """() => [...document.querySelectorAll("button, a[href], input, summary")]
  .filter((one) => one.checkVisibility() && !one.closest(".skip") && one.type !== "checkbox")
  .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
  .filter(([, { width, height }]) => height && (height < 44 || width < 44))
  .map(([html]) => html)"""


def is_media(event):
    return event["response"]["mimeType"].startswith(("audio/", "video/"))


def opened(pages, town, desk, shown, **settings):
    seen = pages.open(shown.address(town, desk), **settings)
    seen.page.locator(shown.ready).first.wait_for()
    return seen


def test_axe_would_find_what_is_wrong(pages):
    page = pages.open("/").page
    page.evaluate(AXE)
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert any(one.startswith("button-name") for one in violations(page))


@every_page
@pytest.mark.parametrize("language", ["id", "en"])
def test_axe_finds_nothing_at_any_size_in_either_scheme(pages, town, desk, shown, language):
    seen = opened(pages, town, desk, shown, language=language, reduced_motion="reduce")
    seen.page.evaluate(AXE)
    found = []
    for size in ("phone", "desktop"):
        for scheme in ("light", "dark"):
            seen.page.set_viewport_size(SIZES[size])
            seen.page.emulate_media(color_scheme=scheme)
            found += [f"{size} {scheme} {one}" for one in violations(seen.page)]
    assert found == []
    assert seen.page.locator("html").get_attribute("lang") == language
    assert seen.faults == []


@every_page
def test_the_keyboard_reaches_everything_and_shows_where_it_is(pages, town, desk, shown):
    page = opened(pages, town, desk, shown).page
    pressed = "a[href], button, input, select, textarea, summary, [tabindex='0']"
    pressed = page.locator(f":is({pressed}):visible:not([disabled]):not([type=hidden])")
    for _ in range(8):  # what a page hears a moment later may bring a button, or take one away
        steps = walked(page)
        if steps and "skip" in steps[0]["what"] and len(steps) >= pressed.count():
            break
        page.wait_for_timeout(500)
    assert "skip" in steps[0]["what"]
    assert all(step["outline"] >= 2 and step["seen"] for step in steps), steps
    assert len(steps) >= pressed.count(), (len(steps), pressed.count())


def walked(page):
    """Where the key Tab leads, from the page's first stop to its last."""
    page.evaluate(TOP)
    steps = []
    for _ in range(60):
        page.keyboard.press("Tab")
        step = page.evaluate(FOCUS)
        if step is None:
            return steps
        steps.append(step)
    return pytest.fail("the keyboard is caught in the page")


@every_page
def test_a_page_fits_every_size_and_what_is_pressed_fits_a_thumb(pages, town, desk, shown):
    seen = opened(pages, town, desk, shown)
    assert seen.page.evaluate(SMALL) == []
    for size in SIZES.values():
        seen.page.set_viewport_size(size)
        assert seen.fits(), size


@pytest.mark.parametrize("path", ["/docs", f"/v1/kecamatan/{MAKASSAR}/report"])
def test_what_is_looked_up_or_printed_fits_a_phone_too(browser, town, path):
    page = browser.new_context(base_url=town.url, viewport=SIZES["phone"]).new_page()
    page.goto(path)
    try:
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"]["width"]
    finally:
        page.context.close()


@every_page
def test_who_asks_for_calm_sees_nothing_move(pages, town, desk, shown):
    page = opened(pages, town, desk, shown, reduced_motion="reduce").page
    moving = "document.getAnimations().filter((one) => one.effect.getComputedTiming().duration > 1)"
    assert page.evaluate(f"{moving}.length") == 0


@every_page
def test_a_first_visit_is_small_and_asks_nobody_else(pages, town, desk, shown):
    context = pages.context(service_workers="block")
    page = context.new_page()
    asked, sizes, media = [], [], set()
    page.on("request", lambda request: asked.append(request.url))
    cdp = context.new_cdp_session(page)
    cdp.send("Network.enable")
    cdp.on(
        "Network.responseReceived", lambda event: is_media(event) and media.add(event["requestId"])
    )
    cdp.on(
        "Network.loadingFinished",
        lambda event: event["requestId"] in media or sizes.append(event["encodedDataLength"]),
    )
    page.goto(shown.address(town, desk))
    page.locator(shown.ready).first.wait_for()
    page.wait_for_timeout(300)
    print(f"{shown.name}: {sum(sizes) / 1024:.0f} KB in {len(sizes)} answers")
    assert 0 < sum(sizes) <= shown.budget
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(pages.url).netloc}


def test_hostile_text_shows_as_text(pages, town, desk):
    seen = pages.open(f"/#{HOSTILE}/A")
    seen.page.locator("#service-requirements li").first.wait_for()
    assert seen.page.locator("h1:visible").text_content().endswith(ATTACK)
    assert seen.page.locator("#service-cost").text_content() == ATTACK
    assert seen.page.locator("img[src=x]").count() == 0
    assert seen.faults == []
    with town.desk(HOSTILE) as there:
        ticket = there.take()
    bare = pages.context(java_script_enabled=False).new_page()
    for page in (pages.open(f"/t/{ticket['id']}").page, bare):
        page.goto(f"/t/{ticket['id']}")
        assert ATTACK in page.locator("#office").text_content()
        assert ATTACK in page.locator("#address").text_content()
        assert page.locator("img[src=x]").count() == 0
