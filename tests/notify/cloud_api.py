"""A stand-in of the WhatsApp Cloud API, as its reference describes it; and its calls to us."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any

from jsonschema import validate

PHONE, PHONE_ID = "6281100000000", "106540352242922"
TOKEN, APP_SECRET, VERIFY_TOKEN = "the-token", "the-app-secret", "the-verify-token"
CITIZEN = "6281234567890"

TEXT = {
    "type": "object",
    "required": ["messaging_product", "to", "type", "text"],
    "additionalProperties": False,
    "properties": {
        "messaging_product": {"const": "whatsapp"},
        "recipient_type": {"const": "individual"},
        "to": {"type": "string", "pattern": "^[0-9]{8,15}$"},
        "type": {"const": "text"},
        "biz_opaque_callback_data": {"type": "string", "maxLength": 512},
        "text": {
            "type": "object",
            "required": ["body"],
            "additionalProperties": False,
            "properties": {
                "preview_url": {"type": "boolean"},
                "body": {"type": "string", "minLength": 1, "maxLength": 4096},
            },
        },
    },
}


def error(status: int, code: int, **headers: str) -> Any:
    from aiohttp import web

    body = {"error": {"message": "(#…)", "type": "OAuthException", "code": code}}
    return web.json_response(body, status=status, headers=headers)


@dataclass
class CloudApi:
    """Takes texts; `answer` may refuse one."""

    answer: Any = lambda _: None
    texts: list[dict[str, Any]] = field(default_factory=list)

    def respond(self, received):
        from aiohttp import web

        if received.path != f"/v24.0/{PHONE_ID}/messages":
            return error(404, 100)
        if received.headers["Authorization"] != f"Bearer {TOKEN}":
            return error(401, 190)
        text = json.loads(received.body)
        validate(text, TEXT)
        refused = self.answer(text)
        if refused is not None:
            return refused
        self.texts.append(text)
        contacts = [{"input": text["to"], "wa_id": text["to"]}]
        answer = {"messaging_product": "whatsapp", "contacts": contacts}
        return web.json_response(answer | {"messages": [{"id": f"wamid.{len(self.texts)}"}]})


def call(text="Tunggu K7Q4-M2XP", id="wamid.A", phone=CITIZEN, at=None, phone_id=PHONE_ID):
    """The bytes of a call that brings one text."""
    message = {
        "from": phone,
        "id": id,
        "timestamp": str(int(time.time() if at is None else at)),
        "type": "text",
        "text": {"body": text},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": PHONE, "phone_number_id": phone_id},
        "contacts": [{"profile": {"name": "Warga"}, "wa_id": phone}],
        "messages": [message],
    }
    change = {"field": "messages", "value": value}
    entry = {"id": "0", "changes": [change]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
