"""All verbs on a Redis Cluster: three real nodes, offices on each of them."""

import asyncio
import contextlib
import time
from collections import Counter
from functools import partial

import pytest
from redis.crc import key_slot

from services.chassis.errors import Problem
from services.queue import kecamatan
from services.queue.archive import Archive
from services.queue.displays import Displays, Report
from services.queue.keys import Keys
from services.queue.live import Live
from services.queue.model import Channel, Lane
from services.queue.request import Request
from services.queue.rows import Done
from services.queue.store import Store
from services.redis_link.link import redis_connection
from services.survey.store import Store as SurveyStore
from tests.e2e.offices import office_file
from tests.queue.test_lua_equals_python import assert_same
from tests.redis_link.shapes import Cluster, Node, cluster, until
from tests.survey.served import queue_day

CODES = [f"73.71.{n:02}" for n in range(1, 16)]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("cluster")) as shape:
        yield shape


@pytest.fixture
async def link(nodes):
    for node in nodes.nodes:
        node.client.flushall()
        node.client.script_flush()
    async with redis_connection(nodes.url) as link:
        yield link


def slot_of(code: str) -> int:
    return key_slot(code.encode())


def owners(nodes: Cluster) -> dict[str, int]:
    """By office, its node's port."""
    return {code: nodes.owner(slot_of(code)).port for code in CODES}


def take(code: str, n: int) -> tuple[Request, str, Lane, Channel, str]:
    request = Request(code, "CreateTicket", f"request-{n}", "somebody", b"payload")
    return request, "A", Lane.REGULAR, Channel.WEB, ""


async def opened(link) -> Store:
    store = Store(link, always_open=True)
    for code in CODES:
        file = kecamatan.dump(office_file(code))
        await store.apply_kecamatan(Request(code, "ApplyKecamatan"), file)
    return store


@pytest.mark.parametrize("seed", range(9))
async def test_every_verb_does_in_a_cluster_what_it_does_in_python(link, nodes, seed):
    await assert_same(link, seed, CODES[seed])
    assert len(set(owners(nodes).values())) == 3, "the offices are on all three nodes"


async def test_offices_on_all_nodes_are_listed_and_served_at_once(link, nodes):
    store = await opened(link)
    assert await store.codes() == CODES
    items = [take(code, n) for n in range(20) for code in CODES]
    done = await store.batch_create_tickets(items)
    given = Counter(item[0].code for item in items)
    for code in CODES:
        pairs = zip(done, items, strict=True)
        numbers = [d.ticket.number for d, item in pairs if item[0].code == code]
        assert numbers == [f"A{n:03}" for n in range(1, given[code] + 1)]
    again = await store.batch_create_tickets(items)
    assert [d.ticket.number for d in again] == [d.ticket.number for d in done]
    for node in nodes.nodes:
        assert node.client.dbsize() > 5


async def test_followers_in_a_cluster_hear_of_each_event(link):
    store, archive = await opened(link), Archive(link)
    lives = {code: Live(code, store, archive) for code in CODES[:6]}
    following = [asyncio.create_task(live.run()) for live in lives.values()]
    for n in range(10):
        for code, live in lives.items():
            done = await store.create_ticket(*take(code, n))
            assert await live.reach(done.day, done.event)
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)


async def test_the_survey_keeps_and_reads_days_in_a_cluster(link):
    store = SurveyStore(link)
    for code in CODES[:3]:
        await store.close_day(code, "2026-03-02", queue_day())
        await store.settle(code, "2026-03-02")
        assert await store.settled(code) == "2026-03-02"
        (record,) = await store.records(code, ["2026-03-02"])
        assert record.closed


async def test_displays_report_and_are_read_on_all_nodes_of_a_cluster(link, nodes):
    await opened(link)
    displays = Displays(link)
    films = {1: (2, 60)}
    report = Report("1", "0f3a9c51d27be684", "", "", -1, True, False, films)
    for _ in range(2):
        await asyncio.gather(*(displays.report_display(code, report) for code in CODES))
    seen = await displays.seen(CODES)
    assert len(set(owners(nodes).values())) == 3
    assert all([one.films for one in seen[code]] == [films] for code in CODES)


async def test_an_office_that_moves_to_another_node_loses_nothing(link, nodes):
    code = CODES[0]
    store = await opened(link)
    source = nodes.owner(slot_of(code))
    target = next(node for node in nodes.nodes if node is not source)
    moving = asyncio.create_task(asyncio.to_thread(move, slot_of(code), source, target))
    numbers, refused = [], Counter()
    n = 0
    while not moving.done() or n < 50:
        try:
            done = await store.create_ticket(*take(code, n))
        except Problem as problem:
            refused[problem.reason] += 1
            continue
        n += 1
        numbers.append(done.ticket.number)
    await moving
    print(f"\n{len(numbers)} tickets, meanwhile refused: {dict(refused)}")
    assert numbers == [f"A{i:03}" for i in range(1, n + 1)]
    assert refused.keys() <= {"REDIS_UNAVAILABLE"}
    assert target.client.exists(Keys(code, "").of("journal"))
    for other in nodes.nodes:
        until(partial(_sees, nodes, other, slot_of(code), target))


def _sees(nodes: Cluster, node: Node, slot: int, owner: Node) -> bool:
    return nodes.owner(slot, node) is owner


def move(slot: int, source: Node, target: Node) -> None:
    """As redis-cli --cluster reshard does it, key by key."""
    ours = [node.client.execute_command("CLUSTER", "MYID") for node in (source, target)]
    target.client.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ours[0])
    source.client.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ours[1])
    while keys := source.client.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1):
        source.client.execute_command("MIGRATE", "127.0.0.1", target.port, keys[0], 0, 5000)
        time.sleep(0.02)  # tickets are taken meanwhile
    for node in (target, source):
        node.client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", ours[1])


async def test_a_killed_node_is_said_to_be_away_and_found_again(link, nodes):
    store = await opened(link)
    dead = next(node for node in nodes.nodes[1:] if node.port in owners(nodes).values())
    dead.kill()
    try:
        for code, port in owners(nodes).items():
            if port == dead.port:
                with pytest.raises(Problem) as refused:
                    await store.create_ticket(*take(code, 0))
                assert refused.value.reason in ("REDIS_UNAVAILABLE", "OUTCOME_UNKNOWN")
    finally:
        dead.start()
    nodes.whole()
    for code in CODES:
        done = await patiently(store, code, 0)
        assert done.ticket.number == "A001"


async def test_with_replicas_a_killed_node_takes_no_acknowledged_ticket_with_it(tmp_path):
    with cluster(tmp_path, follows=[0, 1, 1, 2]) as nodes:
        async with redis_connection(nodes.url, replicas=1) as link:
            store = await opened(link)
            first = await store.batch_create_tickets([take(code, 0) for code in CODES])
            dead = nodes.nodes[1]
            homes = [code for code, port in owners(nodes).items() if port == dead.port]
            taken = [await store.create_ticket(*take(code, n)) for code in homes for n in range(20)]
            dead.kill()
            begun = asyncio.get_running_loop().time()
            again = [await patiently(store, code, n) for code in homes for n in range(20)]
            waited = asyncio.get_running_loop().time() - begun
            print(f"\n{len(taken)} tickets on the killed node, served again after {waited:.1f} s")
            assert [done.ticket for done in again] == [done.ticket for done in taken]
            assert all(done.ticket.number == "A001" for done in first)


async def patiently(store: Store, code: str, n: int) -> Done:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(Problem):
                return await store.create_ticket(*take(code, n))
            await asyncio.sleep(0.1)
