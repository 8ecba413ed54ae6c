"""The hall: a call is seen, read and heard, once; and nothing else disturbs."""

import base64
import re
import time
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from services.local.apply import apply, client
from services.local.office_file import read
from services.queue.metrics import FRESH_S
from tests.scraped import Scrape
from tests.web.pages import SIZES
from tests.web.town import ATTACK, HOSTILE, OFFICES, running

HALL = "73.71.07"  # Tallo: nobody else's calls are heard here
ONES = "nol satu dua tiga empat lima enam tujuh delapan sembilan".split()
# Keeps what is given to the loudspeakers: [words' seconds] a call is two tones and its clips.
LISTEN = """
window.sounded = [];
for (const kind of [AudioBufferSourceNode, OscillatorNode]) {
  const start = kind.prototype.start;
  kind.prototype.start = function (at) {
    if (this.context instanceof AudioContext) sounded.push([kind === OscillatorNode, at]);
    return start.call(this, at);
  };
}
"""
# A browser that wants a touch before it sounds: this one takes what a test evaluates for a touch.
SILENT = """
window.AudioContext = class extends AudioContext {
  constructor() { super(); this.suspend(); }
};
"""
RENDER = """async ([number, counter]) => {
  const voice = await import("/web/-/display/voice.js");
  const context = new OfflineAudioContext(1, 48000 * 14, 48000);
  const buffers = await voice.clips(context);
  const clauses = voice.sentence(number, counter);
  const { end, spans } = voice.schedule(context, 0.5, clauses, buffers);
  const sound = (await context.startRendering()).getChannelData(0);
  const peak = (from, to) =>
    sound.slice(from * 48000, to * 48000).reduce((most, one) => Math.max(most, Math.abs(one)), 0);
  return { end, spans, words: clauses.flat(), known: buffers.size, before: peak(0, 0.49),
           after: peak(end + 0.05, 14), peaks: spans.map(({ from, to }) => peak(from, to)) };
}"""


def cardinal(n):
    """Indonesian, written down once more."""
    if n < 12:
        return [*ONES, "sepuluh", "sebelas"][n].split()
    if n < 20:
        return [ONES[n - 10], "belas"]
    for one, word, size in ((1000, "ribu", 1000), (100, "ratus", 100), (10, "puluh", 10)):
        if n >= one:
            many, rest = divmod(n, size)
            head = [f"se{word}"] if many == 1 and word != "puluh" else [*cardinal(many), word]
            return head + (cardinal(rest) if rest else [])
    raise AssertionError(n)


def spoken(number):
    digits = number[1:]
    zeros = re.match("0*(?=.)", digits)[0]
    return [number[0].lower(), *(["nol"] * len(zeros)), *cardinal(int(digits))]


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Of this file's own: what others have left in an office would be counted here."""
    with running(tmp_path_factory.mktemp("town"), metrics=True) as town:
        yield town


@pytest.fixture(scope="module")
def modules(browser, town):
    """A page of ours to run modules of the display in."""
    page = browser.new_context(base_url=town.url).new_page()
    page.goto("/")
    yield page
    page.context.close()


@pytest.fixture
def there(town):
    with town.desk(HALL) as there:
        yield there


def run(page, module, work, value=None):
    code = f"async (value) => {{ const m = await import('/web/-/display/{module}');"
    return page.evaluate(f"{code} return ({work})(m, value); }}", value)


# --- what is said -----------------------------------------------------------------------------


def test_every_number_that_a_day_can_reach_is_said_in_words_that_there_are(modules):
    numbers = [f"{letter}{n:03}" for letter in "AZ" for n in range(1, 2000)]
    numbers += [f"{letter}007" for letter in "BCDEFGHIJKLMNOPQRSTUVWXY"]
    work = "(m, all) => all.map((n) => m.sentence(n, '12'))"
    said = run(modules, "voice.js", work, numbers)
    assert [one[1] for one in said] == [spoken(number) for number in numbers]
    assert said[0][2] == ["silakan-menuju", "loket", "dua", "belas"]
    manifest = modules.request.get("/web/-/voice/manifest.json").json()
    assert {word for one in said for clause in one for word in clause} <= set(manifest["words"])


@pytest.mark.parametrize(("number", "counter"), [("A012", "3"), ("K999", "12"), ("B1000", "1")])
def test_a_call_as_it_sounds_is_whole_loud_and_never_two_words_at_once(modules, number, counter):
    heard = modules.evaluate(RENDER, [number, counter])
    print(f"{number}: {heard['end'] - 0.5:.1f} s, peak {max(heard['peaks']):.2f}")
    words = [span["word"] for span in heard["spans"]]
    assert words == ["", "", *heard["words"]]
    assert min(heard["peaks"]) > 0.3
    assert all(b["from"] >= a["to"] for a, b in pairwise(heard["spans"]))
    gaps = [b["from"] - a["to"] for a, b in pairwise(heard["spans"][2:])]
    assert {round(gap, 3) for gap in gaps} == {0.06, 0.22}
    assert 4 < heard["end"] - 0.5 < 12
    assert heard["before"] == 0
    assert heard["after"] < 0.001


def test_a_clip_that_cannot_be_had_is_a_word_left_out(modules):
    work = """async (m) => {
      const context = new OfflineAudioContext(1, 48000, 48000);
      const buffers = await m.clips(context);
      buffers.delete("nol");
      return m.schedule(context, 0, m.sentence("A012", "3"), buffers).spans.map((one) => one.word);
    }"""
    words = run(modules, "voice.js", work)
    assert "nol" not in words
    assert words[-1] == "tiga"


CALLER = """async (m, repeats) => {
  const said = [], open = [];
  const say = (call) => {
    said.push(call.number + call.counter);
    return new Promise((done) => open.push(done));
  };
  const tell = m.caller(say, repeats);
  const next = async () => { open.shift()?.(); await new Promise((go) => setTimeout(go)); };
  tell({ number: "A001", counter: "1" });
  tell({ number: "A002", counter: "2" });
  tell({ number: "A003", counter: "3" });
  tell({ number: "A002", counter: "4" });
  const first = [...said];
  for (let i = 0; i < 20; i++) await next();
  return [first, said];
}"""


def test_calls_are_said_one_at_a_time_and_one_that_is_superseded_is_not(modules):
    first, said = run(modules, "calls.js", CALLER, 0)
    assert first == ["A0011"]
    assert said == ["A0011", "A0033", "A0024"]


@pytest.mark.parametrize(("asked", "times"), [(1, 2), (2, 3), (9, 3), (-1, 1), (None, 1)])
def test_a_call_is_repeated_at_most_twice_after_the_others(modules, asked, times):
    _, said = run(modules, "calls.js", CALLER, asked)
    assert said == ["A0011", "A0033", "A0024"] * times


NEWS = """(m, [heard, gap, day]) => {
  const at = (second) => `2026-03-02T02:00:${second}Z`;
  const call = (event, second) => ({ event, number: "A" + event, counter: "1", at: at(second) });
  const board = { day, at: at(50), calls: [call(9, 49), call(7, 40), call(3, 10)] };
  const { calls, heard: next } = m.news(board, heard, gap);
  return [calls.map((one) => one.event), next.event];
}"""


@pytest.mark.parametrize(
    ("heard", "gap", "said"),
    [
        (None, 0, []),  # a page that opens: all is history
        (9, 0, []),
        (7, 0, [9]),
        (4, 0, [7, 9]),
        (1, 0, [7, 9]),  # one of them is too old
        (4, 31_000, []),  # away for long
    ],
)
def test_only_what_is_new_is_news(modules, heard, gap, said):
    known = None if heard is None else {"day": "2026-03-02", "event": heard}
    assert run(modules, "calls.js", NEWS, [known, gap, "2026-03-02"]) == [said, 9]


def test_another_days_calls_are_new_whatever_their_numbers(modules):
    known = {"day": "2026-03-01", "event": 400}
    assert run(modules, "calls.js", NEWS, [known, 0, "2026-03-02"]) == [[7, 9], 9]


# --- what is seen -----------------------------------------------------------------------------


def called(there, counter="1"):
    """Somebody new at the counter; whoever was there is served."""
    there.at(counter, "open")
    board = there.get(f"{there.office}/board").json()
    at = next(one for one in board["counters"] if one["id"] == counter).get("ticket")
    if at and at["state"] == "CALLED":
        there.at(counter, "start", ticket=at["number"])
    if at:
        there.at(counter, "complete", ticket=at["number"])
    there.take()
    return there.at(counter, "callNext")["ticket"]["number"]


def recall(there, number):
    """As soon as the queue admits it."""
    path = f"{there.office}/counters/1:recall"
    for _ in range(60):
        answer = there.post(path, {"ticket": number}, "OFFICER")
        if answer.status_code != 409:
            break
        time.sleep(0.5)
    answer.raise_for_status()


def display(pages, *arguments, **settings):
    """The display with its voice on."""
    context = pages.context(*arguments, **settings)
    context.add_init_script(SILENT + LISTEN)
    seen = pages.within(context, f"/display/{HALL}")
    seen.page.locator("#waiting li").first.wait_for()
    seen.page.get_by_role("button", name="Aktifkan suara").click()
    expect(seen.page.locator("#sound")).to_be_hidden()
    return seen


def sentences(page):
    """How often the chime has begun a call."""
    return page.evaluate("sounded.filter(([tone]) => tone).length / 2")


def test_a_call_is_shown_written_and_said_and_so_is_a_recall_and_nothing_twice(pages, there):
    before = called(there)
    seen = display(pages, "hall")
    page = seen.page
    expect(page.locator("#big > .number")).to_have_text(before)
    assert sentences(page) == 0
    assert page.locator("#caption").text_content() == ""
    number = called(there)
    expect(page.locator("#big > .number")).to_have_text(number)
    expect(page.locator("#big .where strong")).to_have_text("1")
    expect(page.locator("#caption")).to_have_text(f"Nomor {number}, silakan menuju loket 1")
    expect(page.locator("#last li").first).to_contain_text(before)
    expect(page.locator("#caption")).to_be_empty(timeout=30_000)
    times = page.evaluate("sounded.map(([, at]) => at)")
    assert times == sorted(times)
    assert len(times) == 2 + len(["nomor-antrean", *spoken(number), "silakan-menuju", "loket", "1"])
    recall(there, number)
    expect(page.locator("#caption")).to_have_text(f"Nomor {number}, silakan menuju loket 1")
    expect(page.locator("#caption")).to_be_empty(timeout=30_000)
    assert sentences(page) == 2
    page.reload()
    expect(page.locator("#big > .number")).to_have_text(number)
    page.wait_for_timeout(500)
    assert sentences(page) == 0
    assert page.locator("#caption").text_content() == ""
    assert seen.errors == []


def test_a_line_that_comes_back_is_said_to_be_stale_until_then_and_repeats_nothing(pages, there):
    called(there)
    seen = display(pages, "hall")
    page = seen.page
    number = called(there)
    expect(page.locator("#caption")).not_to_be_empty()
    expect(page.locator("#caption")).to_be_empty(timeout=30_000)
    page.context.set_offline(True)
    expect(page.locator("#stale")).to_be_visible()
    expect(page.locator("#big > .number")).to_have_text(number)
    page.context.set_offline(False)
    expect(page.locator("#stale")).to_be_hidden(timeout=60_000)
    page.wait_for_timeout(500)
    assert sentences(page) == 1
    latest = called(there)
    expect(page.locator("#big > .number")).to_have_text(latest, timeout=60_000)
    expect(page.locator("#caption")).to_contain_text(latest)
    assert seen.errors == []


def test_without_a_touch_the_page_asks_for_one_and_writes_what_it_cannot_say(pages, there):
    context = pages.context("hall")
    context.add_init_script(SILENT)
    page = pages.within(context, f"/display/{HALL}").page
    expect(page.get_by_role("button", name="Aktifkan suara")).to_be_visible()
    number = called(there)
    expect(page.locator("#caption")).to_have_text(f"Nomor {number}, silakan menuju loket 1")


def test_hostile_texts_show_as_texts(pages, town):
    seen = pages.open(f"/display/{HOSTILE}", "hall")
    seen.page.locator("#waiting li").first.wait_for()
    expect(seen.page.locator("#office")).to_contain_text(ATTACK)
    expect(seen.page.locator("#waiting .name").first).to_contain_text(ATTACK)
    expect(seen.page.locator("#running")).to_contain_text("<img src=x")
    assert seen.page.locator("img[src=x]").count() == 0
    assert seen.faults == []


HEIGHT = "(one) => parseFloat(getComputedStyle(one).fontSize)"
OUTSIDE = """() => [...document.querySelectorAll("#big p, #others li, #waiting li, #last li")]
  .filter((one) => {
    const { bottom, right } = one.getBoundingClientRect();
    return one.checkVisibility() && (bottom > innerHeight + 1 || right > innerWidth + 1);
  }).map((one) => one.outerHTML)"""


@pytest.mark.parametrize("size", ["hall", "pillar", "square"])
def test_a_number_fills_the_wall_and_nothing_is_cut_off(pages, there, size):
    called(there)
    page = pages.open(f"/display/{HALL}", size).page
    page.locator("#running .coming").wait_for()
    number = page.locator("#big > .number")
    number.wait_for()
    high = number.evaluate(HEIGHT)
    assert high >= 0.18 * SIZES[size]["height"]
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert page.evaluate(OUTSIDE) == []


RECORD = """async () => {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  let turn = 0;
  const paint = () => {
    pen.fillStyle = `hsl(${turn++ * 9} 60% 40%)`;
    pen.fillRect(0, 0, 300, 150);
  };
  const painting = setInterval(paint, 40);
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
  const film = new Promise((done) => { recorder.ondataavailable = (event) => done(event.data); });
  recorder.start();
  setTimeout(() => { clearInterval(painting); recorder.stop(); }, 1200);
  return btoa(String.fromCharCode(...new Uint8Array(await (await film).arrayBuffer())));
}"""
CAPTIONS = "WEBVTT\n\n00:00.000 --> 00:09.000\nDari rumah\n"
FILMS = [
    {"url": "https://films.example/gone.webm", "title": "Hilang"},
    {"url": "https://films.example/a.webm", "captions": "https://films.example/a.vtt"},
]
FILMS[1]["title"] = ATTACK


@pytest.fixture
def films(town):
    """The hall's office shows FILMS, the first of which is gone."""
    file = next(path for path in OFFICES.glob("*.yaml") if HALL in path.read_text("utf-8"))
    (office,) = read(file)
    with client(town.url, town.token("ADMIN", "*")) as http:
        showing = office["spec"]["display"] | {"films": FILMS}
        apply(http, office | {"spec": office["spec"] | {"display": showing}})
        yield
        apply(http, office)


def cinema(context, film, times=1000):
    """`times`: so often the film can be had, then it is gone as well."""
    allowed = {"access-control-allow-origin": "*"}
    video = {"body": film, "content_type": "video/webm", "headers": allowed}
    text = {"body": CAPTIONS, "content_type": "text/vtt", "headers": allowed}
    had = iter([video] * times)
    there = "https://films.example"
    context.route(f"{there}/gone.webm", lambda route: route.fulfill(status=404))
    context.route(f"{there}/a.webm", lambda route: route.fulfill(**next(had, {"status": 404})))
    context.route(f"{there}/a.vtt", lambda route: route.fulfill(**text))


def test_films_play_muted_and_captioned_and_one_that_is_gone_is_left_out(
    pages, modules, there, films
):
    film = base64.b64decode(modules.evaluate(RECORD))
    for counter in "123":
        called(there, counter)
    context = pages.context("hall")
    cinema(context, film)
    page = pages.within(context, f"/display/{HALL}").page
    expect(page.locator("#film")).to_be_visible()
    expect(page.locator("#film figcaption")).to_have_text(ATTACK)
    video = page.locator("#film video")
    assert video.evaluate("(one) => [one.muted, one.textTracks[0].mode]") == [True, "showing"]
    expect(page.locator("#film track")).to_have_js_property("readyState", 2)
    for size in ("hall", "pillar", "square"):
        page.set_viewport_size(SIZES[size])
        assert page.evaluate(OUTSIDE) == [], size
        high = page.locator("#big > .number").evaluate(HEIGHT)
        assert high >= 0.18 * SIZES[size]["height"], size


# --- what it says of itself -------------------------------------------------------------------


ENDINGS = "addEventListener('ended', () => { window.endings = (window.endings ?? 0) + 1; }, true)"


def told_of(page, town, name, wanted, **labels):
    """The figure of the display wall-2 once it is as wanted; what it stays at if it never is."""
    own = {"kecamatan": HALL, "display": "wall-2", **labels}
    for _ in range(150):
        scrape = Scrape.of(town.stack.located().queue_metrics[0])
        found = scrape.total(f"tunggu_display_{name}", **own)
        if wanted(found):
            break
        page.wait_for_timeout(500)  # the page lives on meanwhile
    assert not scrape.strange_labels()
    return found


def of_a_page_that_played_nothing(answer):
    """Whether it answers a report, and one of the second page."""
    return ":report" in answer.url and '"plays":1' not in answer.request.post_data


def test_a_display_with_a_token_reports_what_it_shows_and_each_play_once(
    pages, modules, town, there, films
):
    film = base64.b64decode(modules.evaluate(RECORD))
    context = pages.context("hall")
    cinema(context, film, times=1)
    context.add_init_script(ENDINGS)
    begun = time.time()
    seen = pages.within(context, town.link(f"/display/{HALL}?d=wall-2", "KIOSK", HALL))
    page = seen.page
    assert "token" not in page.url
    first = told_of(page, town, "last_seen_timestamp_seconds", bool)
    assert first > begun - 60
    assert told_of(page, town, "live", bool) == 1
    assert told_of(page, town, "events_behind", lambda n: n == 0) == 0
    assert told_of(page, town, "info", bool) == 1
    page.wait_for_function("window.endings === 1")
    with page.expect_response(of_a_page_that_played_nothing):
        page.reload()  # the page that ends says the last of what it has played
        seen.ready()
    page.wait_for_timeout(1100 * FRESH_S)  # until a scrape would show more
    assert told_of(page, town, "film_plays_total", bool, film="2") == 1
    assert told_of(page, town, "film_plays_total", bool) == 1
    assert told_of(page, town, "film_seconds_total", bool, film="2") in (1, 2)


def test_a_display_without_a_token_says_nothing_and_one_that_is_refused_shows_its_board(
    pages, town, there
):
    sent = []
    context = pages.context("hall")
    context.on("request", lambda one: sent.append(one.url) if ":report" in one.url else None)
    pages.within(context, f"/display/{HALL}")
    page = context.new_page()
    page.goto(town.link(f"/display/{HALL}?d=not+a+name", "KIOSK", HALL))
    with page.expect_response(lambda answer: ":report" in answer.url) as refused:
        pass
    assert refused.value.status == 400
    assert refused.value.json()["reason"] == "INVALID_REQUEST"
    number = called(there)
    expect(page.locator("#big > .number")).to_have_text(number)
    assert len(sent) == 1


def test_plays_are_told_by_place_and_films_that_were_never_played_as_well(pages, town):
    page = pages.open(town.link("/war-room", "KIOSK", HALL), "hall").page
    page.route("**/displays/1:report", lambda route: route.fulfill(json={"display": {}}))
    work = """(m) => {
      m.offered(2);
      m.played(1, 1.3);
      m.played(1, 1.3);
      m.played(2, 4);
      m.report("/displays/1:report", () => ({ day: "2026-03-02", event: 7, live: true }));
    }"""
    with page.expect_request("**/displays/1:report") as sent:
        run(page, "report.js", work)
    said = sent.value.post_data_json
    assert re.fullmatch("[0-9a-f]{32}", said.pop("page"))
    assert said == {
        "version": "",
        "day": "2026-03-02",
        "event": 7,
        "live": True,
        "films": [
            {"film": 1, "plays": 0, "seconds": 0},
            {"film": 2, "plays": 2, "seconds": 3},
            {"film": 3, "plays": 1, "seconds": 4},
        ],
    }


def test_running_text_stands_in_pages_and_runs_only_for_those_who_ask(pages):
    page = pages.open(f"/display/{HALL}", "square").page
    page.locator("#running .coming").wait_for()
    assert page.locator("#running .line").count() == 0
    running = pages.open(f"/display/{HALL}?marquee=1", "square").page
    running.locator("#running .line").wait_for()
    speed = """() => {
      const all = document.getAnimations();
      const a = all.find((one) => one.effect.target.matches(".line"));
      const [from, to] = a.effect.getKeyframes().map((one) => new DOMMatrix(one.transform).e);
      return (from - to) / (a.effect.getTiming().duration / 1000); }"""
    assert 0 < running.evaluate(speed) <= 120
    calm = pages.open(f"/display/{HALL}?marquee=1", "square", reduced_motion="reduce").page
    calm.locator("#running .coming").wait_for()


def test_pages_of_a_text_lose_no_word(modules):
    work = "(m, [text, most]) => m.paged(text, (one) => one.length <= most)"
    text = "Lansia dan ibu hamil berhak atas antrean prioritas sepanjang-panjangnya hari"
    pages = run(modules, "running.js", work, [text, 20])
    assert " ".join(pages) == text
    assert all(len(page) <= 20 or " " not in page for page in pages)
    assert run(modules, "running.js", work, ["  ", 20]) == []


def test_a_stopped_office_says_why(pages, there):
    page = pages.open(f"/display/{HALL}", "hall").page
    there.post(f"{there.office}:stopIssuing", {"reason": "POWER"}, "SUPERVISOR").raise_for_status()
    expect(page.locator("#notice")).to_contain_text("listrik padam")
    there.post(f"{there.office}:resumeIssuing", {}, "SUPERVISOR").raise_for_status()
    expect(page.locator("#notice")).to_be_hidden()


@pytest.mark.parametrize(
    ("clock", "hours", "renews"),
    [("03.00", 10, True), ("03:59", 10, True), ("03.10", 1, False), ("04.00", 30, False)],
)
def test_a_page_begins_anew_in_the_night_once(modules, clock, hours, renews):
    work = "(m, [clock, hours]) => m.renews(clock, hours * 3600e3)"
    assert run(modules, "awake.js", work, [clock, hours]) is renews
