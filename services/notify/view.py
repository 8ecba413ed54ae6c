"""Subscriptions and deliveries as messages of the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from services.notify.channels import Channel
from services.notify.model import Stored, channel_of
from tunggu.notify.v1 import notify_pb2 as pb

LANGUAGES: Mapping[str, Any] = {"id": pb.LANGUAGE_ID, "en": pb.LANGUAGE_EN}


def subscription(
    id: str, number: str, stored: Stored, offered: Mapping[str, Channel]
) -> pb.Subscription:
    """Of the target nothing; a code only while it is waited for."""
    waits = stored.waits
    channel = offered.get(stored.channel)
    return pb.Subscription(
        id=id,
        channel=channel_number(stored.channel),
        language=LANGUAGES[stored.language],
        state=pb.Subscription.STATE_WAITING_FOR_CODE if waits else pb.Subscription.STATE_ACTIVE,
        created_at=_stamp(stored.at),
        code=stored.code if waits else "",
        link=channel.link(f"Tunggu {number} {stored.code}") if waits and channel else "",
    )


def delivery(text: bytes) -> pb.Delivery:
    """Of what is kept of one (lua/_step.lua, outbox)."""
    kept = json.loads(text)
    state = kept.get("state", "QUEUED")
    return pb.Delivery(
        id=kept["message"],
        kind=pb.MessageKind.Value(f"MESSAGE_KIND_{kept['kind']}"),
        subscription_id=kept["sub"],
        channel=channel_number(channel_of(kept["sub"])),
        state=pb.Delivery.State.Value(f"STATE_{state}"),
        reason=kept.get("reason", ""),
        attempts=int(kept["tries"]),
        due_at=_stamp(int(kept["due"])),
        accepted_at=_stamp(int(kept.get("done", 0))),
        ahead=int(kept.get("ahead", 0)),
        counter=kept.get("counter", ""),
        return_by=_stamp(int(kept.get("back", 0))),
    )


def channel_number(name: str) -> Any:
    return pb.DeliveryChannel.Value(f"DELIVERY_CHANNEL_{name.upper()}")


def offers(offered: Mapping[str, Channel]) -> pb.ListChannelsResponse:
    answer = pb.ListChannelsResponse()
    for name, number in sorted(pb.DeliveryChannel.items(), key=lambda item: item[1]):
        channel = offered.get(name.removeprefix("DELIVERY_CHANNEL_").lower())
        if channel:
            answer.channels.add(channel=number, key=channel.key())
    return answer


def _stamp(ms: int) -> Timestamp | None:
    """None for 0."""
    if not ms:
        return None
    stamp = Timestamp()
    stamp.FromMilliseconds(ms)
    return stamp
