"""What is kept of webhooks, each change one atomic step in Redis.

Ownership: `keys` and this module are the only ones of the package that know keys and scripts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from services.chassis.errors import Problem
from services.notify.agencies.keys import Keys
from services.notify.agencies.model import MOST, Position, Webhook
from services.redis_link.link import Link
from services.redis_link.lua import Scripts
from services.redis_link.redis_policy import told

LUA = Path(__file__).with_name("lua")

AUDIT_MS = 180 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what; `at` is ms UTC."""

    at: int
    subject: str
    verb: str
    webhook: str
    url: str


class WebhookStore:
    """Webhooks of all offices over Redis. Any number of processes may hold one."""

    def __init__(self, redis: Link) -> None:
        self._redis = redis
        self._scripts = Scripts.load(LUA)

    # What supervisors do ------------------------------------------------------------------------

    async def create_webhook(self, code: str, webhook: Webhook, subject: str) -> Webhook:
        """The webhook as it is registered: the first of its id. TOO_MANY_WEBHOOKS,
        REQUEST_ID_REUSED."""
        keys = Keys(code)
        own = [webhook.id, webhook.dumped(), MOST, subject, webhook.url]
        said = await self._run("create_webhook", [keys.webhooks, keys.audit], own)
        if said[0] == b"FULL":
            raise Problem("TOO_MANY_WEBHOOKS", {"most": str(MOST)})
        found = webhook if said[0] == b"NEW" else Webhook.parse(said[1])
        if found.payload_hash != webhook.payload_hash:
            raise Problem("REQUEST_ID_REUSED")
        return found

    async def resume_webhook(self, code: str, id: str, subject: str) -> None:
        """Nothing is failing any more, until the next attempt. WEBHOOK_NOT_FOUND."""
        await self._change(code, id, "ResumeWebhook", subject)

    async def delete_webhook(self, code: str, id: str, subject: str) -> None:
        """WEBHOOK_NOT_FOUND."""
        await self._change(code, id, "DeleteWebhook", subject)

    async def _change(self, code: str, id: str, verb: str, subject: str) -> None:
        keys = Keys(code, id)
        url = (await self.webhook(code, id)).url
        own = [id, verb, subject, url]
        all_keys = [keys.webhooks, keys.audit, keys.position, keys.lease]
        if not await self._run("change_webhook", all_keys, own):
            raise Problem("WEBHOOK_NOT_FOUND")

    async def webhook(self, code: str, id: str) -> Webhook:
        """WEBHOOK_NOT_FOUND."""
        text = await told(self._redis.hget(Keys(code).webhooks, id))
        if text is None:
            raise Problem("WEBHOOK_NOT_FOUND")
        return Webhook.parse(text)

    async def webhooks(self, code: str) -> list[Webhook]:
        """Oldest first."""
        texts = await told(self._redis.hvals(Keys(code).webhooks))
        return sorted(map(Webhook.parse, texts), key=lambda webhook: webhook.created_at)

    async def audit(self, code: str) -> list[AuditEntry]:
        """Newest first; what is too old goes with the look."""
        key = Keys(code).audit
        seconds, micros = await told(self._redis.time())
        least = seconds * 1000 + micros // 1000 - AUDIT_MS
        await told(self._redis.xtrim(key, minid=f"{least}-0", approximate=False))
        return [_entry(id, fields) for id, fields in await told(self._redis.xrevrange(key))]

    # What is noted while posting ----------------------------------------------------------------

    async def lease(self, code: str, id: str, owner: str, ms: int) -> bool:
        """Whether the webhook is `owner`'s for that long from now; 0 gives it back."""
        return bool(await self._run("lease_webhook", [Keys(code, id).lease], [owner, ms]))

    async def position(self, code: str, id: str) -> Position:
        """How far it has got; a fresh one before the first note."""
        kept = await told(self._redis.hgetall(Keys(code, id).position))
        return _position({name.decode(): value.decode() for name, value in kept.items()})

    async def note(self, code: str, id: str, owner: str, **changes: str | int) -> bool:
        """Whether it was `owner`'s to note these fields of Position."""
        at = Keys(code, id)
        own = [id, owner, json.dumps(_flat(changes))]
        return bool(await self._run("note_webhook", [at.webhooks, at.position, at.lease], own))

    async def _run(self, script: str, keys: list[str], args: list[Any]) -> Any:
        return await told(self._scripts.run(self._redis, script, keys, args))


def _flat(changes: dict[str, str | int]) -> list[str]:
    """Names and values in turn; True is 1."""
    named = {name: int(part) if isinstance(part, bool) else part for name, part in changes.items()}
    return [str(part) for pair in named.items() for part in pair]


def _position(kept: dict[str, str]) -> Position:
    kinds = {item.name: item.type for item in fields(Position)}
    return Position(**{name: _value(str(kinds[name]), kept[name]) for name in kept})


def _value(kind: str, text: str) -> Any:
    return text if kind == "str" else int(text) if kind == "int" else text == "1"


def _entry(id: bytes, entry: dict[bytes, bytes]) -> AuditEntry:
    s, v, w, u = (entry[name].decode() for name in (b"s", b"v", b"w", b"u"))
    return AuditEntry(int(id.split(b"-")[0]), s, v, w, u)
