"""Debian's Prometheus scrapes a city's processes and answers the War Room's questions."""

import asyncio
import gzip
import time
from dataclasses import dataclass, field
from itertools import pairwise

import httpx
import pytest

from services.local.clock import Clock
from services.local.stack import Stack
from services.queue.tallies import MINUTES_OF_WAITING
from tests.conftest import missing
from tests.e2e.offices import Way, acting, answered, new_id, office_file
from tests.e2e.processes import DATE, MORNING
from tests.e2e.prometheus import REMEDY, Prometheus, checked, installed, running
from tests.metrics_page import questions, rows
from tests.scraped import Scrape
from tunggu.queue.v1 import kecamatan_pb2
from tunggu.queue.v1 import queue_pb2 as pb

CODES = [f"73.71.{n:02d}" for n in range(1, 16)]
LETTERS = "ABCDEFGHIJ"
HOLDER = "a-phone-of-a-citizen-000"
SPEED = 60.0


@dataclass
class City:
    """15 offices with 10 services each on a stack with two queues. `secrets` is what was said to
    it and by it that belongs to somebody."""

    stack: Stack
    secrets: set[str] = field(default_factory=set)

    @property
    def targets(self):
        """The ports of /metrics by service."""
        where = self.stack.located()
        return {
            "queue": list(where.queue_metrics),
            "survey": [where.survey_metrics],
            "notify": list(where.notify_metrics),
            "gateway": [where.gateway_metrics],
        }

    @property
    def ports(self):
        return [port for ports in self.targets.values() for port in ports]

    def way(self):
        return Way.to("ipv4:" + ",".join(f"127.0.0.1:{p}" for p in self.stack.located().queues))

    def acting(self, role):
        token = self.stack.token(role, subject=f"{role.lower()}@office")
        self.secrets |= {token, f"{role.lower()}@office"}
        return acting(f"Bearer {token}")

    def offices(self):
        """As the public sees them, by code."""
        offices = self._get("/v1/kecamatan")["kecamatan"]
        return {office["code"]: office for office in offices}

    def day(self, code):
        return self._get(f"/v1/kecamatan/{code}/days/{DATE}")

    def _get(self, path):
        with self._http() as http:
            return http.get(path).raise_for_status().json()

    def _http(self):
        return httpx.Client(base_url=self.stack.url, trust_env=False, timeout=30)

    def take(self, code):
        """A number as a phone takes it, and a look at the stream that follows it."""
        with self._http() as http:
            key = new_id()
            answer = http.post(
                f"/v1/kecamatan/{code}/tickets",
                json={"service": "A"},
                headers={"Idempotency-Key": key, "Tunggu-Holder": HOLDER},
            )
            ticket = answer.raise_for_status().json()["ticket"]
            with http.stream("GET", f"/v1/streams/tickets/{ticket['id']}") as stream:
                next(stream.iter_raw())
            http.get(f"/v1/tickets/{ticket['id'][:-1]}_")
        self.secrets |= {key, HOLDER, ticket["id"], ticket["id"].split("-", 2)[2]}


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    clock = Clock(int(time.time() * 1000), MORNING, SPEED)
    folder = tmp_path_factory.mktemp("city")
    with Stack(folder, port=0, queue_replicas=2, clock=clock, supervise=False) as stack:
        city = City(stack)
        asyncio.run(opened(city))
        yield city


@pytest.fixture(scope="module")
def scraper(city, tmp_path_factory):
    """With samples of every office from before anything happened there; None if not installed."""
    if not installed():
        yield None
        return
    with running(tmp_path_factory.mktemp("prometheus"), city.targets) as prometheus:
        prometheus.until("count(count_over_time(tunggu_day_open[1m]) > 2)", {(): 2 * len(CODES)})
        yield prometheus


@pytest.fixture
def prometheus(scraper):
    if scraper is None:
        missing(REMEDY)
    return scraper


@pytest.fixture(scope="module")
def busy(city, scraper):
    """After a while of work, once every replica has been asked about all of it."""
    city.take(CODES[0])
    asyncio.run(worked(city))
    events = sum(office["event"] + 1 for office in city.offices().values())
    if scraper:
        scraper.until(
            "sum by (instance) (tunggu_journal_events_total)",
            {(f"127.0.0.1:{port}",): events for port in city.targets["queue"]},
        )
    return city


async def opened(city):
    """Every office has a day: its first counter is open."""
    async with city.way() as way:
        with city.acting("ADMIN"):
            for code in CODES:
                file = office_file(code, services=LETTERS)
                ask = kecamatan_pb2.ApplyKecamatanRequest
                await answered(
                    way.admin.ApplyKecamatan, ask(kecamatan=code, file=file, request_id=new_id())
                )
        with city.acting("OFFICER"):
            for code in CODES:
                await answered(
                    way.queue.OpenCounter, pb.OpenCounterRequest(kecamatan=code, counter="1")
                )


async def worked(city):
    """Office number i gives some numbers and calls up to i of them; others stop giving any."""
    async with city.way() as way:
        for number, code in enumerate(CODES):
            wishes = [
                pb.CreateTicketRequest(kecamatan=code, service=letter, request_id=new_id())
                for letter in LETTERS[: 2 + number % 4]
                for _ in range(3)
            ]
            await answered(
                way.queue.BatchCreateTickets, pb.BatchCreateTicketsRequest(requests=wishes)
            )
            await asyncio.sleep(0.05)  # three seconds there
        with city.acting("OFFICER"):
            for number, code in enumerate(CODES):
                await serve(way, code, number % 5)
        with city.acting("SUPERVISOR"):
            for code, reason in ((CODES[3], pb.STOP_REASON_POWER), (CODES[7], pb.STOP_REASON_FULL)):
                await answered(
                    way.queue.StopIssuing, pb.StopIssuingRequest(kecamatan=code, reason=reason)
                )


async def serve(way, code, calls):
    at = {"kecamatan": code, "counter": "1"}
    for _ in range(calls):
        ticket = (await answered(way.queue.CallNextTicket, pb.CallNextTicketRequest(**at))).ticket
        at_desk = at | {"ticket": ticket.number}
        await answered(way.queue.StartTicket, pb.StartTicketRequest(**at_desk))
        await answered(way.queue.CompleteTicket, pb.CompleteTicketRequest(**at_desk))


def by_office(values):
    """As Prometheus answers `by (kecamatan)`."""
    return {(code,): value for code, value in values.items()}


def ask(prometheus: Prometheus, question: str):
    return prometheus.ask(questions()[question])


def test_who_needs_action_now_comes_first(busy, prometheus):
    answer = ask(prometheus, "Who needs action now: the longest wait first")
    waiting = {code for code, office in busy.offices().items() if office["waiting"]}
    assert {code for (code,), age in answer.items() if age > 0} == waiting
    first = [code for (code,) in answer][: len(waiting)]
    assert first == sorted(waiting)  # they took their numbers in this order
    assert list(answer.values()) == sorted(answer.values(), reverse=True)


def test_what_every_office_has_now_is_what_the_public_sees(busy, prometheus):
    offices = busy.offices()

    def shown(field):
        return by_office({code: office[field] for code, office in offices.items()})

    assert ask(prometheus, "Waiting") == shown("waiting")
    assert ask(prometheus, "Counters open") == shown("countersOpen")
    assert ask(prometheus, "Completed today") == shown("completedToday")
    open_ones = sum(office["open"] for office in offices.values())
    assert ask(prometheus, "Offices where a number can be taken") == {(): open_ones}
    expected = {c: o["forecast"]["p50Seconds"] for c, o in offices.items() if "forecast" in o}
    assert len(expected) == len(CODES) - 2
    assert ask(prometheus, "Longest expected wait of a newcomer") == by_office(expected)


def test_where_issuing_is_stopped_and_why(busy, prometheus):
    notices = {(c, o["notice"]): 1 for c, o in busy.offices().items() if o["notice"]}
    assert set(notices) == {(CODES[3], "POWER"), (CODES[7], "FULL")}
    assert ask(prometheus, "Issuing stopped, and why") == notices


def test_the_days_figures_are_those_of_the_journal(busy, prometheus):
    waits = ask(prometheus, "90 % of today's waits were shorter")
    for code in CODES:
        total = busy.day(code)["total"]
        issued = f'sum(max without (instance) (tunggu_tickets_issued_total{{kecamatan="{code}"}}))'
        assert prometheus.ask(issued) == {(): total["issued"]}
        if total["calls"]:
            assert same_class(waits[(code,)], total["waitP90Seconds"]), code


def same_class(quantile, seconds):
    """A histogram knows no more than between which of its bounds a value lies."""
    bounds = [0, *(60 * minutes for minutes in MINUTES_OF_WAITING)]
    return any(
        low - 0.5 <= seconds <= high + 0.5 and low <= quantile <= high
        for low, high in pairwise(bounds)
    )


def test_calls_a_minute_are_as_many_as_were_made_and_not_twice_as_many(busy, prometheus):
    calls = ask(prometheus, "Calls a minute, over five minutes")
    for code in CODES:
        made = busy.day(code)["total"]["calls"]
        # Prometheus stretches what it saw to the ends of the window, as far as it may.
        assert made - 0.001 < calls[(code,)] * 5 < 2 * made or made == calls[(code,)] == 0


def test_every_query_of_the_page_is_understood(busy, prometheus):
    for heading in ("What the War Room asks", "What operations ask"):
        for _, query in rows(heading):
            prometheus.ask(query)


def test_prometheus_finds_every_process_up_and_promtool_nothing_to_mend(busy, prometheus):
    prometheus.until("sum(up)", {(): len(busy.ports)})
    for port in busy.ports:
        assert checked(Scrape.of(port).text) == ""


def test_nothing_that_belongs_to_somebody_is_in_any_answer(busy):
    for port in busy.ports:
        scrape = Scrape.of(port)
        assert not scrape.personal(*busy.secrets)
        assert not scrape.strange_labels()
    gateway = Scrape.of(*busy.targets["gateway"])
    calls = {"method": "GET /v1/tickets/{ticket_id}", "reason": "TICKET_NOT_FOUND"}
    assert gateway.total("tunggu_http_calls_total", **calls) == 1
    assert gateway.total("tunggu_gateway_batch_size_count") == 1
    assert ("tunggu_gateway_watchers", (("stream", "ticket"),)) in gateway.samples


def test_size_and_time_of_an_answer_about_15_offices_with_10_services(busy, capsys):
    with capsys.disabled():
        names = ("queue-1", "queue-2", "survey", "notify", "gateway")
        for name, port in zip(names, busy.ports, strict=True):
            times, text = [], ""
            for _ in range(5):
                start = time.perf_counter()
                text = Scrape.of(port).text
                times.append(time.perf_counter() - start)
            size, packed = len(text.encode()), len(gzip.compress(text.encode()))
            lines = sum(not line.startswith("#") for line in text.splitlines())
            middle = sorted(times)[2] * 1000
            print(
                f"\n/metrics of {name}: {lines} samples, {size / 1024:.0f} KB"
                f" ({packed / 1024:.0f} KB gzip), median of 5 {middle:.0f} ms",
                end="",
            )
            assert lines > 0
