"""The agent over HTTP, as a real process: whom it answers, and what it says."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from services.printer.app import MOST
from tests.printer.agent import running
from tests.printer.decoded import decoded
from tests.printer.slips import ORIGIN, TICKET, wish
from tests.printer.stand_in import NO_PAPER, Printer
from tests.scraped import Scrape

OTHER = "https://other.example"


@pytest.fixture(scope="module")
def printer():
    with Printer() as printer:
        yield printer


@pytest.fixture(scope="module")
def metrics_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture(scope="module")
def agent(printer, metrics_port, tmp_path_factory):
    folder = tmp_path_factory.mktemp("agent")
    more = {"answer": "20", "interval": "0.2", "metrics_port": str(metrics_port)}
    with running(folder, printer=printer.url, origins=f"{ORIGIN},{OTHER}:8443", **more) as agent:
        yield agent


@pytest.fixture
def client(agent):
    base = f"http://127.0.0.1:{agent.port}"
    with httpx.Client(base_url=base, headers={"Origin": ORIGIN}, trust_env=False, timeout=60) as it:
        yield it


def ticket(n):
    return f"{TICKET[:14]}{n:022}"


def reason(answer):
    assert answer.headers["content-type"].startswith("application/problem+json")
    return answer.json()["reason"]


def scraped(port, good):
    """Once it is as it should be."""
    until = time.monotonic() + 60
    while not good(found := Scrape.of(port)) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def test_a_slip_comes_out_whole_once_a_copy(client, printer):
    before = len(printer.slips)
    for _ in range(2):
        answer = client.post("/print", json=wish(ticket=ticket(1)))
        assert (answer.status_code, answer.json()) == (200, {"copy": 1})
    assert client.post("/print", json=wish(ticket=ticket(1), copy=2)).json() == {"copy": 2}
    first, second = printer.wait(before + 2)[before:]
    assert first == second
    paper = decoded(first)
    assert paper.codes == [f"{ORIGIN}/t/{ticket(1)}"]
    assert paper.cuts == 1
    assert "9 orang di depan Anda" in paper.lines


def test_a_page_may_ask_before_it_sends_and_read_what_is_answered(client):
    asks = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    allowed = client.options("/print", headers=asks)
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert allowed.headers["access-control-allow-headers"] == "Content-Type"
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert "access-control-allow-private-network" not in allowed.headers
    private = client.options(
        "/print", headers=asks | {"Access-Control-Request-Private-Network": "true"}
    )
    assert private.headers["access-control-allow-private-network"] == "true"
    for answer in (client.get("/status"), client.post("/print", json={}), client.get("/none")):
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["vary"] == "Origin"
        assert answer.headers["cache-control"] == "no-store"


STRANGERS = [
    {"Origin": "https://evil.example"},
    {"Origin": OTHER},  # its port is another
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": ORIGIN.upper()},
    {"Host": "antrean.example"},
    {"Host": "localhost:{port}"},
    {"Host": "127.0.0.1"},
    {"Host": "127.0.0.1.evil.example:{port}"},
    {"Host": "[::1]:{port}"},
]


@pytest.mark.parametrize("headers", STRANGERS, ids=str)
def test_a_stranger_is_refused_before_anything_is_read_and_may_not_read_why(
    client, agent, printer, headers
):
    told = {name: value.format(port=agent.port) for name, value in headers.items()}
    before = len(printer.slips)
    for answer in (
        client.post("/print", json=wish(ticket=ticket(2)), headers=told),
        client.options("/print", headers=told),
        client.get("/status", headers=told),
    ):
        assert (answer.status_code, reason(answer)) == (403, "ORIGIN_REFUSED")
        assert "access-control-allow-origin" not in answer.headers
    assert len(printer.slips) == before


def test_who_names_no_origin_or_two_is_refused(agent):
    with httpx.Client(base_url=f"http://127.0.0.1:{agent.port}", trust_env=False) as client:
        assert reason(client.get("/status")) == "ORIGIN_REFUSED"
        both = client.get("/status", headers=[("Origin", ORIGIN), ("Origin", OTHER)])
        assert reason(both) == "ORIGIN_REFUSED"


def test_the_code_leads_to_the_origin_that_asks(client):
    elsewhere = wish(ticket=ticket(3), origin=f"{OTHER}:8443")
    assert reason(client.post("/print", json=elsewhere)) == "INVALID_REQUEST"
    own = client.post("/print", json=elsewhere, headers={"Origin": f"{OTHER}:8443"})
    assert own.json() == {"copy": 1}


KINDS = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_that_a_form_can_send_unasked_is_refused(client, kind):
    body = json.dumps(wish(ticket=ticket(4)))
    answer = client.post("/print", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, reason(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_body_in_another_coding_is_refused(client):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = client.post("/print", content=b"x", headers=headers)
    assert answer.status_code in (400, 415)


def test_a_body_beyond_its_bound_is_refused_declared_or_not(client):
    headers = {"Content-Type": "application/json"}
    large = json.dumps(wish(ticket=ticket(5), office="x" * MOST)).encode()
    for content in (large, iter([large[:100], large[100:]])):
        answer = client.post("/print", content=content, headers=headers)
        assert (answer.status_code, reason(answer)) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/print", 405), ("POST", "/status", 405), ("GET", "/", 404), ("PUT", "/x", 404)],
)
def test_other_addresses_and_methods_are_refused(client, method, path, status):
    answer = client.request(method, path)
    assert answer.status_code == status
    assert reason(answer) in ("METHOD_NOT_ALLOWED", "ROUTE_NOT_FOUND")


def test_refusals_speak_the_pages_language(client):
    shown = client.post("/print", json={}, headers={"Accept-Language": "en"}).json()
    assert shown["title"] == "Invalid request"
    assert client.post("/print", json={}).json()["title"] == "Permintaan tidak sah"
    assert shown["field"] == "copy"


def test_prometheus_sees_the_printer_its_paper_and_what_was_printed(client, printer, metrics_port):
    good = lambda seen: seen.total("tunggu_printer_paper_ok") == 1  # noqa: E731
    before = scraped(metrics_port, good)
    assert before.total("tunggu_printer_up") == 1
    printer.paper = NO_PAPER
    try:
        answer = client.post("/print", json=wish(ticket=ticket(6)))
        assert (answer.status_code, reason(answer)) == (503, "NO_PAPER")
        assert client.get("/status").json() == {"up": True, "paper": False}
        gone = scraped(metrics_port, lambda seen: seen.total("tunggu_printer_paper_ok") == 0)
    finally:
        printer.paper = 0x12
    client.post("/print", json=wish(ticket=ticket(6)))
    after = scraped(metrics_port, good)
    failed = {"reason": "NO_PAPER"}
    assert gone.total("tunggu_printer_failed_total", **failed) == 1
    printed = [seen.total("tunggu_printer_printed_total") for seen in (before, after)]
    assert printed[1] == printed[0] + 1
    assert after.strange_labels() == []
    assert after.personal(ticket(6), "A012", "Makassar") == []


def test_no_id_and_no_word_of_a_slip_is_in_the_log(client, agent, printer):
    client.post("/print", json=wish(ticket=ticket(7)))
    client.post("/print", json=wish(ticket=ticket(7), number="x"))
    log = agent.log.read_text()
    assert "printed" in log
    for word in (TICKET[:14], "A012", "Makassar", "Kartu"):
        assert word not in log


def test_it_listens_on_this_machine_alone(agent):
    with (
        pytest.raises(ConnectionRefusedError),
        socket.create_connection(("127.0.0.2", agent.port), 5),
    ):
        pass


def test_a_slip_under_way_is_finished_when_it_is_told_to_end(tmp_path):
    with (
        Printer() as slow,
        running(tmp_path, printer=slow.url, origins=ORIGIN, answer="60", interval="600") as own,
        ThreadPoolExecutor() as pool,
    ):
        wait_for(lambda: slow.looks == 1)
        slow.goes_on.clear()
        url = f"http://127.0.0.1:{own.port}/print"
        sent = pool.submit(
            httpx.post, url, json=wish(), headers={"Origin": ORIGIN}, trust_env=False, timeout=60
        )
        wait_for(lambda: slow.connections == 2)
        own.process.terminate()
        assert not own.process.wait(0.5)
        slow.goes_on.set()
        assert sent.result().json() == {"copy": 1}
        assert own.process.wait(60)
        assert own.process.ending() == "exited with 0"
        assert decoded(slow.wait(1)[0]).cuts == 1


def ended(tmp_path, code="pass", **settings):
    """How the agent ends that cannot start: its code, what it says, what it leaves behind."""
    left = tmp_path / "left"
    left.mkdir(exist_ok=True)
    environ = {f"TUNGGU_{name.upper()}": value for name, value in settings.items()}
    run = f"{code}; import runpy; runpy.run_module('services.printer', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-P", "-c", run], env=os.environ | environ | {"TMPDIR": str(left)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr.strip().splitlines()[-1], list(left.iterdir())


def test_what_keeps_it_from_starting_is_one_line_and_it_leaves_nothing_behind(tmp_path, agent):
    good = {"printer": "/dev/null", "origins": ORIGIN}
    code, said, left = ended(tmp_path, **good, port=str(agent.port))
    assert (code, left) == (1, [])
    assert said.startswith(f"printer: cannot serve on 127.0.0.1:{agent.port}:")
    missing = "import sys; sys.modules['escpos'] = None"
    code, said, _ = ended(tmp_path, missing, **good)
    assert code == 1
    assert re.fullmatch(r"printer: escpos\S* is missing: pip install tunggu\[printer\]", said)
    assert ended(tmp_path, **good, profile="TM-T999")[1].startswith("configuration: TUNGGU_PROFILE")


def wait_for(true):
    until = time.monotonic() + 60
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    assert true()
