"""What a gateway knows of one office's running survey day while somebody watches it."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterable, Callable

from services.chassis.errors import Problem
from services.gateway.boards import BACKOFF, LASTING
from services.gateway.encode import to_json
from services.gateway.streams import Fanout, Feed, frame
from tunggu.survey.v1.survey_pb2 import Satisfaction, WatchSatisfactionResponse

Watch = Callable[[str], AsyncIterable[WatchSatisfactionResponse]]


class Survey:
    """The source of an office's satisfaction stream: WatchSatisfaction, followed."""

    def __init__(self, kecamatan: str, watch: Watch, fanout: Fanout) -> None:
        self.feed = Feed(fanout)
        self._kecamatan = kecamatan
        self._watch = watch

    async def run(self) -> None:
        """Follows the stream, and another one whenever it ends or breaks off."""
        delay = BACKOFF[0]
        while not self.feed.ended:
            try:
                async for message in self._watch(self._kecamatan):
                    delay = BACKOFF[0]
                    self.show(message.satisfaction)
            except Problem as problem:
                if problem.status in LASTING:
                    self.feed.end(problem)
                    return
            self.feed.lost()
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311  (spread, no secret)
            delay = min(2 * delay, BACKOFF[1])

    def show(self, satisfaction: Satisfaction) -> None:
        """Publishes a state that differs from the last one: `<day>/<digest>`."""
        self.feed.found()
        body = to_json(satisfaction)
        identity = f"{satisfaction.to}/{hashlib.sha256(body).hexdigest()[:16]}"
        if self.feed.frame is None or self.feed.frame.id != identity:
            self.feed.publish(frame("satisfaction", identity, body))
