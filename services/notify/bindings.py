"""Who has written to the city's number: a phone finds its subscription, or leaves."""

from __future__ import annotations

from collections.abc import Mapping

from services.chassis.errors import Problem
from services.notify.asking import code_in
from services.notify.catching_up import CatchingUp
from services.notify.channels import Channel, Target
from services.notify.model import Stored
from services.notify.offices import Offices
from services.notify.store import Step, Store
from services.notify.texts import reply

WHATSAPP = "whatsapp"


class Bindings:
    """Phones are international, digits only."""

    def __init__(
        self,
        store: Store,
        offices: Offices,
        offered: Mapping[str, Channel],
        catching_up: CatchingUp,
    ) -> None:
        self._store = store
        self._offices = offices
        self._offered = offered
        self._catching_up = catching_up

    async def bind(self, text: str, phone: str) -> str:
        """The reply to somebody who has written a code. CODE_NOT_FOUND, CHANNEL_NOT_OFFERED."""
        if WHATSAPP not in self._offered:
            raise Problem("CHANNEL_NOT_OFFERED")
        office, code = code_in(text)
        await self._offered[WHATSAPP].check(Target(WHATSAPP, phone))
        at, number, stored = await self._bound(office, code, phone)
        record = await self._store.record(office, at.day, number)
        if record and record.id:
            await self._catching_up.after(record.id)
        return reply("BOUND", stored.language, number)

    async def _bound(self, office: str, code: str, phone: str) -> tuple[Step, str, Stored]:
        for day in sorted(await self._store.days(office), reverse=True):
            try:
                number, _, stored = await self._store.bind_phone(Step(office, day), code, phone)
                return Step(office, day), number, stored
            except Problem as problem:
                if problem.reason != "CODE_NOT_FOUND":
                    raise
        raise Problem("CODE_NOT_FOUND")

    async def release(self, phone: str) -> str:
        """Forgets the phone everywhere; the reply, empty if it was known nowhere."""
        last = None
        for code in self._offices.codes:
            for day in await self._store.days(code):
                last = await self._store.release_phone(Step(code, day), phone) or last
        return reply("RELEASED", last.language) if last else ""
