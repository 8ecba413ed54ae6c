"""WebhookService over gRPC: what an office's supervisor does with its webhooks."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis import access
from services.chassis.errors import Problem
from services.notify import signing
from services.notify.agencies.courier import START, Journal
from services.notify.agencies.model import Position, Webhook
from services.notify.agencies.store import WebhookStore
from services.notify.channels._attempt import admitted
from services.notify.outgoing.posting import Outgoing
from services.redis_link.request import Request, content_of
from tunggu.notify.v1 import webhooks_pb2 as pb
from tunggu.notify.v1 import webhooks_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]

LONGEST_DESCRIPTION = 200

_CODE = re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}")
_ID = re.compile(r"wh_[0-9a-f]{16}")
_DAY = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")


class WebhookServicer(webhooks_pb2_grpc.WebhookServiceServicer):
    """`office` raises KECAMATAN_NOT_FOUND; `changed` is told that there is something to post."""

    def __init__(
        self,
        store: WebhookStore,
        journal: Journal,
        out: Outgoing,
        office: Callable[[str], Awaitable[Any]],
        changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._journal = journal
        self._out = out
        self._office = office
        self._changed = changed

    async def CreateWebhook(self, request: pb.CreateWebhookRequest, context: Context) -> Any:
        code, ask = _code(request), _request(request)
        if len(request.description) > LONGEST_DESCRIPTION or not _printable(request.description):
            raise Problem("INVALID_REQUEST", {"field": "description"})
        start = await self._start(code, request.from_day)
        await admitted(self._out, request.url)
        webhook = Webhook(
            id=f"wh_{ask.digest[:16] or secrets.token_hex(8)}",
            url=self._out.policy.destination(request.url).url,
            description=request.description,
            secret=signing.new_secret(),
            start=start,
            created_at=int(time.time() * 1000),
            payload_hash=ask.payload_hash,
        )
        kept = await self._store.create_webhook(code, webhook, access.caller().subject)
        self._changed()
        return pb.CreateWebhookResponse(webhook=await self._shown(code, kept), secret=kept.secret)

    async def _start(self, code: str, from_day: str) -> str:
        """The cursor to begin with. KECAMATAN_NOT_FOUND, INVALID_REQUEST."""
        await self._office(code)
        if from_day:
            return f"{_day(from_day)}/-1"
        day, event = await self._journal.newest(code)
        return f"{day}/{event}" if day else START

    async def ListWebhooks(self, request: pb.ListWebhooksRequest, context: Context) -> Any:
        code = _code(request)
        await self._office(code)
        found = await self._store.webhooks(code)
        return pb.ListWebhooksResponse(webhooks=[await self._shown(code, one) for one in found])

    async def ResumeWebhook(self, request: pb.ResumeWebhookRequest, context: Context) -> Any:
        code, id = _code(request), _id(request)
        await self._store.resume_webhook(code, id, access.caller().subject)
        self._changed()
        webhook = await self._store.webhook(code, id)
        return pb.ResumeWebhookResponse(webhook=await self._shown(code, webhook))

    async def DeleteWebhook(self, request: pb.DeleteWebhookRequest, context: Context) -> Any:
        await self._store.delete_webhook(_code(request), _id(request), access.caller().subject)
        return pb.DeleteWebhookResponse()

    async def ListWebhookAudit(self, request: pb.ListWebhookAuditRequest, context: Context) -> Any:
        code = _code(request)
        await self._office(code)
        entries = [
            pb.WebhookAuditEntry(
                at=_time(entry.at), subject=entry.subject, verb=entry.verb,
                webhook_id=entry.webhook, url=entry.url,
            )
            for entry in await self._store.audit(code)
        ]  # fmt: skip
        return pb.ListWebhookAuditResponse(entries=entries)

    async def _shown(self, code: str, webhook: Webhook) -> pb.Webhook:
        return _view(webhook, await self._store.position(code, webhook.id))


def _view(webhook: Webhook, position: Position) -> pb.Webhook:
    shown = pb.Webhook(
        id=webhook.id,
        url=webhook.url,
        description=webhook.description,
        state=pb.Webhook.State.Value(f"STATE_{position.state.value}"),
        service_day=position.day,
        event=position.event,
        attempts=position.attempts,
        reason=position.reason,
        created_at=_time(webhook.created_at),
    )
    for name in ("delivered_at", "failing_since", "retry_at"):
        if at := getattr(position, name):
            getattr(shown, name).CopyFrom(_time(at))
    return shown


def _time(ms: int) -> Timestamp:
    found = Timestamp()
    found.FromMilliseconds(ms)
    return found


def _code(request: Any) -> str:
    """KECAMATAN_NOT_FOUND: it could be none."""
    if not _CODE.fullmatch(request.kecamatan):
        raise Problem("KECAMATAN_NOT_FOUND", {"kecamatan": request.kecamatan[:32]})
    return str(request.kecamatan)


def _id(request: Any) -> str:
    """WEBHOOK_NOT_FOUND: it could be none."""
    if not _ID.fullmatch(request.webhook_id):
        raise Problem("WEBHOOK_NOT_FOUND")
    return str(request.webhook_id)


def _day(text: str) -> str:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Problem("INVALID_REQUEST", {"field": "fromDay"}) from None


def _printable(text: str) -> bool:
    return not text or text.isprintable()


def _request(message: pb.CreateWebhookRequest) -> Request:
    """The message as something that may be repeated. INVALID_REQUEST."""
    content = content_of(message)
    subject = access.caller().subject
    return Request(message.kecamatan, "CreateWebhook", message.request_id, subject, content)
