"""A gateway in front of the fake queue, both in a thread with an event loop of its own."""

import asyncio
import threading
from dataclasses import replace

import httpx
import uvloop

from services.chassis.client import channel
from services.gateway import compose
from services.gateway.config import GatewayConfig
from services.gateway.server import listen
from tests.gateway.fake_queue import FakeQueue, serve


class Stack:
    """`do` runs a coroutine on the stack's loop; `client` speaks real HTTP to it."""

    def __init__(self, **settings):
        self.config = replace(GatewayConfig(linger=0.2), **settings)
        self.ready = threading.Event()
        self.failed = None
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(10)
        if self.failed:
            raise self.failed
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.loop.call_soon_threadsafe(setattr, self.server, "should_exit", True)
        self.thread.join(20)
        assert not self.thread.is_alive()

    def run(self):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                runner.run(self.main())
            except BaseException as error:  # noqa: BLE001
                self.failed = error
                self.ready.set()

    async def main(self):
        self.loop = asyncio.get_running_loop()
        self.fake = FakeQueue()
        await self.start_queue()
        with listen("127.0.0.1", 0) as listener:
            self.port = listener.getsockname()[1]
            async with channel(f"ipv4:127.0.0.1:{self.queue_port}") as queue:
                self.server = compose.server(self.config, queue, asyncio.Event())
                self.loop.call_later(0.05, self.ready.set)
                await self.server.serve(sockets=[listener])
        await self.stop_queue()

    async def start_queue(self):
        """On the same port again after `stop_queue`."""
        port = getattr(self, "queue_port", 0)
        self.queue, self.queue_port = await serve(self.fake, f"127.0.0.1:{port}")

    async def stop_queue(self):
        await self.queue.stop(0)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def client(self, **settings):
        return httpx.Client(base_url=self.url, trust_env=False, timeout=10, **settings)

    def do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def asked(self, name):
        """The requests that reached an RPC, with their metadata."""
        return [
            (request, metadata) for called, request, metadata in self.fake.calls if called == name
        ]
