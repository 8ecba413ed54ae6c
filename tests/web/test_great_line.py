"""Two thousand people wait at one office: no page works long at a time, and none draws them all."""

import re
import secrets

import grpc
import pytest
from playwright.sync_api import expect

from tests.web.town import DAY, MAKASSAR, running
from tunggu.queue.v1.queue_pb2 import BatchCreateTicketsRequest, CreateTicketRequest
from tunggu.queue.v1.queue_pb2_grpc import QueueServiceStub
from tunggu.queue.v1.ticket_pb2 import LANE_PRIORITY, LANE_REGULAR

MANY = 2000
AT_ONCE = 250
ELEMENTS = 1500  # that a page may have, however many wait
CHANGED = 1000  # changes of a page: far from one for everybody who waits
PATIENCE = 60_000  # ms
WATCH = """
globalThis.tasks = [];
globalThis.touched = 0;
new PerformanceObserver((list) => tasks.push(...list.getEntries().map((one) => one.duration)))
  .observe({ type: "longtask", buffered: true });
addEventListener("DOMContentLoaded", () => new MutationObserver((all) => { touched += all.length; })
  .observe(document.body, { subtree: true, childList: true, characterData: true }));
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Of this file's own, with a line as no hall ever had it."""
    with running(tmp_path_factory.mktemp("town"), wide) as town, town.desk() as desk:
        take(town, MANY)
        desk.at("1", "open")
        yield town


def wide(office):
    """No service has a quota."""
    for service in office["spec"]["services"]:
        service.pop("quota")
    return office


def take(town, count):
    """The last of so many numbers of service A, one in nine of them with priority."""
    lanes = [LANE_PRIORITY if n % 9 == 0 else LANE_REGULAR for n in range(count)]
    asked = [
        CreateTicketRequest(
            kecamatan=MAKASSAR, service="A", lane=lane, request_id=secrets.token_urlsafe(18)
        )
        for lane in lanes
    ]
    with grpc.insecure_channel(f"127.0.0.1:{town.stack.located().queues[0]}") as channel:
        queue = QueueServiceStub(channel)
        for n in range(0, count, AT_ONCE):
            batch = BatchCreateTicketsRequest(requests=asked[n : n + AT_ONCE])
            results = queue.BatchCreateTickets(batch).results
            assert [one.error for one in results if one.HasField("error")] == []
    return results[-1].ticket


@pytest.fixture
def last(town):
    """Somebody behind everybody."""
    with town.desk() as desk:
        return desk.take()


def shown(name, last):
    """The figure of a page once it knows of `last`: an older board would do as well, otherwise."""
    ahead, issued = MANY, int(last["number"].lstrip("A"))
    figure = {"ticket": ahead, "verify": issued}.get(name, ahead + 1)
    return re.compile(rf"(?<!\d){figure // 1000}\.{figure % 1000:03}(?!\d)")


def pages_of(town, last):
    """By name: the address, the size, and where the number of those who wait stands."""
    supervisor = town.link(f"/dashboard/{MAKASSAR}", "SUPERVISOR")
    return {
        "counter": (town.link(f"/counter/{MAKASSAR}/1", "OFFICER"), "desktop", "#total"),
        "display": (f"/display/{MAKASSAR}", "hall", "#waiting-all"),
        "ticket": (f"/t/{last['id']}", "phone", "#ahead"),
        "office": (f"/#{MAKASSAR}", "phone", "#services li >> nth=0"),
        "kiosk": (town.link(f"/kiosk/{MAKASSAR}", "KIOSK"), "tablet", ".choice[value=A]"),
        "war-room": (f"/war-room#{MAKASSAR}", "desktop", "#one-services li >> nth=0"),
        "dashboard": (supervisor, "desktop", "#now-waiting"),
        "verify": (f"/verify/{MAKASSAR}/{DAY}#{last['number']}", "phone", "#issued"),
    }


NAMES = "counter display ticket office kiosk war-room dashboard verify".split()


@pytest.mark.parametrize("name", NAMES)
def test_a_line_of_two_thousand_leaves_a_page_light_and_awake(name, town, pages, last):
    path, size, place = pages_of(town, last)[name]
    context = pages.context(size)
    context.add_init_script(WATCH)
    page = pages.within(context, path).page
    there = page.locator(place)
    expect(there).to_contain_text(shown(name, last), timeout=PATIENCE)
    before = there.text_content()
    opening = page.evaluate("const seen = tasks.splice(0); touched = 0; seen")
    with town.desk() as desk:
        desk.serve("1")
    if name == "verify":
        page.locator("#newer").wait_for(timeout=PATIENCE)
    else:
        expect(there).not_to_have_text(before, timeout=PATIENCE)
    page.wait_for_timeout(1500)  # for the other boards of it, and for what the browser tells
    following, touched = page.evaluate("[tasks, touched]")
    elements = page.evaluate("document.querySelectorAll('*').length")
    print(
        f"{name}: the longest task {max(opening, default=0):.0f} ms while it opens, "
        f"{max(following, default=0):.0f} ms afterwards; {elements} elements, {touched} changes"
    )
    assert elements <= ELEMENTS
    assert touched <= CHANGED
