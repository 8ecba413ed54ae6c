"""The API's description, OpenAPI 3.1, made from the protos at start: `/openapi.json` and `/docs`.

Nothing in it is written by hand but the introduction (about.md), the examples (samples.json) and
what HTTP adds to the protos. Absent: the addresses that no proto declares (health, pages).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor, ServiceDescriptor

from services.gateway import comments as protos
from services.gateway import refusals, samples
from services.gateway.app import Fixed
from services.gateway.assets import served
from services.gateway.comments import Comments
from services.gateway.encode import dumped
from services.gateway.operations import Operations
from services.gateway.reference import page
from services.gateway.routes import Route, Routes
from services.gateway.samples import Samples
from services.gateway.schemas import Schemas
from tunggu.access.v1.access_pb2 import Role

OPENAPI = "3.1.1"
Document = dict[str, Any]


def fixed(routes: Routes, documents: Iterable[Descriptor], version: str) -> dict[bytes, Fixed]:
    """`/openapi.json` and `/docs`, made once."""
    described = document(routes, protos.load(), documents, version)
    return {
        b"/openapi.json": served(dumped(described), b"application/json"),
        b"/docs": served(page(described).encode(), b"text/html; charset=utf-8"),
    }


def document(
    routes: Routes, comments: Comments, documents: Iterable[Descriptor], version: str
) -> Document:
    """The whole description; `documents` are messages that bodies of bytes hold as JSON."""
    schemas = Schemas(comments)
    named = {message.full_name: message for message in documents}
    operations = Operations(comments, schemas, Samples(comments), named, set())
    paths: dict[str, Document] = {}
    sections: dict[str, str] = {}
    for route in routes.all:
        tag, told = _section(route.rpc.containing_service, route, comments)
        sections.setdefault(tag, told)
        made = operations.of(route, operation_id(route), tag)
        paths.setdefault(template(route), {})[route.method.lower()] = made
    return {
        "openapi": OPENAPI,
        "info": _info(version),
        "servers": [{"url": "/", "description": "Where this document is served."}],
        "tags": [{"name": name, "description": told} for name, told in sections.items()],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.components.items())) | {"Problem": refusals.PROBLEM},
            "examples": refusals.examples(operations.reasons),
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "securitySchemes": {"bearer": _bearer(comments)},
        },
    }


def template(route: Route) -> str:
    """The path as OpenAPI has it, its variables named as in JSON."""
    fields = route.rpc.input_type.fields_by_name
    path = route.template
    for name in route.variables:
        path = path.replace("{" + name + "}", "{" + fields[name].json_name + "}")
    return path


def operation_id(route: Route) -> str:
    """The rpc's name, and for another address of it what tells it apart."""
    name = str(route.rpc.name)
    if route.stream:
        return name if route.rpc.server_streaming else f"{name}Stream"
    by_id = "ticket_id" in route.rpc.input_type.fields_by_name
    if by_id and "ticket_id" not in route.variables:
        return f"{name}By{route.variables[-1].capitalize()}"
    return name


def _section(service: ServiceDescriptor, route: Route, comments: Comments) -> tuple[str, str]:
    """The heading that the rpc stands under in its proto: its first words, and all of it.

    In a service without headings: the first sentence of the service's comment.
    """
    heading = comments.of(service.full_name).section
    for rpc in service.methods:
        heading = comments.of(rpc.full_name).section or heading
        if rpc.name == route.rpc.name:
            break
    heading = heading or comments.of(service.full_name).text
    sentence = heading.partition(". ")[0].rstrip(".")
    return sentence.partition(",")[0].partition(":")[0], sentence + "."


def _info(version: str) -> Document:
    return {
        "title": "Tunggu",
        "summary": "The queue of a city's public service, fair in a way that anyone can check.",
        "description": Path(__file__).with_name("about.md").read_text("utf-8").strip(),
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        "version": version,
    }


def _bearer(comments: Comments) -> Document:
    enum = Role.DESCRIPTOR
    texts = {name: comments.of(f"{enum.full_name}.{name}").text for name in Role.keys()[1:]}
    lines = [f"- `{name.removeprefix('ROLE_')}`: {text}" for name, text in texts.items()]
    told = "A token of the city's OpenID provider. Its claim `tunggu_role` holds one or more of:"
    return {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "\n".join([told, "", *lines]),
    }


def _header(name: str, told: str, schema: Document, example: str) -> Document:
    return {"name": name, "in": "header", "description": told, "schema": schema, "example": example}


_TOKEN = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"}
PARAMETERS = {
    "Idempotency-Key": _header(
        "Idempotency-Key",
        "Makes a repetition safe: 22 to 128 random characters, the same for the same request. "
        "Whoever is known by a token, a ticket's id or `Tunggu-Holder` may send shorter ones.",
        _TOKEN,
        "5n1FQ0Zr8y2mVbT7kXw9Lc",
    ),
    "Tunggu-Holder": _header(
        "Tunggu-Holder",
        "A random key that the phone keeps: one live number a holder, service and day. It is kept "
        "only as a salted hash of the day.",
        {"type": "string", "pattern": "^[A-Za-z0-9_-]{16,128}$"},
        "c2f9d1e07b6a4c5d8e3f",
    ),
    "X-Hub-Signature-256": _header(
        "X-Hub-Signature-256",
        "`sha256=` and the HMAC-SHA256 of the body under the application's secret.",
        {"type": "string", "pattern": "^sha256=[0-9a-f]{64}$"},
        "sha256=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ),
    "If-None-Match": _header(
        "If-None-Match",
        "The `ETag` of what the client has.",
        {"type": "string"},
        '"8d3f2c41a07be5966f0d1c2b3a495867"',
    ),
    "Last-Event-ID": _header(
        "Last-Event-ID",
        "The `id` of the last event that the client has.",
        {"type": "string"},
        "2026-03-02/57",
    ),
    "Accept-Language": _header(
        "Accept-Language",
        "`id` or `en`: the language of problems.",
        {"type": "string", "default": "id"},
        "en",
    ),
    "X-Request-Id": _header(
        "X-Request-Id",
        "What the log shall call this request: 8 to 64 letters, digits, `_`, `.`, `-`; anything "
        "else is replaced.",
        {"type": "string"},
        samples.REQUEST_ID,
    ),
}
HEADERS = refusals.HEADERS | {
    "Cache-Control": {
        "description": "Whether it may be kept, and for how long.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Content-Disposition": {
        "description": "The name under which to save it.",
        "required": True,
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "Names these bytes.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[!-~]+"$'},
    },
}
