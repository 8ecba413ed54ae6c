"""How the pages are served: policy, compression, versions, and the ticket page without scripts."""

import gzip
import hashlib
import json
import re
import tomllib

import httpx
import pytest

from services.chassis.errors import Problem
from services.gateway.pages import PAGES, WEB
from services.gateway.paths import Paths
from tests.gateway.stack import Stack

SCRIPTS = sorted(WEB.rglob("*.js"))
THERE = sorted(folder for folder in PAGES.values() if (WEB / folder / "index.html").exists())
UNKNOWN = "/t/737103-260302-zzzzzzzzzzzzzzzzzzzzzz"


def take(client):
    answer = client.post("/v1/kecamatan/73.71.03/tickets", json={"service": "A"})
    return answer.raise_for_status().json()["ticket"]


def assets_of(page):
    return sorted(set(re.findall(r'"(/web/[^"#]+)', page.text)))


# --- every page -------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", THERE)
def test_a_page_runs_only_our_scripts_and_loads_nothing_foreign(client, folder):
    html = (WEB / folder / "index.html").read_text("utf-8")
    assert not re.search(r"<style|style=|<script>| on\w+=|https?://", html)
    address = next(address for address, name in PAGES.items() if name == folder)
    page = client.get(re.sub(r"\{\w+\}", "x", address))
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("folder", THERE)
def test_only_a_kiosk_asks_anything_but_the_gateway_and_that_is_its_own_machine(client, folder):
    address = next(address for address, name in PAGES.items() if name == folder)
    page = client.get(re.sub(r"\{\w+\}", "x", address))
    policy = page.headers["content-security-policy"].split("; ")
    (connect,) = [part for part in policy if part.startswith("connect-src")]
    own = " http://127.0.0.1:*" if folder == "kiosk" else ""
    assert connect == f"connect-src 'self'{own}"
    again = client.get(page.request.url, headers={"If-None-Match": page.headers.get("etag", "")})
    assert again.status_code in (page.status_code, 304)
    assert again.headers["content-security-policy"].split("; ") == policy


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(WEB)))
def test_no_script_makes_html_or_code_of_text(path):
    text = path.read_text("utf-8")
    if path == WEB / "kiosk" / "paper.js":
        text = text.replace("`http://127.0.0.1:${port}`", "")  # the printer of its own machine
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_a_page_names_its_assets_by_version_and_announces_what_its_script_imports(client):
    page = client.get("/")
    names = assets_of(page)
    assert any(name.endswith("/phone/page.js") for name in names)
    assert any(name.endswith("/core/store.js") for name in names)  # imported by what it imports
    for name in names:
        found = client.get(name)
        assert found.status_code == 200, name
        assert found.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_an_asset_of_another_release_is_given_but_not_kept(client):
    found = client.get("/web/0123456789ab/core/base.css")
    assert found.status_code == 200
    assert found.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/web/x/core/none.js",
        "/web/x/phone/index.html",
        "/web/x/../pages.py",
        "/web/x/core/../../pages.py",
        "/web/x/core/%2e%2e%2fsw.js",
        "/web/core",
        "/kiosk",
        "/t/",
    ],
)
def test_what_is_no_asset_is_not_found(client, path):
    request = client.build_request("GET", "http://x/")
    request.url = client.base_url.copy_with(raw_path=path.encode())
    assert client.send(request).status_code == 404


def test_files_come_compressed_to_those_who_read_it_and_whole_to_others(client):
    packed = client.get("/", headers={"Accept-Encoding": "br, gzip"})
    plain = client.get("/", headers={"Accept-Encoding": "identity"})
    refused = client.get("/", headers={"Accept-Encoding": "gzip;q=0.0"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert packed.text == plain.text == refused.text
    assert all("Accept-Encoding" in one.headers["vary"] for one in (packed, plain, refused))
    assert "content-encoding" not in plain.headers.keys() | refused.headers.keys()


@pytest.mark.parametrize("path", ["/", "/sw.js", "/manifest.webmanifest", "/icon.svg"])
def test_a_file_that_is_there_already_is_not_sent_again(client, path):
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_service_worker_is_told_every_file_that_a_phone_keeps(client):
    head, _, rest = client.get("/sw.js").text.partition("\n")
    kept = json.loads(head.removeprefix("const KEPT = ").rstrip(";"))
    assert rest == (WEB / "sw.js").read_text("utf-8")
    assert {"/", "/t/-"} <= set(kept["files"])
    assert all(client.get(path).status_code == 200 for path in kept["files"])
    assert set(assets_of(client.get("/"))) <= set(kept["files"])


def test_vendored_files_are_the_bytes_that_are_noted_with_their_licence():
    noted = tomllib.loads((WEB / "VENDORED.toml").read_text("utf-8"))
    fonts = {path.relative_to(WEB).as_posix() for path in WEB.rglob("*.woff2")}
    assert fonts <= noted.keys()
    for name, entry in noted.items():
        assert hashlib.sha256((WEB / name).read_bytes()).hexdigest() == entry["sha256"]
        assert "OPEN FONT LICENSE" in (WEB / entry["licence_text"]).read_text("utf-8").upper()
        assert entry["licence"] == "OFL-1.1"


# --- addresses --------------------------------------------------------------------------------


def test_an_address_is_found_exactly_before_by_template_and_a_variable_is_one_segment():
    paths = Paths({b"/t/{ticket}": 1, b"/t/-": 2, b"/c/{k}/{c}": 3, b"/a.b/{x}": 4})
    assert paths.find(b"/t/x") == ("/t/{ticket}", {"ticket": "x"}, 1)
    assert paths.find(b"/t/-") == ("/t/-", {}, 2)
    assert paths.find(b"/c/73.71.03/1") == ("/c/{k}/{c}", {"k": "73.71.03", "c": "1"}, 3)
    for nothing in (b"/t/", b"/t/x/y", b"/t", b"/c/1", b"/aXb/1"):
        assert paths.find(nothing) is None


# --- a ticket without scripts -----------------------------------------------------------------


def test_a_ticket_is_readable_printable_and_current_without_a_script(client):
    take(client)
    ticket = take(client)
    page = client.get(f"/t/{ticket['id']}")
    assert page.headers["cache-control"] == "no-store"
    assert ">A002<" in page.text
    assert "Anda dalam antrean" in page.text
    assert "10–30 menit" in page.text
    assert "Kecamatan Makassar" in page.text
    assert '<noscript><meta http-equiv="refresh"' in page.text
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in page.text
    assert "{{" not in page.text


def test_the_ticket_page_speaks_english_when_asked(client):
    page = client.get(f"/t/{take(client)['id']}?lang=en")
    assert '<html lang="en">' in page.text
    assert "You are in the queue" in page.text


def test_a_ticket_that_is_not_there_and_a_queue_that_is_away_are_said_in_words(client, stack):
    assert client.get(UNKNOWN).status_code == 404
    assert "tidak ditemukan" in client.get(UNKNOWN).text
    ticket = take(client)
    stack.fake.refusals["GetTicket"] += [Problem("SERVICE_UNAVAILABLE")] * 9
    page = client.get(f"/t/{ticket['id']}")
    assert page.status_code == 503
    assert "belum dapat dihubungi" in page.text
    stack.fake.refusals.clear()


def test_a_button_without_a_script_acts_once_and_shows_the_page_again(client, stack):
    ticket = take(client)
    there = f"/t/{ticket['id']}"
    key = re.search(r'name="key" value="([^"]+)"', client.get(there).text)[1]
    form = {"do": "cancel", "key": key, "lang": "id"}
    for _ in range(2):
        answer = client.post(there, data=form)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(there)
        assert answer.headers["referrer-policy"] == "no-referrer"
    asked = [request.request_id for request, _ in stack.asked("CancelTicket")]
    assert asked == [key, key]


def test_a_button_of_a_ticket_that_is_not_there_is_not_found(client):
    answer = client.post(UNKNOWN, data={"do": "cancel", "key": "k" * 22})
    assert answer.status_code == 404
    assert "tidak ditemukan" in answer.text


def test_whoever_tries_ids_by_the_page_is_held_up_and_the_holder_is_not():
    with Stack(guesses=("0.001", "2")) as own, own.client() as client:
        ticket = take(client)
        assert client.get(f"/v1/tickets/{ticket['id']}").status_code == 200
        tried = [client.get(f"{UNKNOWN[:-1]}{n}").status_code for n in range(4)]
        assert tried[:2] == [404, 404]
        assert tried[2:] == [429, 429]
        assert client.get(f"/t/{ticket['id']}").status_code == 200


def test_a_refused_button_says_why(client, stack):
    ticket = take(client)
    stack.fake.refusals["ReturnTicket"].append(Problem("RETURN_EXPIRED"))
    answer = client.post(f"/t/{ticket['id']}", data={"do": "return", "key": "k" * 22})
    shown = client.get(answer.headers["location"])
    assert re.search(r'id="problem" role="alert">[^<]+<', shown.text)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("do=delete", "application/x-www-form-urlencoded", 400),
        ("", "application/x-www-form-urlencoded", 400),
        ('{"do":"cancel"}', "application/json", 415),
        ("do=" + "x" * 2000, "application/x-www-form-urlencoded", 413),
    ],
)
def test_what_is_none_of_the_buttons_does_nothing(client, stack, body, kind, status):
    ticket = take(client)
    answer = client.post(f"/t/{ticket['id']}", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert stack.asked("CancelTicket") == []


@pytest.mark.parametrize("said", ["NOTHING", "<script>", "%00", "OFFICE_CLOSED&said=x"])
def test_only_reasons_of_ours_are_said(client, said):
    page = client.get(f"/t/{take(client)['id']}?said={said}")
    assert "<script>" not in page.text.replace('<script type="module"', "")


def test_the_code_of_a_ticket_is_its_address_and_a_kiosk_can_have_it(client):
    ticket = take(client)
    code = client.get(f"/t/{ticket['id']}/qr.svg")
    assert code.headers["content-type"] == "image/svg+xml"
    assert code.text in client.get(f"/t/{ticket['id']}").text
    other = client.get(f"/t/{ticket['id']}/qr.svg", headers={"X-Forwarded-Proto": "https"})
    assert other.text != code.text


def test_a_giant_host_gives_a_page_without_a_code(client):
    ticket = take(client)
    page = client.get(f"/t/{ticket['id']}", headers={"Host": "x" * 3000})
    assert page.status_code == 200
    assert 'class="qr"' not in page.text


def test_an_id_is_in_no_log_when_a_page_is_asked_for(client, stack, caplog):
    caplog.set_level("DEBUG")
    ticket = take(client)
    for path in ("", "/qr.svg"):
        client.get(f"/t/{ticket['id']}{path}")
    client.post(f"/t/{ticket['id']}", data={"do": "cancel"})
    client.put(f"/t/{ticket['id']}", content=b"")
    ours = [
        record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))
    ]
    assert ours
    assert not [r for r in ours if ticket["id"] in f"{r.getMessage()} {r.__dict__}"]


def test_the_gzip_is_the_page(client):
    with httpx.Client(base_url=str(client.base_url), trust_env=False) as http:
        raw = http.stream("GET", "/", headers={"Accept-Encoding": "gzip"})
        with raw as answer:
            body = b"".join(answer.iter_raw())
    assert gzip.decompress(body).startswith(b"<!doctype html>")
