"""The verbs, each one atomic step in Redis.

Ownership: `keys`, `steps`, this module and `archive` are the only ones that know keys and scripts.
A method a verb, named like its script; each returns what the step did or raises a Problem with the
catalogue's reason. Time is Redis' own, mapped by `Clock`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from services.chassis.errors import Problem
from services.queue import agenda as agendas
from services.queue.agenda import Agenda
from services.queue.keys import CITY_KEY, Keys
from services.queue.model import Channel, Lane
from services.queue.request import Request
from services.queue.rows import Done
from services.queue.steps import ATTEMPTS, Args, Build, Steps, asked, flag, refusal, unknown

TOGETHER = 32
"""Numbers that one script gives: Redis serves nobody else for about a millisecond."""

NewTicket = tuple[Request, str, Lane, Channel, str]
"""Who asks, service, lane, channel, holder."""


class Store(Steps):
    """The office's verbs over Redis. Any number of processes may hold one."""

    # Taking a number, and what its holder does with it ------------------------------------------

    async def create_ticket(
        self, request: Request, service: str, lane: Lane, channel: Channel, holder: str
    ) -> Done:
        build = _new_ticket(service, lane, channel, holder)
        return await self._step(request, "create_ticket", build, **_named(service, channel))

    async def batch_create_tickets(self, items: Sequence[NewTicket]) -> list[Done | Problem]:
        """The same for many, independent of each other, in one round trip where their days are
        known and open: a script takes at most TOGETHER of one office."""
        found: dict[int, Done | Problem] = {}
        batches: list[tuple[Agenda, Sequence[int]]] = []
        for code, places in _by_office(items, found).items():
            try:
                agenda = await self._agenda(code)
            except Problem as refusal:
                found |= dict.fromkeys(places, refusal)
            else:
                batches += [(agenda, part) for part in _parts(places)]
        calls = [self._together(agenda, [items[i] for i in part]) for agenda, part in batches]
        replies = await self._run_many("batch_create_tickets", calls)
        for (agenda, part), reply in zip(batches, replies, strict=True):
            answers = [reply] * len(part) if isinstance(reply, Exception) else reply
            for i, answer in zip(part, answers, strict=True):
                found[i] = await self._settled(items[i], agenda, answer)
        return [found[i] for i in range(len(items))]

    def _together(self, agenda: Agenda, items: Sequence[NewTicket]) -> tuple[list[str], Args]:
        """KEYS and ARGV for some of one office; who asks is the same for all of a batch."""
        code, subject = items[0][0].code, items[0][0].subject
        keys, common = self._call(Request(code, "CreateTicket", subject=subject), agenda, [])
        spelt, args = Keys(code, agenda.day), [*common, _limits(agenda)]
        for request, service, lane, channel, holder in items:
            keys.append(spelt.request(request.digest))
            args += [request.payload_hash, *_wish(agenda, service, lane, channel, holder)]
        return keys, args

    async def _settled(self, item: NewTicket, agenda: Agenda, reply: Any) -> Done | Problem:
        request, service, _, channel, _ = item
        try:
            if isinstance(reply, Exception):
                raise unknown(reply)
            done = await self._answer(request, agenda, reply, _named(service, channel))
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
            return [wanted, flag(set(services) <= agenda.policy.services.keys())]

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
            known = flag(service in agenda.policy.services)
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
        await self._close(code, day, early)

    async def apply_kecamatan(self, request: Request, file: bytes) -> None:
        request.check()
        agenda = agendas.coming(file, "", await self._now(), "", self._always_open)
        reply = await self._run("apply_kecamatan", *self._call(request, agenda, [file]))
        if reply[0] == b"NO":
            raise refusal(request.code, agenda.day, reply, {})
        await self._list(request.code)

    async def delete_kecamatan(self, request: Request) -> bool:
        """Closes the running day, then takes the office off the list. Whether it is listed now:
        after a repetition, if it was applied again since."""
        request.check()
        file = await self._last_file(request.code)
        agenda = agendas.coming(file["file"], "", await self._now(), "", self._always_open)
        for _ in range(ATTEMPTS):
            reply = await self._run("delete_kecamatan", *self._call(request, agenda, []))
            if reply[0] != b"CLOSE":
                break
            await self.close_day(request.code, reply[1].decode(), early="1")
        if reply[0] == b"NO":
            raise refusal(request.code, agenda.day, reply, {})
        return await self._list(request.code)

    async def _list(self, code: str) -> bool:
        """Puts the office on the city's list or takes it off, as its file says now: a repetition
        finishes what was begun and undoes nothing that came later. Whether it is on it."""
        listed = (await self._last_file(code))["deleted"] == b"0"
        change = "SADD" if listed else "SREM"
        await asked(self.redis.settled(CITY_KEY, change, CITY_KEY, code))
        self._agendas.pop(code, None)
        return listed


def holder_hash(salt: str, service: str, holder: str) -> str:
    """What the journal shows of a holder: nothing to anyone without the day's salt, and nothing in
    common between two services."""
    if not holder:
        return ""
    return hashlib.sha256(f"{salt}\0{service}\0{holder}".encode()).hexdigest()[:32]


def _named(service: str, channel: Channel) -> dict[str, str]:
    """What refusals of a new ticket name."""
    return {"service": service, "channel": channel.name}


def _new_ticket(service: str, lane: Lane, channel: Channel, holder: str) -> Build:
    def build(agenda: Agenda) -> Args:
        return [*_wish(agenda, service, lane, channel, holder), _limits(agenda)]

    return build


def _wish(agenda: Agenda, service: str, lane: Lane, channel: Channel, holder: str) -> Args:
    policy = agenda.policy.services.get(service)
    return [
        service,
        flag(policy is not None),
        flag(policy is not None and channel in policy.channels),
        lane.value,
        channel.value,
        holder_hash(agenda.salt, service, holder),
        secrets.token_urlsafe(16),
        policy.quota_day if policy else 0,
        policy.quota_web if policy else 0,
    ]


def _limits(agenda: Agenda) -> str:
    """For how long one who is absent keeps a holder from another number."""
    rule = agenda.policy.rule
    return f"{rule.return_times},{rule.return_within * 1000},{rule.hold_within * 1000}"


def _by_office(
    items: Sequence[NewTicket], found: dict[int, Done | Problem]
) -> dict[str, list[int]]:
    """Places by office; who cannot be asked for at all is `found` already."""
    offices: dict[str, list[int]] = {}
    for i, item in enumerate(items):
        try:
            item[0].check()
        except Problem as refusal:
            found[i] = refusal
        else:
            offices.setdefault(item[0].code, []).append(i)
    return offices


def _parts(places: Sequence[int]) -> Iterator[Sequence[int]]:
    for i in range(0, len(places), TOGETHER):
        yield places[i : i + TOGETHER]
