"""Flooding one office: at another one everything is served. `pytest -s` prints what it cost."""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.e2e.crowd import Phone
from tests.e2e.offices import PATIENCE, Ways, acting, apply, new_id
from tunggu.queue.v1 import queue_pb2 as pb

FLOODED, QUIET = "73.71.90", "73.71.91"
CROWD = 150  # connections
VISITS = 60


@asynccontextmanager
async def crowded(port: int, office: str) -> AsyncIterator[dict[str, int]]:
    """Inside there is a crowd at the office; afterwards the reasons that it was given."""
    command = (sys.executable, "-m", "tests.e2e.crowd", str(port), office, str(CROWD))
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    seen: dict[str, int] = {}
    try:
        async with asyncio.timeout(PATIENCE):
            assert process.stdout
            assert await process.stdout.readline() == b"there\n"
        yield seen
        async with asyncio.timeout(PATIENCE):
            seen |= json.loads((await process.communicate(b""))[0])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def visits(port: int) -> list[float]:
    """Numbers taken and looked up, one visit after another; the seconds of each."""
    seconds = []
    async with Phone(port) as phone:
        for _ in range(VISITS):
            begun = time.perf_counter()
            ticket = (await phone.take(QUIET))["ticket"]
            assert (await phone.look(ticket["id"]))["number"] == ticket["number"]
            seconds.append(time.perf_counter() - begun)
    return seconds


async def officer(ways: Ways) -> None:
    """Calls, starts and completes those who came before the crowd."""
    desk = {"kecamatan": QUIET, "counter": "1"}
    with acting(ways.token("OFFICER", "officer-of-the-quiet")):
        await ways.all.queue.OpenCounter(pb.OpenCounterRequest(**desk, request_id=new_id()))
        for _ in range(VISITS // 2):
            call = pb.CallNextTicketRequest(**desk, request_id=new_id())
            held = {**desk, "ticket": (await ways.all.queue.CallNextTicket(call)).ticket.number}
            start = pb.StartTicketRequest(**held, request_id=new_id())
            await ways.all.queue.StartTicket(start)
            done = pb.CompleteTicketRequest(**held, request_id=new_id())
            await ways.all.queue.CompleteTicket(done)


async def test_while_one_office_is_flooded_every_request_at_another_is_served(ways: Ways):
    for code in (FLOODED, QUIET):
        await apply(ways.town, ways.all, code)
    port = ways.town.ports[-1]
    alone = await visits(port)
    async with crowded(port, FLOODED) as seen:
        flooded, _ = await asyncio.gather(visits(port), officer(ways))
    assert seen["OK"] > CROWD
    assert seen.keys() <= {"OK", "OVERLOADED", "QUOTA_EXHAUSTED"}, seen
    print(f"\na visit alone: {shown(alone)}; while another office is flooded: {shown(flooded)}")


def shown(seconds: list[float]) -> str:
    middle, late = (sorted(seconds)[int(len(seconds) * q)] * 1000 for q in (0.5, 0.95))
    return f"median {middle:.1f} ms, 19 of 20 under {late:.1f} ms"
