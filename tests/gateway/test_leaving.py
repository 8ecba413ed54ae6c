"""A gateway that leaves while clients keep their connections: not one request fails."""

import asyncio
import http.client
import json
import threading
import time

from tests.gateway.fake_queue import CODE, FakeQueue, serve
from tests.gateway.test_returning import Gateway

PATIENCE = 60.0
CLIENTS = 12


class Regular(threading.Thread):
    """Takes a number and looks at the board, over and over on one connection.

    Goes to the next gateway when it is told that the connection ends, as a balancer would.
    """

    def __init__(self, *ports):
        super().__init__()
        self.ports = list(ports)
        self.numbers = []
        self.failures = []
        self.enough = threading.Event()

    def run(self):
        connection = None
        while not self.enough.is_set() and not self.failures:
            connection = connection or http.client.HTTPConnection("127.0.0.1", self.ports[0])
            try:
                told = self.ask(connection, "POST", f"/v1/kecamatan/{CODE}/tickets")
                told = self.ask(connection, "GET", f"/v1/kecamatan/{CODE}/board") or told
            except (OSError, http.client.HTTPException, AssertionError) as error:
                self.failures.append(repr(error))
                told = False
            if told:
                connection.close()
                connection = None
                del self.ports[:-1]
            time.sleep(0.02)
        if connection:
            connection.close()

    def ask(self, connection, method, path):
        """Whether the connection ends. Opens another one meanwhile, if it has to."""
        body = json.dumps({"service": "A"}) if method == "POST" else None
        connection.request(method, path, body, {"content-type": "application/json"})
        answer = connection.getresponse()
        said = json.loads(answer.read())
        assert answer.status in (200, 201), said
        if method == "POST":
            self.numbers.append(said["ticket"]["number"])
        return answer.getheader("connection") == "close"


async def until(check):
    async with asyncio.timeout(PATIENCE):
        while not check():
            await asyncio.sleep(0.05)


async def ready(gateway):
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


async def test_no_request_fails_when_a_gateway_leaves_and_clients_go_where_they_are_sent():
    queue, port = await serve(fake := FakeQueue())
    leaving, staying = Gateway(port, drain_delay=5), Gateway(port)
    for gateway in (leaving, staying):
        await gateway.start()
        await ready(gateway)
    clients = [Regular(leaving.port, staying.port) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    await until(lambda: all(len(client.numbers) > 3 for client in clients))
    try:
        assert await leaving.end() == (0, "")
        before = [len(client.numbers) for client in clients]
        await until(lambda: all(len(c.numbers) > n for c, n in zip(clients, before, strict=True)))
    finally:
        for client in clients:
            client.enough.set()
        for client in clients:
            await asyncio.to_thread(client.join)
        await staying.end()
        await queue.stop(0)
    assert [client.failures for client in clients if client.failures] == []
    assert all(client.ports == [staying.port] for client in clients)
    numbers = [number for client in clients for number in client.numbers]
    assert sorted(numbers) == sorted(ticket.number for ticket in fake.tickets.values())
