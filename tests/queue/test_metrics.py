"""What /metrics of the queue says of offices, and what it never says."""

import asyncio
import time
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from redis import Redis

from services.queue.board import Boards, Frozen, FrozenService, notice
from services.queue.days import statistics
from services.queue.figures import EQUAL
from services.queue.metrics import EMPTY, FRESH_S, Figures, OfficeCollector
from services.queue.model import CounterState, State
from tests.conftest import start_redis
from tests.e2e.launched import free_port
from tests.queue.days import MINUTE, document, random_day
from tests.queue.days import Office as Day
from tests.queue.servicing import HOLDER, MONDAY, TUESDAY, Office, start_queue
from tests.scraped import EVERYWHERE, Scrape
from tunggu.queue.v1 import queue_pb2 as pb
from tunggu.queue.v1.ticket_pb2 import CHANNEL_KIOSK, CHANNEL_WEB, LANE_PRIORITY

CODE = "73.71.03"
AGE = "tunggu_archive_age_seconds"


# Figures of folded days --------------------------------------------------------------------------


@dataclass
class Followed:
    """An office as `Live` holds it."""

    boards: Boards
    code: str = CODE
    ready: bool = True
    archived: str = ""
    rewinds: int = 0
    leaf_bytes: int = 0
    builds: int = 0
    built_bytes: int = 0


@dataclass
class Known:
    """Offices as a replica knows them, at a moment of domain time."""

    lives: list[Followed]
    now: int = 0
    store: SimpleNamespace = field(init=False)

    def __post_init__(self) -> None:
        self.store = SimpleNamespace(moment=lambda: self.now)

    def followed(self):
        return self.lives


def live(office, **more):
    services = {code: FrozenService(code) for code in office.policy.services}
    boards = Boards(office.policy, Frozen("Makassar", services), [], office.date)
    for event in office.events:
        boards.observe(event)
    return Followed(boards, leaf_bytes=sum(map(len, office.leaves)), **more)


async def scraped(known):
    """As the metrics server does it: from a thread that is not the loop's."""
    registry = CollectorRegistry(auto_describe=True)
    registry.register(OfficeCollector(Figures(known)))
    return Scrape((await asyncio.to_thread(generate_latest, registry)).decode())


def test_the_words_that_promise_equality_are_the_ones_tests_look_for():
    assert EQUAL == EVERYWHERE


@pytest.mark.parametrize("seed", range(30))
async def test_figures_are_the_folded_truth_after_a_random_day(seed):
    office = random_day(Random(seed), close=seed % 2 == 0).office
    day, now = office.day, office.day.t + 90_500
    followed = live(office)
    scrape = await scraped(Known([followed], now))
    tickets = list(day.tickets.values())
    truth = statistics(day, followed.boards.desks)

    def of(name, **labels):
        return scrape.total(f"tunggu_{name}", kecamatan=CODE, **labels)

    for code in day.policy.services:
        waiting = [t for t in tickets if t.state is State.WAITING and t.service == code]
        assert of("tickets_waiting", service=code) == len(waiting)
        oldest = max(((now - t.since) / 1000 for t in waiting), default=0)
        assert of("oldest_waiting_seconds", service=code) == oldest
        assert of("tickets_issued_total", service=code) == day.issued[code]
        own = next(entry for entry in truth["services"] if entry["service"] == code)["total"]
        for figure in ("completed", "cancelled", "lapsed"):
            assert of(f"tickets_{figure}_total", service=code) == own[figure]
        assert of("service_seconds_count", service=code) == own["completed"]
        wait = followed.boards.newcomer_to(code)
        assert of("forecast_p50_seconds", service=code) == (wait.p50_seconds if wait else 0)
        assert of("forecast_p90_seconds", service=code) == (wait.p90_seconds if wait else 0)
    for lane in ("REGULAR", "PRIORITY"):
        own = sum(t.state is State.WAITING and t.lane.name == lane for t in tickets)
        assert of("tickets_waiting", lane=lane) == own
    assert of("wait_seconds_count") == truth["total"]["calls"]
    assert of("wait_seconds_bucket", le="+Inf") == truth["total"]["calls"]
    for state in CounterState:
        own = sum(counter.state is state for counter in day.counters.values())
        assert of("counters", state=state.value) == own
    assert of("journal_events_total") == len(office.events)
    assert of("journal_bytes_total") == sum(map(len, office.leaves))
    assert of("day_open") == (not day.closed)
    assert of("issuing_stopped") == bool(notice(day))
    assert of("issuing_stopped", reason=notice(day) or "FULL") == bool(notice(day))
    assert not scrape.strange_labels()
    assert not scrape.personal()


async def test_the_day_and_the_archive_are_told_as_times():
    office = Day(document()).opened("1")
    followed = live(office, archived="2026-02-27")
    midnight = 1_772_380_800  # 2026-03-02 in Makassar
    scrape = await scraped(Known([followed], (midnight + 10 * 3600) * 1000))
    assert scrape.total("tunggu_day_start_timestamp_seconds") == midnight
    assert scrape.total(AGE) == (2 * 24 + 10) * 3600


async def test_an_office_that_is_not_followed_has_no_figures_rather_than_old_ones():
    office = Day().opened("1")
    office.take()
    scrape = await scraped(Known([live(office, ready=False)], office.day.t))
    assert {name for name, _ in scrape.samples} == {"tunggu_office_followed"}
    assert scrape.total("tunggu_office_followed", kecamatan=CODE) == 0


async def test_no_age_runs_backwards_when_the_clock_is_behind_the_last_event():
    office = Day()
    office.take()
    scrape = await scraped(Known([live(office)], office.day.t - 5 * MINUTE))
    assert scrape.total("tunggu_oldest_waiting_seconds") == 0


async def test_a_loop_that_has_ended_leaves_the_offices_out():
    figures = await asyncio.to_thread(asyncio.run, made())
    assert figures.sheet() == EMPTY


async def made():
    return Figures(Known([live(Day().opened("1"))]))


# Replicas ----------------------------------------------------------------------------------------


@dataclass
class Replicas:
    """Two processes on one Redis, whose clock stands still; `ports` are those of /metrics."""

    processes: list
    ports: list[int]
    redis: object

    def scrape(self):
        """Of each, not older than this moment."""
        time.sleep(1.1 * FRESH_S)
        return [Scrape.of(port) for port in self.ports]


@pytest.fixture(scope="module")
def replicas(tmp_path_factory):
    server = start_redis(tmp_path_factory.mktemp("metrics-redis"))
    ports = [free_port(), free_port()]
    folder = tmp_path_factory.mktemp("metrics")
    stopped = {"start": f"{MONDAY}T09:00", "speed": 0, "tick": 0.2}
    processes = [start_queue(folder, server.url, METRICS_PORT=port, **stopped) for port in ports]
    yield Replicas(processes, ports, server)
    for process in processes:
        assert process.end() == 0
    server.kill()


@pytest.fixture
async def offices(replicas):
    """One office, spoken to through each of the replicas."""
    with Redis(unix_socket_path=str(replicas.redis.socket)) as view:
        first, second = replicas.processes
        async with first.channel() as one, second.channel() as other:
            office = Office(one, view)
            await office.apply()
            yield office, office.on(other)


def new(n):
    return f"0123456789-0123456789-{n:03d}"


async def a_day(office):
    """Every verb that a stopped clock admits, each with a request id of its own."""
    desk, head, kiosk = office.officer, office.head, office.kiosk
    at = {"counter": "1"}
    steps = [
        *(("CreateTicket", kiosk, {"service": s, "channel": CHANNEL_KIOSK}) for s in "AABBC"),
        ("CreateTicket", None, {"service": "A", "channel": CHANNEL_WEB, "holder": HOLDER}),
        ("OpenCounter", desk, at),
        ("CallNextTicket", desk, at),
        ("StartTicket", desk, at | {"ticket": "A001"}),
        ("CompleteTicket", desk, at | {"ticket": "A001"}),
        ("CallNextTicket", desk, at),
        ("SkipTicket", desk, at | {"ticket": "A002"}),
        ("ReturnTicket", desk, {"number": "A002"}),
        ("CancelTicket", desk, {"number": "B001"}),
        ("SetTicketLane", desk, {"number": "B002", "lane": LANE_PRIORITY}),
        ("StopIssuing", head, {"reason": pb.STOP_REASON_POWER}),
    ]
    answers = []
    for n, (verb, who, fields) in enumerate(steps):
        answers.append(await office.do(verb, who, request_id=new(n), **fields))
    return answers


def equal_to(scrape, office):
    """What is the same everywhere, of one office."""
    own = ("kecamatan", office.code)
    return {key: value for key, value in scrape.equal_everywhere().items() if own in key[1]}


async def test_a_repeated_request_adds_to_nothing_on_any_replica(replicas, offices):
    office, same = offices
    done = await a_day(office)
    for each in offices:
        await each.board(done[-1].event)
    before, _ = await asyncio.to_thread(replicas.scrape)
    assert [answer.event for answer in await a_day(same)] == [answer.event for answer in done]
    for after in await asyncio.to_thread(replicas.scrape):
        assert equal_to(after, office) == equal_to(before, office)
    issued = {"kecamatan": office.code, "lane": "REGULAR"}
    assert before.total("tunggu_tickets_issued_total", **issued) == 6
    assert before.total("tunggu_tickets_issued_total", channel="WEB", **issued) == 1
    assert before.total("tunggu_calls_total", **issued) == 2
    assert before.total("tunggu_issuing_stopped", reason="POWER", kecamatan=office.code) == 1
    rows = office.redis.xrange(office.key("journal"))
    of_journal = len(rows), sum(len(fields[b"l"]) for _, fields in rows)
    own = {"kecamatan": office.code}
    assert before.total("tunggu_journal_events_total", **own) == of_journal[0]
    assert before.total("tunggu_journal_bytes_total", **own) == of_journal[1]


async def test_replicas_show_the_same_of_every_office_and_so_does_one_that_starts_anew(
    replicas, offices, tmp_path
):
    office, _ = offices
    done = await a_day(office)
    for each in offices:
        await each.board(done[-1].event)
    port = free_port()
    stopped = {"start": f"{MONDAY}T09:00", "speed": 0, "METRICS_PORT": port}
    third = start_queue(tmp_path, replicas.redis.url, **stopped)
    try:
        async with third.channel() as channel:
            await office.on(channel).board(done[-1].event)
        one, other = await asyncio.to_thread(replicas.scrape)
        newest = await asyncio.to_thread(Scrape.of, port)
    finally:
        third.end()
    assert len(equal_to(one, office)) > 100
    assert equal_to(one, office) == equal_to(other, office) == equal_to(newest, office)


DISPLAY = {"display": "hall-2", "page": "0f3a9c51d27be684", "version": "3f1c0a77be42"}


async def test_replicas_show_the_same_of_a_display_until_it_is_forgotten(replicas, offices):
    office, same = offices
    await office.open("1")
    begun = time.time()
    shown = DISPLAY | {"live": True, "day": MONDAY, "event": 0}
    for each in (office, same, office):
        films = [pb.FilmPlays(film=1, plays=3, seconds=90), pb.FilmPlays(film=2)]
        await each.do("ReportDisplay", office.kiosk, films=films, **shown)
    own = {"kecamatan": office.code, "display": "hall-2"}
    one, other = await asyncio.to_thread(replicas.scrape)
    assert equal_to(one, office) == equal_to(other, office)
    assert begun - 60 < one.total("tunggu_display_last_seen_timestamp_seconds", **own)
    assert one.total("tunggu_display_live", **own) == 1
    assert one.total("tunggu_display_sound", **own) == 0
    assert one.total("tunggu_display_events_behind", **own) == len(office.leaves()) - 1
    assert one.total("tunggu_display_info", version=DISPLAY["version"], **own) == 1
    plays = {film: one.total("tunggu_display_film_plays_total", film=film, **own) for film in "12"}
    assert plays == {"1": 3, "2": 0}
    assert one.total("tunggu_display_film_seconds_total", **own) == 90
    assert not one.strange_labels()
    assert not one.personal(DISPLAY["page"], office.kiosk.subject)
    office.redis.pexpire(office.key("displays"), 1)
    for scrape in await asyncio.to_thread(replicas.scrape):
        left = {name for (name, labels) in scrape.samples if ("kecamatan", office.code) in labels}
        assert left
        assert not [name for name in left if name.startswith("tunggu_display_")]


async def test_displays_that_cannot_be_read_in_time_are_left_out_and_the_rest_is_told():
    async def never(_):
        await asyncio.Event().wait()

    office = Day().opened("1")
    sheet = await Figures(Known([live(office)], office.day.t), never).take()
    assert sheet.rows["tunggu_day_open"]
    assert not sheet.rows["tunggu_display_live"]


async def test_it_says_nothing_that_is_only_somebody_s_and_uses_only_the_words_of_the_design(
    replicas, offices
):
    office, _ = offices
    tickets = await a_day(office)
    await office.refused("CallNextTicket", "COUNTER_TAKEN", office.other_officer, counter="1")
    secrets = {HOLDER, new(0)[:18], office.officer.subject, office.kiosk.subject}
    secrets |= {answer.id for answer in tickets if getattr(answer, "id", "")} - {"1"}
    for scrape in await asyncio.to_thread(replicas.scrape):
        assert not scrape.personal(*secrets)
        assert not scrape.strange_labels()
        assert scrape.total("tunggu_office_followed", kecamatan=office.code) == 1
    one, other = await asyncio.to_thread(replicas.scrape)
    called = "tunggu.queue.v1.QueueService/CallNextTicket"
    assert one.total("tunggu_rpc_calls_total", method=called, reason="COUNTER_TAKEN") == 1
    assert one.total("tunggu_redis_seconds_count", verb="CallNextTicket") >= 3
    assert one.total("tunggu_ticks_total", reason="OK") > 0
    assert one.total("tunggu_fold_lag_seconds_count") > 0
    assert one.total("tunggu_build_info", service="queue") == 1
    assert other.total("tunggu_redis_seconds_count", verb="Tick") > 0


async def test_the_next_day_counts_from_0_and_the_day_before_it_gives_the_archive_an_age(
    own_redis, tmp_path
):
    with Redis(unix_socket_path=str(own_redis.socket)) as view:
        monday = start_queue(tmp_path, own_redis.url, start=f"{MONDAY}T09:00", speed=0)
        async with monday.channel() as channel:
            office = Office(channel, view)
            await office.apply()
            await a_day(office)
        monday.end()
        scrape = await on_tuesday(own_redis.url, tmp_path)
        rows = view.xrange(office.key("journal"), f"{TUESDAY.replace('-', '')}-0")
    assert scrape.total(AGE) == 9 * 3600
    assert scrape.total("tunggu_day_open") == 1
    assert scrape.total("tunggu_counters", state="OPEN") == 0
    assert scrape.total("tunggu_tickets_issued_total") == 0
    assert scrape.total("tunggu_journal_events_total") == len(rows)
    assert scrape.total("tunggu_journal_bytes_total") == sum(len(row[b"l"]) for _, row in rows)


async def on_tuesday(url, folder):
    """What a replica shows that comes the next morning, once it has kept the day before and gives
    numbers."""
    port = free_port()
    later = {"start": f"{TUESDAY}T09:00", "speed": 0, "tick": 0.1, "METRICS_PORT": port}
    tuesday = start_queue(folder, url, **later)
    try:
        async with asyncio.timeout(60):
            while True:
                scrape = await asyncio.to_thread(Scrape.of, port)
                if scrape.has(AGE) and scrape.total("tunggu_office_open"):
                    return scrape
                await asyncio.sleep(0.2)
    finally:
        tuesday.end()
