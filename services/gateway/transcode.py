"""From an HTTP request to the RPC's message, and from its answer to HTTP.

Path variables, query parameters, the body and three headers fill the message; what
one of them says twice must be equal. Every mutation leaves here with a request id,
so that repeating it is safe. Absent: any knowledge of what the fields mean.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from services.gateway.by_hand import to_json
from services.gateway.decode import decode, parse
from services.gateway.encode import dumped, encode
from services.gateway.routes import Route
from services.gateway.scalars import from_text, refuse

MAX_PARAMETERS = 32
SMALL = 64  # bytes of a body that is remembered once it was read

# Headers that stand for a field of the message, wherever the message has it.
HEADER_FIELDS = (
    (b"idempotency-key", "Idempotency-Key", "request_id"),
    (b"tunggu-holder", "Tunggu-Holder", "holder"),
    (b"x-hub-signature-256", "X-Hub-Signature-256", "hub_signature_256"),
)
_TOKEN = re.compile(rb"[\x21-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A body with its media type; `etag` is the bare tag, empty if there is none."""

    body: bytes
    content_type: str = "application/json"
    etag: str = ""


def bind(
    route: Route,
    variables: Mapping[str, str],
    query: bytes,
    headers: Mapping[bytes, bytes],
    body: bytes,
) -> Message:
    """The request message. NOT_JSON, UNKNOWN_FIELD, INVALID_REQUEST."""
    message = route.request()
    _from_body(route, message, body)
    for name, value in variables.items():
        _agree(message, route.rpc.input_type.fields_by_name[name], value)
    if query:
        _from_query(route, message, query)
    _from_headers(route, message, headers)
    return message


def _from_body(route: Route, message: Message, body: bytes) -> None:
    if not route.body:
        if body:
            refuse("(body)", "this address takes no body")
        return
    if takes_bytes(route):
        setattr(message, route.body, body)
        return
    if route.body == "*":
        read = _remembered if len(body) <= SMALL else _whole
        message.MergeFrom(read(route, body))
    else:
        part = getattr(message, route.body)
        part.SetInParent()
        decode(_value(body), part)


def _whole(route: Route, body: bytes) -> Message:
    message = route.request()
    decode(_value(body), message)
    return message


@lru_cache(maxsize=1024)
def _remembered(route: Route, body: bytes) -> Message:
    """The same few small bodies come over and over; nobody may change what this returns."""
    return _whole(route, body)


def _value(body: bytes) -> Any:
    return parse(body) if body.strip() else {}


def takes_bytes(route: Route) -> bool:
    """Whether the body goes on exactly as it came, unread: its sender has signed the bytes."""
    field = route.rpc.input_type.fields_by_name.get(route.body)
    return field is not None and field.type == FieldDescriptor.TYPE_BYTES


def _agree(message: Message, field: FieldDescriptor, value: str, name: str = "") -> None:
    """Sets a string field unless it already says something else."""
    given = getattr(message, field.name)
    if given and given != value:
        refuse(name or field.json_name, "is given twice and differs")
    setattr(message, field.name, value)


# --- query parameters -----------------------------------------------------------


def _from_query(route: Route, message: Message, query: bytes) -> None:
    fields = parameters(route)
    seen = set()
    for name, text in _pairs(query):
        field = fields.get(name)
        if field is None:
            refuse(name[:200], "is no parameter of this address")
        if name in seen and not field.is_repeated:
            refuse(name, "is given twice")
        seen.add(name)
        value = from_text(field)(text, name)
        if field.is_repeated:
            getattr(message, field.name).append(value)
        else:
            setattr(message, field.name, value)


def parameters(route: Route) -> dict[str, FieldDescriptor]:
    """The fields that a route takes from the query, by name there."""
    if route.body == "*":
        return {}
    elsewhere = {*route.variables, route.body}
    return {
        field.json_name: field
        for field in route.rpc.input_type.fields
        if field.name not in elsewhere and field.cpp_type != FieldDescriptor.CPPTYPE_MESSAGE
    }


def _pairs(query: bytes) -> Iterable[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:  # also what does not decode as ASCII or, unquoted, as UTF-8
        refuse("(query)", "cannot be read")


# --- headers --------------------------------------------------------------------


def _from_headers(route: Route, message: Any, headers: Mapping[bytes, bytes]) -> None:
    fields = route.rpc.input_type.fields_by_name
    for key, shown, name in HEADER_FIELDS:
        if name in fields and key in headers:
            _agree(message, fields[name], _token(headers[key], shown), shown)
    if "request_id" in fields and not message.request_id:
        message.request_id = secrets.token_urlsafe(16)


def _token(value: bytes, shown: str) -> str:
    if not _TOKEN.fullmatch(value):
        refuse(shown, "1 to 128 printable ASCII characters without a space are expected")
    return value.decode("ascii")


# --- answers --------------------------------------------------------------------


def render(route: Route, message: Any) -> Answer:
    """The answer's body by the route's `response_body`.

    A field of bytes is the body itself; then the message's `content_type` and
    `etag`, where it has them, are headers.
    """
    field = route.response_body
    if field is None:
        return Answer(to_json(message))
    value = getattr(message, field.name)
    if field.type == FieldDescriptor.TYPE_BYTES:
        kind = getattr(message, "content_type", "") or "application/octet-stream"
        return Answer(value, kind, getattr(message, "etag", ""))
    if isinstance(value, Message):
        return Answer(to_json(value))
    return Answer(dumped(encode(message)[field.json_name]))
