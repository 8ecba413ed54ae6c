"""How a script is run as one step of an office's day, and how its reply is understood.

No state is kept but a cache of agendas; a stale one is found out by the script.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client import Counter, Histogram
from redis.exceptions import RedisError

from services.chassis.errors import Problem
from services.chassis.telemetry import BUCKETS
from services.queue import agenda as agendas
from services.queue.agenda import Agenda
from services.queue.board import timestamp
from services.queue.keys import CITY_KEY, Keys
from services.queue.request import Request
from services.queue.rows import CounterRow, Done, TicketRow, office_of, ticket_id
from services.redis_link.clock import Clock
from services.redis_link.link import Link
from services.redis_link.lua import Scripts
from services.redis_link.redis_policy import problem

LUA = Path(__file__).with_name("lua")
ATTEMPTS = 6
"""A day changes under a verb at most a few times: closed, opened, opened by another replica."""

QUOTA_RETRY_S = "600"

ROUND_TRIPS = Histogram(
    "tunggu_redis_seconds",
    "Round trips of scripts, a batch is one. Sum.",
    ["verb"],
    buckets=BUCKETS,
)
ERRORS = Counter(
    "tunggu_redis_errors",
    "What Redis did not do, by the reason that callers got. Sum.",
    ["verb", "reason"],
)

Args = list[str | bytes | int]
Build = Callable[[Agenda], Args]


class Steps:
    """Runs scripts and reads what they need. Any number of processes may hold one."""

    def __init__(self, redis: Link, clock: Clock | None = None, always_open: bool = False) -> None:
        self.redis = redis
        self.clock = clock or Clock()
        self._always_open = always_open
        self._scripts = Scripts.load(LUA)
        self._agendas: dict[str, Agenda] = {}
        self._ahead = 0

    # One step -----------------------------------------------------------------------------------

    async def _step(
        self, request: Request, script: str, build: Build, day: str = "", **context: str
    ) -> Done:
        request.check()
        for _ in range(ATTEMPTS):
            agenda = await self._agenda_for(request.code, day)
            if day and day != agenda.day:
                return await self._past(request, day, context.get("number", ""))
            reply = await self._run(script, *self._call(request, agenda, build(agenda)))
            done = await self._answer(request, agenda, reply, context)
            if done:
                return done
        raise Problem("STALE_DAY")

    def _call(self, request: Request, agenda: Agenda, own: Args) -> tuple[list[str], Args]:
        """KEYS and ARGV: the common sixteen of lua/_day.lua and the verb's own."""
        keys = Keys(request.code, agenda.day).of_step(request.digest)
        common: Args = [
            request.code, agenda.day, agenda.start, agenda.end, agenda.hours_text, agenda.close_at,
            agenda.policy.hash, agenda.salt, self.clock.text, agenda.generation, agenda.document,
            agenda.names, request.verb, request.payload_hash, request.subject,
            flag(request.supervisor),
        ]  # fmt: skip
        return keys, common + own

    async def _answer(
        self, request: Request, agenda: Agenda, reply: Any, context: dict[str, str]
    ) -> Done | None:
        """What the reply says; None when the step must be tried on another day."""
        kind = reply[0].decode()
        if kind == "OK":
            if agenda.document:  # the day is open now and the document need not travel again
                self._agendas.pop(request.code, None)
            return _done(agenda.day, reply)
        if kind == "AGAIN":
            return await self._replayed(request.code, reply[1].decode())
        if kind == "NO":
            raise refusal(request.code, agenda.day, reply, context)
        if kind == "CLOSE":
            await self._close(request.code, reply[1].decode(), early="0")
        self._agendas.pop(request.code, None)
        return None

    async def _replayed(self, code: str, stored: str) -> Done:
        """The ticket and event of a request that was done before, live fields fresh."""
        _, day, number, event, counter = stored.split("|")
        with after_writing():
            ticket = await self.ticket(code, day, number) if number else None
            desk = await self.counter(code, day, counter) if counter else None
        return Done(day, int(event or -1), ticket, desk)

    async def _past(self, request: Request, day: str, number: str) -> Done:
        """A verb on a ticket of another day: its repetition, else a refusal."""
        key = Keys(request.code, day).request(request.digest)
        stored = await asked(self.redis.get(key)) if request.digest else None
        if stored:
            if not stored.decode().startswith(f"{request.payload_hash}|"):
                raise Problem("REQUEST_ID_REUSED")
            return await self._replayed(request.code, stored.decode())
        row = await self.ticket(request.code, day, number)
        raise Problem("WRONG_STATE", {"number": number, "state": row.state})

    async def _run(self, script: str, keys: list[str], args: Args) -> Any:
        (reply,) = await self._run_many(script, [(keys, args)])
        if isinstance(reply, Exception):
            raise unknown(reply)
        return reply

    async def _run_many(self, script: str, calls: Sequence[tuple[list[str], Args]]) -> list[Any]:
        """The one place where writes are acknowledged: what this returns is durable, and the
        replicas have it that were asked for."""
        if not calls:
            return []
        with ROUND_TRIPS.labels(verb_of(script)).time():
            replies = await self._scripts.run_many(self.redis, script, calls)
        _count_failures(script, replies)
        return replies

    async def _close(self, code: str, day: str, early: str) -> None:
        agenda = await self._frozen_agenda(code, day)
        request = Request(code, "CloseDay")
        await self._run("close_day", *self._call(request, agenda, [early]))
        self._agendas.pop(code, None)

    # Agendas ------------------------------------------------------------------------------------

    async def _agenda(self, code: str) -> Agenda:
        if code not in self._agendas:
            self._agendas[code] = await self._fresh_agenda(code)
        return self._agendas[code]

    async def _agenda_for(self, code: str, day: str) -> Agenda:
        """The agenda that holds now. If it is not that of `day` it is made anew: the one that this
        replica remembers may be yesterday's, and `day` the one that another replica has opened."""
        agenda = await self._agenda(code)
        return agenda if day in ("", agenda.day) else await self.agenda(code)

    async def _fresh_agenda(self, code: str) -> Agenda:
        """From the running day if `now` is in it, else from the applied file."""
        file = await self.file(code)
        office = await self.office(code)
        now = max(await self._now(), int(office.get("t", 0)))
        if office.get("day"):
            running = await self._frozen_agenda(code, office["day"])
            if running.start <= now < running.end:
                return running
            if office["open"] == "1":
                await self._close(code, office["day"], early="0")
        salt, generation = secrets.token_hex(16), file["generation"].decode()
        return agendas.coming(file["file"], generation, now, salt, self._always_open)

    async def _frozen_agenda(self, code: str, day: str) -> Agenda:
        office = await self.office(code)
        document = await self.policy(code, office["policy"])
        return agendas.running(day, document, office.get("salt", ""))

    async def _now(self) -> int:
        seconds, micros = await asked(self.redis.time())
        now = int(seconds * 1000 + micros // 1000)
        self._ahead = now - _wall_ms()
        return self.clock.read(now)

    async def now(self) -> int:
        """Domain time, ms UTC, not clamped."""
        return await self._now()

    def moment(self) -> int:
        """About the same without asking, by how far Redis' clock was ahead when last asked. For
        figures: no rule may depend on it."""
        return self.clock.read(_wall_ms() + self._ahead)

    def seconds_since(self, t: int) -> float:
        """Real seconds from a moment of domain time until `moment()`, at least 0."""
        return max(0.0, (self.moment() - t) / 1000 / (self.clock.speed or 1.0))

    # Reading ------------------------------------------------------------------------------------

    async def agenda(self, code: str) -> Agenda:
        """The date that holds now, open or not. KECAMATAN_NOT_FOUND."""
        self._agendas.pop(code, None)
        return await self._agenda(code)

    async def codes(self) -> list[str]:
        return sorted(code.decode() for code in await asked(self.redis.smembers(CITY_KEY)))

    async def office(self, code: str) -> dict[str, str]:
        """The office hash as text; empty before the first day."""
        pairs = await asked(self.redis.hgetall(Keys(code, "").of("office")))
        return {name.decode(): value.decode() for name, value in pairs.items()}

    async def file(self, code: str) -> dict[str, bytes]:
        """The applied file: `file`, `generation`, `applied_at`. KECAMATAN_NOT_FOUND."""
        fields = await self._last_file(code)
        if fields["deleted"] != b"0":
            raise Problem("KECAMATAN_NOT_FOUND", {"kecamatan": code})
        return fields

    async def _last_file(self, code: str) -> dict[str, bytes]:
        """The same, also of an office that is off the list."""
        pairs = await asked(self.redis.hgetall(Keys(code, "").of("file")))
        if not pairs:
            raise Problem("KECAMATAN_NOT_FOUND", {"kecamatan": code})
        return {name.decode(): value for name, value in pairs.items()}

    async def policy(self, code: str, digest: str) -> bytes:
        """A policy document. POLICY_NOT_FOUND."""
        document = await asked(self.redis.hget(Keys(code, "").of("policies"), digest))
        if document is None:
            raise Problem("POLICY_NOT_FOUND")
        return bytes(document)

    async def number_of(self, ticket: str) -> tuple[str, str, str]:
        """Code, day and number of a ticket id. TICKET_NOT_FOUND."""
        code, day, secret = office_of(ticket)
        number = await asked(self.redis.hget(Keys(code, day).of_day("ids"), secret))
        if number is None:
            raise Problem("TICKET_NOT_FOUND")
        return code, day, number.decode()

    async def ticket(self, code: str, day: str, number: str) -> TicketRow:
        """TICKET_NOT_FOUND."""
        record = await asked(self.redis.hget(Keys(code, day).of_day("tickets"), number))
        if record is None:
            raise Problem("TICKET_NOT_FOUND")
        return TicketRow.parse(day, number, record)

    async def counter(self, code: str, day: str, counter: str) -> CounterRow | None:
        """None if it was not touched that day."""
        record = await asked(self.redis.hget(Keys(code, day).of_day("counters"), counter))
        return CounterRow.parse(day, counter, record) if record else None

    async def audit(self, code: str, count: int, before: str) -> list[tuple[str, dict[str, str]]]:
        """Entries newest first, older than the id `before` (empty = from the newest)."""
        key = Keys(code, "").of("audit")
        newest = f"({before}" if before else "+"
        rows = await asked(self.redis.xrevrange(key, newest, "-", count))
        return [(i.decode(), {k.decode(): v.decode() for k, v in f.items()}) for i, f in rows]


async def asked(awaitable: Any) -> Any:
    """The reply of a read, or of a write that may be repeated; its failures as Problems."""
    try:
        return await awaitable
    except RedisError as error:
        raise unavailable(error) from error


@contextmanager
def after_writing() -> Iterator[None]:
    """Around what is read to answer a step that was done: that nothing changed would be untrue."""
    try:
        yield
    except Problem as failed:
        if failed.reason != "REDIS_UNAVAILABLE":
            raise
        raise Problem("OUTCOME_UNKNOWN", private=failed.private) from failed


def verb_of(script: str) -> str:
    """`CallNextTicket` of `call_next_ticket`."""
    return script.title().replace("_", "")


def _count_failures(script: str, replies: Sequence[Any]) -> None:
    for reply in replies:
        if isinstance(reply, Exception):
            ERRORS.labels(verb_of(script), unknown(reply).reason).inc()


def _wall_ms() -> int:
    return int(time.time() * 1000)


def flag(value: bool) -> str:
    return "1" if value else "0"


def _done(day: str, reply: list[bytes]) -> Done:
    _, _, event, number, ticket, counter, desk = reply
    return Done(
        day,
        int(event),
        TicketRow.parse(day, number.decode(), ticket) if ticket else None,
        CounterRow.parse(day, counter.decode(), desk) if desk else None,
    )


def refusal(code: str, day: str, reply: list[bytes], context: dict[str, str]) -> Problem:
    """The script's NO as a Problem, with what the texts of the catalogue may want."""
    reason, *pairs = [part.decode() for part in reply[1:]]
    metadata = {"kecamatan": code, **context, **dict(zip(pairs[::2], pairs[1::2], strict=True))}
    if "why" in metadata:
        metadata["why"] = metadata["why"].upper()
    if "when" in metadata:
        metadata["when"] = timestamp(int(metadata["when"]))
    if reason == "QUOTA_EXHAUSTED":  # until somebody cancels, or the next day
        metadata["retryAfter"] = QUOTA_RETRY_S
    if "id" in metadata:
        metadata["ticketId"] = ticket_id(code, day, metadata.pop("id"))
    return Problem(reason, metadata)


def unknown(error: Exception) -> Problem:
    """A write that failed: refused, never sent, or perhaps done (OUTCOME_UNKNOWN)."""
    known = problem(error) if isinstance(error, RedisError) else None
    return known or Problem("INTERNAL", private=str(error))


def unavailable(error: RedisError) -> Problem:
    """A read that failed: nothing happened, whatever became of it."""
    known = problem(error)
    if known is None:
        known = Problem("INTERNAL", private=str(error))
    elif known.reason == "OUTCOME_UNKNOWN":
        known = Problem("REDIS_UNAVAILABLE", private=str(error))
    ERRORS.labels("Read", known.reason).inc()
    return known
