"""What the Cloud API hands us, read and found genuine. Pure: no look-ups.

A call is believed for its signature over the exact bytes, before anything in it is read.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

WINDOW_S = 24 * 3600
"""So long after someone wrote may be answered; what is older is an old call replayed."""

STOP = frozenset({"stop", "berhenti", "unsubscribe"})

_PHONE = re.compile(r"[1-9][0-9]{7,14}")


@dataclass(frozen=True, slots=True)
class Written:
    """A text that somebody wrote; `at` in seconds. Never logged."""

    id: str
    phone: str = field(repr=False)
    text: str = field(repr=False)
    at: int

    @property
    def stops(self) -> bool:
        return self.text.strip().strip(".!").lower() in STOP


def same(given: str, expected: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())


def is_genuine(secret: str, body: bytes, signature: str) -> bool:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return same(signature, f"sha256={digest}")


def written(body: bytes, phone_id: str) -> list[Written]:
    """The texts to our number; anything else (statuses, pictures, other numbers) is passed over.
    ValueError: no JSON object."""
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("no object")
    found = [_text(message) for value in _values(document, phone_id) for message in value]
    return [text for text in found if text is not None]


def _values(document: dict[str, Any], phone_id: str) -> Iterator[list[Any]]:
    for entry in _list(document, "entry"):
        for change in _list(entry, "changes"):
            value = _dict(_dict(change).get("value"))
            if _dict(value.get("metadata")).get("phone_number_id") == phone_id:
                yield _list(value, "messages")


def _text(message: Any) -> Written | None:
    message = _dict(message)
    text, at = _dict(message.get("text")).get("body"), str(message.get("timestamp", ""))
    id, phone = message.get("id"), message.get("from")
    well = isinstance(text, str) and isinstance(id, str) and isinstance(phone, str)
    if not (well and _PHONE.fullmatch(str(phone)) and at.isascii() and at.isdigit()):
        return None
    return Written(str(id), str(phone), str(text)[:1000], int(at[:12]))


def _list(holder: Any, name: str) -> list[Any]:
    value = _dict(holder).get(name)
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
