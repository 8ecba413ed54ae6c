"""WhatsAppService over gRPC: the Cloud API's calls, believed only when they prove themselves."""

from __future__ import annotations

import re
import time
from typing import Any, Protocol

import grpc

from services.chassis.errors import Problem, texts
from services.notify import inbound
from services.notify.channels import Channel, Outcome, Result
from services.notify.channels_config import ChannelsConfig
from services.notify.inbound import Written
from services.notify.once import Once
from tunggu.notify.v1 import whatsapp_pb2 as pb
from tunggu.notify.v1 import whatsapp_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]

ANSWERED_S = inbound.WINDOW_S + 3600
"""For how long a text is known as answered: longer than it could be replayed."""

PUZZLED_S = 3600
"""How long one number is told only once that its code is unknown: another machine may answer."""

_CHALLENGE = re.compile(r"[A-Za-z0-9_.-]{1,128}")


class Phones(Protocol):
    """Whose number belongs to which subscription."""

    async def bind(self, text: str, phone: str) -> str:
        """What to reply. May be repeated. CODE_NOT_FOUND."""

    async def release(self, phone: str) -> str:
        """What to reply, empty if there was nothing to end. May be repeated."""


class Speaker(Protocol):
    """Who can reply."""

    async def say(self, phone: str, text: str) -> Outcome: ...


class WhatsAppServicer(whatsapp_pb2_grpc.WhatsAppServiceServicer):
    """`channel` is the WhatsApp channel, None where it is not offered."""

    def __init__(
        self, settings: ChannelsConfig, channel: Channel | None, phones: Phones, once: Once
    ) -> None:
        self._settings = settings
        self._channel: Any = channel
        self._phones = phones
        self._once = once

    async def ConnectWhatsApp(self, request: pb.ConnectWhatsAppRequest, context: Context) -> Any:
        self._offered()
        if not inbound.same(request.verify_token, self._settings.whatsapp_verify_token):
            raise Problem("SIGNATURE_INVALID")
        if request.mode != "subscribe":
            raise Problem("INVALID_REQUEST", {"field": "hub.mode"})
        if not _CHALLENGE.fullmatch(request.challenge):
            raise Problem("INVALID_REQUEST", {"field": "hub.challenge"})
        return pb.ConnectWhatsAppResponse(
            body=request.challenge.encode(), content_type="text/plain; charset=utf-8"
        )

    async def ReceiveWhatsApp(self, request: pb.ReceiveWhatsAppRequest, context: Context) -> Any:
        speaker: Speaker = self._offered()
        secret = self._settings.whatsapp_app_secret
        if not inbound.is_genuine(secret, request.body, request.hub_signature_256):
            raise Problem("SIGNATURE_INVALID")
        try:
            found = inbound.written(request.body, self._settings.whatsapp_phone_id)
        except (ValueError, RecursionError):
            raise Problem("INVALID_REQUEST", {"field": "body"}) from None
        for text in found:
            if abs(time.time() - text.at) < inbound.WINDOW_S:
                await self._answer(speaker, text)
        return pb.ReceiveWhatsAppResponse()

    def _offered(self) -> Any:
        if self._channel is None:
            raise Problem("CHANNEL_NOT_OFFERED")
        return self._channel

    async def _answer(self, speaker: Speaker, text: Written) -> None:
        """Acts, then replies once. What it does may be repeated, so it is done before the claim."""
        reply = await self._reply(text)
        if not reply or not await self._once.claim("answered", text.id, ANSWERED_S):
            return
        if (await speaker.say(text.phone, reply)).result is Result.RETRY:
            await self._once.give_back("answered", text.id)
            raise Problem("SERVICE_UNAVAILABLE", private="the reply could not be sent")

    async def _reply(self, text: Written) -> str:
        if text.stops:
            return await self._phones.release(text.phone)
        try:
            return await self._phones.bind(text.text, text.phone)
        except Problem as problem:
            if problem.reason != "CODE_NOT_FOUND":
                raise
            first = await self._once.claim("puzzled", text.phone, PUZZLED_S)
            return texts(problem, "id")[1] if first else ""
