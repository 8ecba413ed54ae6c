"""The shared modules in a real browser: numbers, waits, boards, and an action that happens once."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect

from services.gateway import waits
from services.gateway.pages import WEB
from tests.web.axe import AXE, violations

NUMBERS = {
    "A005": "a nol nol lima", "A012": "a nol dua belas", "A010": "a nol sepuluh",
    "A100": "a seratus", "A111": "a seratus sebelas", "A120": "a seratus dua puluh",
    "B011": "b nol sebelas", "K215": "k dua ratus lima belas", "A000": "a nol nol nol",
    "A1000": "a seribu", "A1999": "a seribu sembilan ratus sembilan puluh sembilan",
    "3": "tiga", "12": "dua belas", "2B": "dua b",
}  # fmt: skip
ONES = "nol satu dua tiga empat lima enam tujuh delapan sembilan".split()
VALUES = {word: number for number, word in enumerate(ONES)}


@pytest.fixture(scope="module")
def core(browser, town):
    """A page of ours, and `core("number.js", "m => m.spoken('A012')")`."""
    page = browser.new_context(base_url=town.url).new_page()
    page.goto("/")

    def run(module, work, value=None):
        code = f"async (value) => {{ const m = await import('/web/-/core/{module}');"
        return page.evaluate(f"{code} return ({work})(m, value); }}", value)

    run.page = page
    yield run
    page.context.close()


def value_of(words):
    """A cardinal read back: what a listener makes of it."""
    total = part = 0
    for word in words:
        if word in VALUES:
            part += VALUES[word]
        elif word in ("sepuluh", "sebelas"):
            part += 10 + (word == "sebelas")
        elif word in ("seratus", "seribu"):
            total, part = (total + 100, part) if word == "seratus" else (total + 1000, part)
        elif word == "belas":
            part += 10
        elif word == "puluh":
            total, part = total + part * 10, 0
        elif word == "ratus":
            total, part = total + part * 100, 0
        elif word == "ribu":
            total, part = (total + part) * 1000, 0
    return total + part


def test_a_number_is_read_as_people_read_it(core):
    said = core("number.js", "(m, all) => all.map((n) => m.spoken(n).join(' '))", list(NUMBERS))
    assert said == list(NUMBERS.values())
    assert core("number.js", "(m) => m.spoken('A012', true).join(' ')") == "a nol satu dua"


def test_every_cardinal_is_heard_as_the_number_that_it_is(core):
    said = core("number.js", "(m) => Array.from({ length: 10000 }, (_, n) => m.cardinal(n))")
    assert [value_of(words) for words in said] == list(range(10000))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(1, 900), st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_runs_of_a_line_are_counted_and_spread(core, first, lengths):
    runs, numbers = [], []
    for length in lengths:
        run = [f"A{first + i:03}" for i in range(length)]
        numbers += run
        runs.append(run[0] if length == 1 else f"{run[0]}-{run[-1]}")
        first += length + 1
    found = core("board.js", "(m, runs) => [m.length(runs), m.numbers(runs)]", runs)
    assert found == [len(numbers), numbers]


def test_an_expected_wait_lies_on_the_straight_line_between_two_places(core):
    service = {
        "waiting": ["A001-A004"],
        "beyondClosing": True,
        "forecast": [
            {"position": 1, "p50Seconds": 60, "p90Seconds": 120},
            {"position": 9, "p50Seconds": 860, "p90Seconds": 920},
        ],
    }
    found = core("board.js", "(m, s) => [1, 5, 9, 10].map((p) => m.forecast(s, p))", service)
    assert [one and one["p50Seconds"] for one in found] == [60, 460, 860, None]
    assert core("board.js", "(m, s) => m.forNext(s).p90Seconds", service) == 520
    assert core("board.js", "(m) => m.forNext({ waiting: [], forecast: [] })") is None


WAITS = [
    *((20, 50), (100, 400), (700, 1300), (3000, 5400), (7200, 10800), (1500, 1500)),
    *((16_200, 25_000), (0, 61), (5400, 5400), (3_600_000, 5_000_000)),
]
SAID = {
    "id": [
        *("sebentar lagi", "2–7 menit", "15–25 menit", "50–90 menit", "2–3 jam"),
        *("sekitar 25 menit", "4,5–7 jam", "1–2 menit", "sekitar 1,5 jam", "1.000–1.389 jam"),
    ],
    "en": [
        *("very soon", "2–7 minutes", "15–25 minutes", "50–90 minutes", "2–3 hours"),
        *("about 25 minutes", "4.5–7 hours", "1–2 minutes", "about 1.5 hours"),
        "1,000–1,389 hours",
    ],
}
SAY = """async ([waits, numbers]) => {
  const { count, load } = await import("/web/-/core/i18n.js");
  const { wait } = await import("/web/-/core/time.js");
  await load("phone");
  const words = waits.map(([p50Seconds, p90Seconds]) => wait({ p50Seconds, p90Seconds }));
  return [words, numbers.map(count)];
}"""


@pytest.mark.parametrize("language", ["id", "en"])
def test_waits_and_numbers_are_written_as_people_do_by_pages_and_by_the_gateway(pages, language):
    """A wait is a range, and never more exact than it is."""
    page = pages.open("/", language=language).page
    numbers = [0, 7, 999, 2001, 1_234_567, 4.5, 1234.5]
    words, written = page.evaluate(SAY, [WAITS, numbers])
    texts = json.loads((WEB / "core" / f"texts.{language}.json").read_text("utf-8"))
    assert words == [waits.wait(texts, language, *one) for one in WAITS]
    assert written == [waits.count(one, language) for one in numbers]
    assert words == SAID[language]


def test_elements_of_a_list_stay_the_same_elements(core):
    work = """(m) => {
      const list = document.createElement("ul");
      const draw = (items) => m.keyed(list, items, (i) => i, (i) => m.h("li", {}, i));
      draw(["a", "b", "c"]);
      const [a, b, c] = list.children;
      draw(["c", "x", "a"]);
      return [list.textContent, list.children[0] === c, list.children[2] === a, b.isConnected];
    }"""
    assert core("dom.js", work) == ["cxa", True, True, False]


# --- an action happens once -------------------------------------------------------------------


class Desk:
    """Answers POST /v1/x as told, one answer a request; `keys` are the ids it was sent."""

    def __init__(self, page, *answers):
        self.keys, self.answers = [], list(answers)
        page.unroute_all()
        page.route("**/v1/x", self.answer)

    def answer(self, route):
        self.keys.append(route.request.headers["idempotency-key"])
        status = self.answers.pop(0)
        if status == 0:
            route.abort("connectionfailed")
        else:
            problem = {"reason": "WRONG_STATE", "detail": "no"}
            body = {"done": True} if status < 400 else problem
            route.fulfill(status=status, content_type="application/json", body=json.dumps(body))


ACT = "(m, body) => m.act('test', '/v1/x', body)"


def test_an_action_without_an_answer_is_repeated_with_its_id(core):
    desk = Desk(core.page, 0, 503, 0, 200)
    answer = core("api.js", ACT, {"n": 1})
    assert answer["ok"]
    assert answer["value"] == {"done": True}
    assert len(desk.keys) == 4
    assert len(set(desk.keys)) == 1
    assert len(desk.keys[0]) >= 22


def test_a_refusal_is_an_answer_and_the_next_press_is_another_action(core):
    desk = Desk(core.page, 409, 200)
    assert core("api.js", ACT, {"n": 2})["problem"]["reason"] == "WRONG_STATE"
    assert core("api.js", ACT, {"n": 2})["ok"]
    assert len(set(desk.keys)) == 2


def test_two_presses_at_once_are_one_action(core):
    desk = Desk(core.page, 200)
    twice = "(m) => Promise.all([1, 2].map(() => m.act('test', '/v1/x', { n: 3 })))"
    assert [one["ok"] for one in core("api.js", twice)] == [True, True]
    assert len(desk.keys) == 1


def test_the_same_wish_after_a_reload_has_the_same_id_and_another_wish_another(core):
    impatient = "(m, body) => m.act('test', '/v1/x', body, { patience: 0 })"
    desk = Desk(core.page, 0, 0, 0, 200)
    assert core("api.js", impatient, {"n": 4})["problem"]["reason"] == "UNREACHABLE"
    core.page.reload()
    assert core("api.js", "(m) => m.unanswered('test').body") == '{"n":4}'
    core("api.js", impatient, {"n": 4})
    core("api.js", impatient, {"n": 5})
    assert core("api.js", ACT, {"n": 5})["ok"]
    assert core("api.js", "(m) => m.unanswered('test')") is None
    first, second, third, fourth = desk.keys
    assert first == second != third == fourth


# --- a staff token ----------------------------------------------------------------------------


def test_a_token_leaves_the_address_at_once_and_ends_with_the_tab(pages, town):
    context = pages.context()
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    token = town.token("OFFICER")
    page.goto(f"/#token={token}")
    arrive = "(async () => (await import('/web/-/core/auth.js')).arrive())()"
    assert page.evaluate(arrive) == token
    assert page.url == f"{pages.url}/"
    page.reload()
    assert page.evaluate(arrive) == token
    may = "(async () => { const a = await import('/web/-/core/auth.js');"
    may += " return [a.may('OFFICER', '73.71.03'), a.may('SUPERVISOR', '73.71.03'),"
    may += " a.may('OFFICER', '73.71.04'), a.remaining() > 0]; })()"
    assert page.evaluate(may) == [True, False, False, True]
    other = context.new_page()
    other.goto("/")
    assert other.evaluate(arrive) == ""
    assert not [url for url in asked if token in url]


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30", "Bearer ", "…"])
def test_what_is_no_token_is_not_kept(core, text):
    assert core("auth.js", "(m, text) => [m.use(text), m.token()]", text) == [False, ""]


def test_a_token_that_has_expired_is_none(core):
    make = "(m) => m.use('x.' + btoa(JSON.stringify({ exp: 1000 })) + '.y')"
    assert core("auth.js", make) is False


SIGN_IN = """async () => {
  const { load } = await import("/web/-/core/i18n.js");
  await load("phone");
  const { signedIn } = await import("/web/-/core/signin.js");
  window.given = null;
  signedIn().then((token) => { window.given = token; });
}"""


def test_without_a_token_a_page_asks_for_one_and_says_when_it_is_none(pages, town):
    page = pages.open("/").page
    page.evaluate(SIGN_IN)
    dialog = page.get_by_role("dialog", name="Masuk")
    expect(dialog).to_be_visible()
    for _ in range(3):
        page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Token").fill("nothing")
    dialog.get_by_role("button", name="Masuk").click()
    expect(dialog.get_by_role("alert")).to_contain_text("kedaluwarsa")
    page.evaluate(AXE)
    assert violations(page) == []
    token = town.token("OFFICER")
    dialog.get_by_label("Token").fill(f"Bearer {token}\n")
    dialog.get_by_role("button", name="Masuk").click()
    expect(dialog).to_be_hidden()
    assert page.evaluate("window.given") == token
