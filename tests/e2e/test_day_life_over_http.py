"""A gateway in the life of a day: it starts late, its queue starts late, midnight passes."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import httpx

from tests.e2e.mapped import City
from tests.e2e.mapped_office import MONDAY, TUESDAY, ms, week
from tests.e2e.replica import PATIENCE_S, environ, until

CODE = "73.71.03"
BOARD = f"/v1/kecamatan/{CODE}/board"


@asynccontextmanager
async def gateway(city: City) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway in front of the queue that runs now or later, listening."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "TUNGGU_PORT": str(port),
        "TUNGGU_QUEUE": f"unix:{city.address}",
        "TUNGGU_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-P", "-m", "services.gateway"]
    process = subprocess.Popen(command, env=environ() | settings)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE_S) as client:
            await until(lambda: listens(client), "the gateway")
            yield client
    finally:
        process.kill()
        process.wait()


async def listens(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/healthz")).status_code == HTTPStatus.OK
    except httpx.TransportError:
        return False


async def ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/readyz")).status_code == HTTPStatus.OK


class Stream:
    """An SSE stream, read in the background: `frames` as (id, data) of its messages."""

    def __init__(self, client: httpx.AsyncClient, path: str) -> None:
        self.frames: list[tuple[str, dict[str, Any]]] = []
        self._task = asyncio.create_task(self._read(client, path))

    async def _read(self, client: httpx.AsyncClient, path: str) -> None:
        async with client.stream("GET", path) as answer:
            assert answer.status_code == HTTPStatus.OK
            fields: dict[str, str] = {}
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if not line and "data" in fields:
                    self.frames.append((fields["id"], json.loads(fields["data"])))
                fields = {**fields, name: value} if line else {}

    async def has(self, true: Callable[[dict[str, Any]], bool], what: str) -> None:
        """Waits for a message of which it is true."""

        def shown() -> bool:
            if self._task.done():
                self._task.result()
            return any(true(data) for _, data in self.frames)

        await until(shown, what)

    async def ended(self) -> None:
        """Waits until the server has ended it."""
        await asyncio.wait_for(self._task, PATIENCE_S)

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_a_gateway_that_is_there_before_its_queue_says_so_and_serves_once_it_comes(city):
    async with gateway(city) as client:
        early = await client.get(BOARD)
        assert early.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert early.json()["reason"] == "SERVICE_UNAVAILABLE"
        assert not await ready(client)
        await city.at(ms(f"{MONDAY} 10:17"))
        office = await city.office(CODE)
        await until(lambda: ready(client), "readiness")
        taken = await client.post(f"/v1/kecamatan/{CODE}/tickets", json={"service": "A"})
        assert (taken.status_code, taken.json()["ticket"]["number"]) == (201, "A001")
        assert await office.lines(MONDAY) == [
            "10:17 day.open",
            "10:17 issue.go hours",
            "10:17 issue A001",
        ]


async def test_a_gateway_that_starts_in_the_middle_of_a_day_shows_it_as_it_is(city):
    await city.at(ms(f"{MONDAY} 12:30"))
    office = await city.office(CODE)
    await office.open("1")
    await city.at(ms(f"{MONDAY} 13:00"))
    ticket = await office.take()
    await office.take("B")
    await office.call()
    await office.followed()
    async with gateway(city) as client:
        await until(lambda: ready(client), "readiness")
        answer = await client.get(BOARD)
        assert answer.content == await office.board_bytes()
        mine = (await client.get(f"/v1/tickets/{ticket.id}")).json()
        assert (mine["state"], mine["counter"], mine["serviceDay"]) == ("CALLED", "1", MONDAY)
        stream = Stream(client, f"/v1/streams/kecamatan/{CODE}/board")
        await stream.has(lambda board: board == answer.json(), "the board")
        assert stream.frames[0][0] == f"{MONDAY}/{answer.json()['event']}"
        await stream.leave()


async def test_at_midnight_a_ticket_stream_ends_with_lapsed_and_a_board_stream_goes_on(city):
    await city.at(ms(f"{MONDAY} 23:59:59.999"))
    office = await city.office(CODE, hours={"weekly": week(("00:00", "24:00"))})
    ticket = await office.take()
    async with gateway(city) as client:
        await until(lambda: ready(client), "readiness")
        board = Stream(client, f"/v1/streams/kecamatan/{CODE}/board")
        mine = Stream(client, f"/v1/streams/tickets/{ticket.id}")
        await board.has(lambda shown: shown["day"] == MONDAY, "Monday's board")
        await mine.has(lambda shown: shown["state"] == "WAITING", "the ticket")
        await city.at(ms(f"{TUESDAY} 00:00"))
        await mine.has(lambda shown: shown["state"] == "LAPSED", "the end of the ticket")
        await mine.ended()
        await board.has(lambda shown: (shown["day"], shown["event"]) == (TUESDAY, 1), "Tuesday")
        again = await client.get(
            f"/v1/streams/tickets/{ticket.id}", headers={"Last-Event-ID": mine.frames[-1][0]}
        )
        assert again.status_code == HTTPStatus.NO_CONTENT
        await board.leave()
