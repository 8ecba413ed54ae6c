"""An office in memory that keeps the rules the demonstration must respect.

Answers like the gateway, refuses like the queue; it stands for both only where
the people of the demonstration are tested, not what they talk to.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator

import httpx

from services.local.clock import Clock


class _Stream(httpx.AsyncByteStream):
    def __init__(self, frames: AsyncIterator[bytes]) -> None:
        self._frames = frames

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for frame in self._frames:
            yield frame


class Office:
    """`counters` by id with their services; `break_verb` names a verb that always fails."""

    def __init__(self, clock: Clock, counters: dict[str, str], break_verb: str = "") -> None:
        self.clock = clock
        self.counters = counters
        self.break_verb = break_verb
        self.issued: Counter[str] = Counter()
        self.waiting: list[str] = []
        self.state: dict[str, str] = {}
        self.at: dict[str, str] = {}
        self.open: set[str] = set()
        self.calls: dict[str, list[float]] = {}
        self.holders: dict[str, str | None] = {}
        self.bearers: dict[str, set[str | None]] = {}
        self.refused: list[str] = []

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url="http://tunggu.test", transport=httpx.MockTransport(self._handle)
        )

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.startswith("/v1/streams/tickets/"):
            return httpx.Response(200, stream=_Stream(self._ticket(path.rpartition("/")[2])))
        if path.startswith("/v1/streams/"):
            return httpx.Response(200, stream=_Stream(self._boards()))
        body = json.loads(request.content)
        name = path.rpartition("/")[2]
        bearer = request.headers.get("Authorization")
        if name == "tickets":
            return self._create(body, bearer, request.headers["Tunggu-Holder"])
        counter, _, verb = name.partition(":")
        self.bearers.setdefault(counter, set()).add(bearer)
        return self._verb(counter, verb, body.get("ticket"))

    async def _boards(self) -> AsyncIterator[bytes]:
        yield b"retry: 1000\n\nevent: board\nid: 2020-01-13/1\ndata: {}\n\n: alive\n\n"
        await asyncio.Event().wait()

    async def _ticket(self, number: str) -> AsyncIterator[bytes]:
        shown = ""
        while True:
            if self.state[number] != shown:
                shown = self.state[number]
                yield f'event: ticket\ndata: {{"state":"{shown}"}}\n\n'.encode()
            await asyncio.sleep(0.05)

    def _create(self, body: dict[str, str], bearer: str | None, holder: str) -> httpx.Response:
        assert (body["channel"] == "KIOSK") is (bearer is not None)
        self.issued[body["service"]] += 1
        number = f"{body['service']}{self.issued[body['service']]:03}"
        self.waiting.append(number)
        self.state[number] = "WAITING"
        self.holders[number] = holder
        return httpx.Response(201, json={"ticket": {"number": number, "id": number}})

    def _verb(self, counter: str, verb: str, number: str | None) -> httpx.Response:
        reason = self._reason(counter, verb, number)
        if reason:
            self.refused.append(reason)
            return httpx.Response(409, json={"reason": reason})
        if verb in ("open", "close"):
            (self.open.add if verb == "open" else self.open.remove)(counter)
            return httpx.Response(200, json={"counter": {"id": counter}})
        if verb == "callNext":
            number = self._next(counter)
            assert number
            self.waiting.remove(number)
            self.at[counter] = number
        assert number
        self._move(counter, verb, number)
        return httpx.Response(200, json={"ticket": {"number": number}})

    def _reason(self, counter: str, verb: str, number: str | None) -> str:
        now = self.clock.now_ms()
        calls = self.calls.get(number or "", [])
        if verb == self.break_verb:
            return "BROKEN"
        if verb != "open" and counter not in self.open:
            return "COUNTER_CLOSED"
        if verb in ("callNext", "close"):
            if counter in self.at:
                return "COUNTER_BUSY"
            return "" if verb == "close" or self._next(counter) else "NOBODY_WAITING"
        if verb != "open" and self.at.get(counter) != number:
            return "TICKET_CHANGED"
        early = (verb == "recall" and now < calls[-1] + 20_000) or (
            verb == "skip" and (len(calls) < 3 or now < calls[0] + 90_000)
        )
        return "TOO_EARLY" if early else ""

    def _next(self, counter: str) -> str | None:
        return next((n for n in self.waiting if n[0] in self.counters[counter]), None)

    def _move(self, counter: str, verb: str, number: str) -> None:
        if verb in ("callNext", "recall"):
            self.calls.setdefault(number, []).append(self.clock.now_ms())
        else:
            self.state[number] = {"start": "SERVING", "complete": "COMPLETED", "skip": "NO_SHOW"}[
                verb
            ]
        if verb in ("complete", "skip"):
            del self.at[counter]
