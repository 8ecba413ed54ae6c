"""From what is kept to what a channel is given."""

from __future__ import annotations

from services.notify.channels import Kind, Language, Message, Target
from services.notify.model import Entry, Record, Stored
from services.notify.queue_client import place_of
from services.notify.texts import written
from tunggu.queue.v1 import kecamatan_pb2


def letter(
    code: str,
    entry: Entry,
    record: Record,
    stored: Stored,
    office: kecamatan_pb2.Office,
    site: str,
) -> Message:
    """The message in the subscription's language."""
    title, body = written(entry, stored.language, place_of(office))
    path = f"/t/{record.id}"
    return Message(
        id=entry.message,
        kind=Kind(entry.kind),
        language=Language(stored.language),
        title=title,
        body=body,
        path=path,
        url=site.rstrip("/") + path,
        expires_at=entry.expires_at,
        topic=topic(code, entry),
        kecamatan=code,
        service_day=entry.day,
        number=entry.number,
        due_at=entry.due,
        ahead=entry.ahead,
        counter=entry.counter,
        return_by=entry.back,
    )


def topic(code: str, entry: Entry) -> str:
    """`737103-260302-A012`: at most 32 characters of base64url, for number has at most 7."""
    return "-".join((code.replace(".", ""), entry.day.replace("-", "")[2:], entry.number))


def target(stored: Stored) -> Target:
    return Target(stored.channel, stored.address, dict(stored.secrets))
