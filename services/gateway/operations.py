"""One route as an OpenAPI operation."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from services.gateway import refusals, requirements
from services.gateway.comments import Comments
from services.gateway.names import message_of
from services.gateway.requirements import Requirement
from services.gateway.routes import Route
from services.gateway.samples import Samples, written
from services.gateway.schemas import Schema, Schemas, plain, required
from services.gateway.transcode import HEADER_FIELDS, parameters, takes_bytes

JSON = "application/json"
EVENTS = "text/event-stream"

# Fields that say what is meant: a path that names one needs none of the others.
NAMING = frozenset(
    {"ticket_id", "kecamatan", "number", "counter", "display", "service_day", "webhook_id"}
)
IN_HEADERS = frozenset(name for _, _, name in HEADER_FIELDS)

_LITERAL = re.compile(r"`([^`]+)`")
_LINKED = re.compile(r"\[\w+\]\[([\w.]+)\]")


@dataclass(frozen=True, slots=True)
class Operations:
    """Makes operations; what they refer to gathers in `schemas` and `reasons`.

    `documents` are messages that bodies of bytes hold as JSON, by full name.
    """

    comments: Comments
    schemas: Schemas
    samples: Samples
    documents: Mapping[str, Descriptor]
    reasons: set[str]

    def of(self, route: Route, name: str, tag: str) -> dict[str, Any]:
        """The whole operation; `name` is its operationId."""
        requirement = requirements.of(route)
        texts = self._texts(route)
        names = refusals.reasons(route, requirement, self.comments)
        self.reasons.update(names)
        operation: dict[str, Any] = {
            "operationId": name,
            "tags": [tag],
            "summary": texts[0],
            "description": "\n\n".join([*texts[1:], _roles(requirement)]),
            "security": _security(requirement),
            "x-roles": list(requirement.roles),
            "parameters": self._parameters(route),
        }
        if route.body:
            operation["requestBody"] = self._body(route)
        operation["responses"] = {**self._answers(route), **refusals.responses(names)}
        return operation

    def _texts(self, route: Route) -> list[str]:
        """The first sentence, without its full stop, and the paragraphs after it."""
        found = self.comments.of(route.rpc.full_name).paragraphs
        told = [plain(text) for text in found if not refusals.lists_reasons(text)]
        first, _, rest = told[0].partition(". ")
        live = " (live)" if route.stream and not route.rpc.server_streaming else ""
        return [first.rstrip(".") + live, *([rest] if rest else []), *told[1:]]

    # --- what is asked ------------------------------------------------------------------------

    def _parameters(self, route: Route) -> list[dict[str, Any]]:
        fields = route.rpc.input_type.fields_by_name
        found = [self._parameter(fields[name], "path") for name in route.variables]
        hidden = _hidden(route)
        query = [field for field in parameters(route).values() if field.name not in hidden]
        found += [self._parameter(field, "query") for field in query]
        return found + [_reference("parameters", name) for name in self._headers(route)]

    def _parameter(self, field: FieldDescriptor, place: str) -> dict[str, Any]:
        schema = self.schemas.field(field, answer=False)
        text = schema.pop("description", "")
        parameter = {"name": field.json_name, "in": place, "description": text, "schema": schema}
        if place == "path" or required(field):
            parameter["required"] = True
        if place == "path":
            schema["minLength"] = 1
        return parameter | {"example": self.samples.field(field)}

    def _headers(self, route: Route) -> list[str]:
        fields = route.rpc.input_type.fields_by_name
        names = [shown for _, shown, name in HEADER_FIELDS if name in fields]
        names += ["If-None-Match"] if self._etag(route) else []
        names += ["Last-Event-ID"] if route.stream else []
        return [*names, "Accept-Language", "X-Request-Id"]

    def _body(self, route: Route) -> dict[str, Any]:
        whole = route.rpc.input_type
        if takes_bytes(route):
            medium = {"schema": {"type": "object"}, "example": {}}
            return {"required": True, "content": {JSON: medium}}
        if route.body == "*":
            hidden = _hidden(route)
            schema = self.schemas.request(whole, hidden)
            sample, must = self.samples.message(whole, hidden), any(map(required, whole.fields))
        else:
            field = whole.fields_by_name[route.body]
            schema = self.schemas.request(message_of(field))
            sample, must = self.samples.message(message_of(field)), required(field)
        return {"required": must, "content": {JSON: {"schema": schema, "example": sample}}}

    # --- what is answered ---------------------------------------------------------------------

    def _answers(self, route: Route) -> dict[str, Any]:
        names = ["X-Request-Id", "Cache-Control", *(["ETag"] if self._etag(route) else [])]
        named = "filename" in route.rpc.output_type.fields_by_name
        names += ["Content-Disposition"] if named else []
        answer = {
            "description": self._told(route),
            "headers": {name: _reference("headers", name) for name in names},
            "content": self._content(route),
        }
        answers: dict[str, Any] = {str(route.status): answer}
        if self._etag(route):
            answers["304"] = {"description": "What the client has is the present one."}
        if route.stream and "ticket_id" in route.variables:
            answers["204"] = {"description": "Nothing can follow the event of Last-Event-ID."}
        return answers

    def _told(self, route: Route) -> str:
        if route.stream:
            return "Server-sent events: the present state at once, then every later one."
        shown = [route.response_body] if route.response_body else route.rpc.output_type.fields
        texts = [self.comments.of(field.full_name).text for field in shown]
        return plain(texts[0]) if len(texts) == 1 else "Done."

    def _etag(self, route: Route) -> bool:
        return not route.stream and "etag" in route.rpc.output_type.fields_by_name

    def _content(self, route: Route) -> dict[str, Any]:
        kind, schema, sample = self._shape(route)
        if not route.stream:
            return {kind: {"schema": schema, "example": sample}}
        data = json.dumps(sample, ensure_ascii=False)
        stream = {
            "type": "string",
            "description": "The `data` of each event is one line of JSON in this schema.",
            "x-data": schema,
        }
        event = f"retry: 3141\n\nevent: {_event(route)}\nid: 2026-03-02/57\ndata: {data}\n\n"
        return {EVENTS: {"schema": stream, "example": event}}

    def _shape(self, route: Route) -> tuple[str, Schema, Any]:
        """Media type, schema and example of the bare answer."""
        field, message = route.response_body, route.rpc.output_type
        if field is None:
            return JSON, self.schemas.answer(message), self.samples.message(message)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self._bytes(field, message)
        schema = self.schemas.field(field, answer=True)
        schema.pop("description", "")
        return JSON, schema, self.samples.field(field)

    def _bytes(self, field: FieldDescriptor, message: Descriptor) -> tuple[str, Schema, Any]:
        """What the comments tell: of the bytes the message in them, of `content_type` its value."""
        linked = _LINKED.search(self.comments.of(field.full_name).text)
        if linked:
            document = self.documents[linked[1]]
            return JSON, self.schemas.answer(document), self.samples.message(document)
        told = self.comments.of(f"{message.full_name}.content_type").text
        literal = _LITERAL.search(told)
        kind = literal[1].partition(";")[0] if literal else "application/octet-stream"
        return kind, {"type": "string"}, written()["bodies"].get(kind, "")


def _hidden(route: Route) -> frozenset[str]:
    """Fields that are not told as parameters or parts of the body: they stand elsewhere."""
    return IN_HEADERS | (NAMING if route.variables else frozenset())


def _event(route: Route) -> str:
    """`board`, `ticket`, `city`: what is watched."""
    named = [segment for segment in route.segments if not segment.startswith("{")]
    return named[-1].removesuffix("s")


def _roles(requirement: Requirement) -> str:
    if requirement.public and requirement.staff:
        return "Open to everyone; some of it needs " + _or(requirement.staff) + "."
    if requirement.public:
        return "Open to everyone."
    if requirement.free:
        return "For the holder: whoever knows the ticket's id."
    return "Needs " + _or(requirement.staff) + "."


def _or(roles: tuple[str, ...]) -> str:
    named = [f"`{role}`" for role in roles]
    return " or ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def _security(requirement: Requirement) -> list[dict[str, list[str]]]:
    free: list[dict[str, list[str]]] = [{}] if requirement.free else []
    return free + ([{"bearer": []}] if requirement.staff else [])


def _reference(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
