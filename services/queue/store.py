"""The verbs, each one atomic step in Redis.

Ownership: this module and `archive` are the only ones that know keys and scripts. A method a verb,
named like its script; each returns what the step did or raises a Problem with the catalogue's
reason. Time is Redis' own, mapped by `Clock`; no state is kept but a cache of agendas, and a stale
one is found out by the script.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.chassis.errors import Problem
from services.chassis.lua import Scripts
from services.chassis.redis_policy import problem
from services.queue import agenda as agendas
from services.queue.agenda import Agenda
from services.queue.model import Channel, Lane

LUA = Path(__file__).with_name("lua")
CITY_KEY = "tunggu:{city}:kecamatan"
ATTEMPTS = 6
"""A day changes under a verb at most a few times: closed, opened, opened by another replica."""

ANONYMOUS_ID = 22
"""Least length of a request id from a caller who is nobody."""

Args = list[str | bytes | int]
Build = Callable[[Agenda], Args]


@dataclass(frozen=True)
class Keys:
    """The keys of an office and one of its days."""

    code: str
    day: str

    @property
    def office(self) -> str:
        return f"tunggu:{{{self.code}}}"

    def of(self, name: str) -> str:
        return f"{self.office}:{name}"

    def of_day(self, name: str) -> str:
        return f"{self.office}:{self.day.replace('-', '')}:{name}"

    def request(self, digest: str) -> str:
        return self.of(f"request:{digest or '-'}")

    def of_step(self, digest: str) -> list[str]:
        """KEYS[1..14] of every script (lua/_day.lua)."""
        mine = [self.of(n) for n in ("office", "journal", "file", "policies", "frozen")]
        names = ("tickets", "ids", "holders", "counters", "counts", "ripe", "unripe")
        days = [self.of_day(n) for n in names]
        return [*mine, *days, self.request(digest), self.of("audit")]


@dataclass(frozen=True)
class Clock:
    """Domain time: start + (now - epoch) · speed, ms UTC. Identity without a mapping."""

    epoch: int = 0
    start: int = 0
    speed: float = 1.0
    mapped: bool = False

    @property
    def text(self) -> str:
        return f"{self.epoch},{self.start},{self.speed!r}" if self.mapped else ""

    def read(self, now: int) -> int:
        return self.start + int((now - self.epoch) * self.speed) if self.mapped else now


@dataclass(frozen=True)
class Request:
    """Who asks for what. `id` makes it repeatable; `caller` is whose repetition it would be;
    `payload` tells two requests apart; `subject` is empty for citizens."""

    code: str
    verb: str
    id: str = ""
    caller: str = ""
    payload: bytes = b""
    subject: str = ""
    supervisor: bool = False

    @property
    def digest(self) -> str:
        """What the request id is remembered by; empty without one."""
        if not self.id:
            return ""
        parts = (self.verb, self.code, self.caller, self.id)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    @property
    def payload_hash(self) -> str:
        return hashlib.sha256(self.payload).hexdigest()[:32] if self.id else ""


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A ticket as stored; times ms UTC, 0 = not yet. `secret` is the secret part of its id."""

    day: str
    number: str
    secret: str
    service: str
    lane: Lane
    channel: Channel
    state: str
    counter: str
    returns: int
    present: bool
    event: int
    issued_at: int
    called_at: int
    started_at: int
    closed_at: int
    since: int

    @classmethod
    def parse(cls, day: str, number: str, record: bytes) -> TicketRow:
        (secret, service, lane, channel, _, state, _, _, counter, _, first, _, _, returns, _,
         present, event, issued, started, closed, since) = record.decode().split("|")  # fmt: skip
        return cls(
            day, number, secret, service, Lane(lane), Channel(channel), state, counter,
            int(returns), present == "1", int(event), int(issued), int(first), int(started or 0),
            int(closed or 0), int(since),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CounterRow:
    """A counter as stored; `completed` is the ticket last completed there."""

    day: str
    id: str
    state: str
    services: str
    ticket: str
    completed: str
    completed_at: int
    completed_event: int
    event: int

    @classmethod
    def parse(cls, day: str, id: str, record: bytes) -> CounterRow:
        state, _, services, ticket, _, completed, at, of, event = record.decode().split("|")
        return cls(day, id, state, services, ticket, completed, int(at or 0), int(of or -1), int(event))


@dataclass(frozen=True, slots=True)
class Done:
    """What a step did, or had done when it was first asked: `event` is the verb's own."""

    day: str
    event: int
    ticket: TicketRow | None
    counter: CounterRow | None


def ticket_id(code: str, day: str, secret: str) -> str:
    return f"{code.replace('.', '')}-{day[2:].replace('-', '')}-{secret}"


def office_of(ticket: str) -> tuple[str, str, str]:
    """Code, day and secret of a ticket id. TICKET_NOT_FOUND if it cannot be one."""
    code, _, rest = ticket.partition("-")
    day, _, secret = rest.partition("-")
    well_formed = len(code) == 6 and len(day) == 6 and (code + day).isdecimal()
    if not (well_formed and ticket.isascii() and len(secret) == 22):
        raise Problem("TICKET_NOT_FOUND")
    dotted = f"{code[:2]}.{code[2:4]}.{code[4:]}"
    return dotted, f"20{day[:2]}-{day[2:4]}-{day[4:]}", secret


class Store:
    """The office's verbs over Redis. Any number of processes may hold one."""

    def __init__(self, redis: Redis, clock: Clock | None = None, always_open: bool = False) -> None:
        self.redis = redis
        self.clock = clock or Clock()
        self._always_open = always_open
        self._scripts = Scripts.load(LUA)
        self._agendas: dict[str, Agenda] = {}

    # Taking a number, and what its holder does with it ------------------------------------------

    async def create_ticket(
        self, request: Request, service: str, lane: Lane, channel: Channel, holder: str
    ) -> Done:
        build = _new_ticket(service, lane, channel, holder)
        return await self._step(request, "create_ticket", build, service=service)

    async def create_tickets(
        self, items: Sequence[tuple[Request, str, Lane, Channel, str]]
    ) -> list[Done | Problem]:
        """The same for many, in one round trip where their days are known and open."""
        prepared = [(item, await self._prepared(*item)) for item in items]
        ready = [step for _, step in prepared if not isinstance(step, Problem)]
        replies = iter(await self._run_many("create_ticket", [call for _, call in ready]))
        return [
            step if isinstance(step, Problem) else await self._settled(item, step[0], next(replies))
            for item, step in prepared
        ]

    async def _prepared(
        self, request: Request, service: str, lane: Lane, channel: Channel, holder: str
    ) -> Problem | tuple[Agenda, tuple[list[str], Args]]:
        try:
            _check_request_id(request)
            agenda = await self._agenda(request.code)
        except Problem as refusal:
            return refusal
        build = _new_ticket(service, lane, channel, holder)
        return agenda, self._call(request, agenda, build(agenda))

    async def _settled(
        self, item: tuple[Request, str, Lane, Channel, str], agenda: Agenda, reply: Any
    ) -> Done | Problem:
        request, service = item[:2]
        try:
            if isinstance(reply, Exception):
                raise _unknown(reply)
            done = await self._answer(request, agenda, reply, {"service": service})
            return done or await self.create_ticket(*item)
        except Problem as refusal:
            return refusal

    async def cancel_ticket(self, request: Request, day: str, number: str, by: str) -> Done:
        return await self._on_ticket(request, "cancel_ticket", day, number, lambda _: [by])

    async def check_in_ticket(self, request: Request, day: str, number: str) -> Done:
        return await self._on_ticket(request, "check_in_ticket", day, number, lambda _: [])

    async def return_ticket(self, request: Request, day: str, number: str) -> Done:
        def build(agenda: Agenda) -> Args:
            rule = agenda.policy.rule
            back, hold = rule.return_within * 1000, rule.hold_within * 1000
            return [rule.return_times, back, hold, rule.return_after_calls]

        return await self._on_ticket(request, "return_ticket", day, number, build)

    async def set_ticket_lane(self, request: Request, number: str) -> Done:
        return await self._on_ticket(request, "set_ticket_lane", "", number, lambda _: [])

    async def requeue_ticket(self, request: Request, number: str) -> Done:
        return await self._on_ticket(request, "requeue_ticket", "", number, lambda _: [])

    async def _on_ticket(
        self, request: Request, script: str, day: str, number: str, build: Build
    ) -> Done:
        """`day` is the ticket's own where its id named it; today's otherwise."""

        def args(agenda: Agenda) -> Args:
            return [number, *build(agenda)]

        return await self._step(request, script, args, day=day, number=number)

    # At the counter -----------------------------------------------------------------------------

    async def open_counter(self, request: Request, counter: str) -> Done:
        return await self._at_counter(request, "open_counter", counter, lambda _: [])

    async def close_counter(self, request: Request, counter: str) -> Done:
        return await self._at_counter(request, "close_counter", counter, lambda _: [])

    async def set_counter_services(
        self, request: Request, counter: str, services: Sequence[str]
    ) -> Done:
        wanted = "".join(sorted(set(services)))

        def build(agenda: Agenda) -> Args:
            return [wanted, _flag(set(services) <= agenda.policy.services.keys())]

        named = ",".join(sorted(set(services)))
        return await self._at_counter(
            request, "set_counter_services", counter, build, service=named
        )

    async def call_next_ticket(self, request: Request, counter: str) -> Done:
        return await self._at_counter(request, "call_next_ticket", counter, lambda _: [])

    async def recall_ticket(self, request: Request, counter: str, number: str) -> Done:
        return await self._at_counter(request, "recall_ticket", counter, lambda _: [number])

    async def start_ticket(self, request: Request, counter: str, number: str) -> Done:
        return await self._at_counter(request, "start_ticket", counter, lambda _: [number])

    async def complete_ticket(self, request: Request, counter: str, number: str) -> Done:
        return await self._at_counter(request, "complete_ticket", counter, lambda _: [number])

    async def skip_ticket(self, request: Request, counter: str, number: str) -> Done:
        def build(agenda: Agenda) -> Args:
            rule = agenda.policy.rule
            return [number, rule.skip_calls, rule.skip_after * 1000]

        return await self._at_counter(request, "skip_ticket", counter, build)

    async def hold_ticket(self, request: Request, counter: str, number: str) -> Done:
        def build(agenda: Agenda) -> Args:
            return [number, agenda.policy.rule.hold_times]

        return await self._at_counter(request, "hold_ticket", counter, build)

    async def transfer_ticket(
        self, request: Request, counter: str, number: str, service: str
    ) -> Done:
        def build(agenda: Agenda) -> Args:
            known = _flag(service in agenda.policy.services)
            return [number, service, known, agenda.policy.rule.transfers]

        return await self._at_counter(request, "transfer_ticket", counter, build, service=service)

    async def _at_counter(
        self, request: Request, script: str, counter: str, build: Build, **context: str
    ) -> Done:
        def args(agenda: Agenda) -> Args:
            services = "".join(agenda.policy.counters.get(counter, ()))
            return [counter, services, agenda.policy.rule.priority_after, *build(agenda)]

        return await self._step(request, script, args, counter=counter, **context)

    # The head of the office, the clock, the file ------------------------------------------------

    async def stop_issuing(self, request: Request, why: str) -> Done:
        return await self._step(request, "stop_issuing", lambda _: [why])

    async def resume_issuing(self, request: Request) -> Done:
        return await self._step(request, "resume_issuing", lambda _: [])

    async def tick(self, code: str) -> None:
        """Writes what the clock alone makes due: day open, hours, day close."""

        def build(agenda: Agenda) -> Args:
            return [agenda.hours[0][0] if agenda.hours else agenda.end]

        try:
            await self._step(Request(code, "Tick"), "tick", build)
        except Problem as refusal:
            if refusal.reason != "OFFICE_CLOSED":
                raise

    async def close_day(self, code: str, day: str, early: str = "0") -> None:
        """Closes the day if it is open and due, or `early`. Harmless to repeat."""
        agenda = await self._frozen_agenda(code, day)
        request = Request(code, "CloseDay")
        await self._run("close_day", *self._call(request, agenda, [early]))
        self._agendas.pop(code, None)

    async def apply_kecamatan(self, request: Request, file: bytes) -> None:
        _check_request_id(request)
        agenda = agendas.coming(file, "", await self._now(), "", self._always_open)
        reply = await self._run("apply_kecamatan", *self._call(request, agenda, [file]))
        if reply[0] == b"NO":
            raise _refusal(request.code, agenda.day, reply, {})
        await self._ask(self.redis.sadd(CITY_KEY, request.code))
        self._agendas.pop(request.code, None)

    async def delete_kecamatan(self, request: Request) -> None:
        """Closes the running day, then takes the office off the list."""
        _check_request_id(request)
        file = await self.file(request.code)
        agenda = agendas.coming(file["file"], "", await self._now(), "", self._always_open)
        for _ in range(ATTEMPTS):
            reply = await self._run("delete_kecamatan", *self._call(request, agenda, []))
            if reply[0] != b"CLOSE":
                break
            await self.close_day(request.code, reply[1].decode(), early="1")
        if reply[0] == b"NO":
            raise _refusal(request.code, agenda.day, reply, {})
        await self._ask(self.redis.srem(CITY_KEY, request.code))
        self._agendas.pop(request.code, None)

    # One step -----------------------------------------------------------------------------------

    async def _step(
        self, request: Request, script: str, build: Build, day: str = "", **context: str
    ) -> Done:
        _check_request_id(request)
        for _ in range(ATTEMPTS):
            agenda = await self._agenda(request.code)
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
            _flag(request.supervisor),
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
            raise _refusal(request.code, agenda.day, reply, context)
        if kind == "CLOSE":
            await self.close_day(request.code, reply[1].decode())
        self._agendas.pop(request.code, None)
        return None

    async def _replayed(self, code: str, stored: str) -> Done:
        """The ticket and event of a request that was done before, live fields fresh."""
        _, day, number, event, counter = stored.split("|")
        ticket = await self.ticket(code, day, number) if number else None
        desk = await self.counter(code, day, counter) if counter else None
        return Done(day, int(event or -1), ticket, desk)

    async def _past(self, request: Request, day: str, number: str) -> Done:
        """A verb on a ticket of another day: its repetition, else a refusal."""
        key = Keys(request.code, day).request(request.digest)
        stored = await self._ask(self.redis.get(key)) if request.digest else None
        if stored:
            if not stored.decode().startswith(f"{request.payload_hash}|"):
                raise Problem("REQUEST_ID_REUSED")
            return await self._replayed(request.code, stored.decode())
        row = await self.ticket(request.code, day, number)
        raise Problem("WRONG_STATE", {"number": number, "state": row.state})

    async def _run(self, script: str, keys: list[str], args: Args) -> Any:
        (reply,) = await self._run_many(script, [(keys, args)])
        if isinstance(reply, Exception):
            raise _unknown(reply)
        return reply

    async def _run_many(self, script: str, calls: Sequence[tuple[list[str], Args]]) -> list[Any]:
        """The one place where writes are acknowledged: what this returns is durable."""
        if not calls:
            return []
        try:
            return await self._scripts.run_many(self.redis, script, calls)
        except RedisError as error:
            raise _unknown(error) from error

    async def _ask(self, awaitable: Any) -> Any:
        return await asked(awaitable)

    # Agendas ------------------------------------------------------------------------------------

    async def _agenda(self, code: str) -> Agenda:
        if code not in self._agendas:
            self._agendas[code] = await self._fresh_agenda(code)
        return self._agendas[code]

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
                await self.close_day(code, office["day"])
        salt, generation = secrets.token_hex(16), file["generation"].decode()
        return agendas.coming(file["file"], generation, now, salt, self._always_open)

    async def _frozen_agenda(self, code: str, day: str) -> Agenda:
        office = await self.office(code)
        document = await self.policy(code, office["policy"])
        return agendas.running(day, document, office.get("salt", ""))

    async def _now(self) -> int:
        seconds, micros = await self._ask(self.redis.time())
        return self.clock.read(seconds * 1000 + micros // 1000)

    async def now(self) -> int:
        """Domain time, ms UTC, not clamped."""
        return await self._now()

    # Reading ------------------------------------------------------------------------------------

    async def codes(self) -> list[str]:
        return sorted(code.decode() for code in await self._ask(self.redis.smembers(CITY_KEY)))

    async def office(self, code: str) -> dict[str, str]:
        """The office hash as text; empty before the first day."""
        pairs = await self._ask(self.redis.hgetall(Keys(code, "").of("office")))
        return {name.decode(): value.decode() for name, value in pairs.items()}

    async def file(self, code: str) -> dict[str, bytes]:
        """The applied file: `file`, `generation`, `applied_at`. KECAMATAN_NOT_FOUND."""
        pairs = await self._ask(self.redis.hgetall(Keys(code, "").of("file")))
        fields = {name.decode(): value for name, value in pairs.items()}
        if fields.get("deleted") != b"0":
            raise Problem("KECAMATAN_NOT_FOUND", {"kecamatan": code})
        return fields

    async def policy(self, code: str, digest: str) -> bytes:
        """A policy document. POLICY_NOT_FOUND."""
        document = await self._ask(self.redis.hget(Keys(code, "").of("policies"), digest))
        if document is None:
            raise Problem("POLICY_NOT_FOUND")
        return bytes(document)

    async def number_of(self, ticket: str) -> tuple[str, str, str]:
        """Code, day and number of a ticket id. TICKET_NOT_FOUND."""
        code, day, secret = office_of(ticket)
        number = await self._ask(self.redis.hget(Keys(code, day).of_day("ids"), secret))
        if number is None:
            raise Problem("TICKET_NOT_FOUND")
        return code, day, number.decode()

    async def ticket(self, code: str, day: str, number: str) -> TicketRow:
        """TICKET_NOT_FOUND."""
        record = await self._ask(self.redis.hget(Keys(code, day).of_day("tickets"), number))
        if record is None:
            raise Problem("TICKET_NOT_FOUND")
        return TicketRow.parse(day, number, record)

    async def counter(self, code: str, day: str, counter: str) -> CounterRow | None:
        """None if it was not touched that day."""
        record = await self._ask(self.redis.hget(Keys(code, day).of_day("counters"), counter))
        return CounterRow.parse(day, counter, record) if record else None

    async def audit(self, code: str, count: int, before: str) -> list[tuple[str, dict[str, str]]]:
        """Entries newest first, older than the id `before` (empty = from the newest)."""
        key = Keys(code, "").of("audit")
        newest = f"({before}" if before else "+"
        rows = await self._ask(self.redis.xrevrange(key, newest, "-", count))
        return [(i.decode(), {k.decode(): v.decode() for k, v in f.items()}) for i, f in rows]


async def asked(awaitable: Any) -> Any:
    """The reply of a read, or of a write that may be repeated; its failures as Problems."""
    try:
        return await awaitable
    except RedisError as error:
        raise _unavailable(error) from error


def holder_hash(salt: str, service: str, holder: str) -> str:
    """What the journal shows of a holder: nothing to anyone without the day's salt, and nothing in
    common between two services."""
    if not holder:
        return ""
    return hashlib.sha256("\0".join((salt, service, holder)).encode()).hexdigest()[:32]


def _new_ticket(service: str, lane: Lane, channel: Channel, holder: str) -> Build:
    def build(agenda: Agenda) -> Args:
        policy = agenda.policy.services.get(service)
        rule = agenda.policy.rule
        limits = (rule.return_times, rule.return_within * 1000, rule.hold_within * 1000)
        return [
            service,
            _flag(policy is not None),
            _flag(policy is not None and channel in policy.channels),
            lane.value,
            channel.value,
            holder_hash(agenda.salt, service, holder),
            secrets.token_urlsafe(16),
            policy.quota_day if policy else 0,
            policy.quota_web if policy else 0,
            ",".join(map(str, limits)),
        ]

    return build


def _flag(value: bool) -> str:
    return "1" if value else "0"


def _check_request_id(request: Request) -> None:
    if request.id and not request.caller and len(request.id) < ANONYMOUS_ID:
        raise Problem("REQUEST_ID_TOO_SHORT")


def _done(day: str, reply: list[bytes]) -> Done:
    _, _, event, number, ticket, counter, desk = reply
    return Done(
        day,
        int(event),
        TicketRow.parse(day, number.decode(), ticket) if ticket else None,
        CounterRow.parse(day, counter.decode(), desk) if desk else None,
    )


def _refusal(code: str, day: str, reply: list[bytes], context: dict[str, str]) -> Problem:
    """The script's NO as a Problem, with what the texts of the catalogue may want."""
    reason, *pairs = [part.decode() for part in reply[1:]]
    metadata = {"kecamatan": code, **context, **dict(zip(pairs[::2], pairs[1::2], strict=True))}
    if "why" in metadata:
        metadata["why"] = metadata["why"].upper()
    if "when" in metadata:
        metadata["when"] = rfc3339(int(metadata["when"]))
    if "id" in metadata:
        metadata["ticketId"] = ticket_id(code, day, metadata.pop("id"))
    return Problem(reason, metadata)


def rfc3339(t: int) -> str:
    """Ms UTC as text with milliseconds."""
    return datetime.fromtimestamp(t / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _unknown(error: Exception) -> Problem:
    """A write that failed: refused, never sent, or perhaps done (OUTCOME_UNKNOWN)."""
    known = problem(error) if isinstance(error, RedisError) else None
    return known or Problem("INTERNAL", private=str(error))


def _unavailable(error: RedisError) -> Problem:
    """A read that failed: nothing happened, whatever became of it."""
    known = problem(error)
    if known is None or known.reason == "OUTCOME_UNKNOWN":
        return Problem("REDIS_UNAVAILABLE", private=str(error))
    return known
