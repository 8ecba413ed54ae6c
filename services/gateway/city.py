"""The list of offices, live: asked for at most once a second while anybody watches."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

from services.chassis.errors import Problem
from services.gateway.streams import Fanout, Feed, frame

INTERVAL = 1.0  # seconds from one answer to the next question


class City:
    """The source of `/v1/streams/city`; `fetch` gives the JSON of `GET /v1/kecamatan`."""

    def __init__(self, fetch: Callable[[], Awaitable[bytes]], fanout: Fanout) -> None:
        self.feed = Feed(fanout)
        self._fetch = fetch

    async def run(self) -> None:
        while not self.feed.ended:
            try:
                self.show(await self._fetch())
            except Problem as problem:
                if self.feed.frame is None:
                    self.feed.end(problem)
                    return
                self.feed.lost()
            await asyncio.sleep(INTERVAL)

    def show(self, body: bytes) -> None:
        """Publishes a list that differs from the last one."""
        self.feed.found()
        identity = hashlib.sha256(body).hexdigest()[:32]
        if self.feed.frame is None or self.feed.frame.id != identity:
            self.feed.publish(frame("city", identity, body))
