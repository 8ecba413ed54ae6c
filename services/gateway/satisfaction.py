"""What a gateway knows of one office's running survey day while somebody watches it."""

import hashlib
from collections.abc import AsyncIterable, Callable

from services.gateway.encode import to_json
from services.gateway.following import follow
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
        await follow(self.feed, lambda: self._watch(self._kecamatan), self._take)

    def _take(self, message: WatchSatisfactionResponse) -> None:
        self.show(message.satisfaction)

    def show(self, satisfaction: Satisfaction) -> None:
        """Publishes a state that differs from the last one: `<day>/<digest>`."""
        self.feed.found()
        body = to_json(satisfaction)
        identity = f"{satisfaction.to}/{hashlib.sha256(body).hexdigest()[:16]}"
        if self.feed.frame is None or self.feed.frame.id != identity:
            self.feed.publish(frame("satisfaction", identity, body))
