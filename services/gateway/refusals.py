"""Which refusals a route may give: those that the protos' comments name, and the gateway's own.

A paragraph of an rpc's comment that begins with a reason of the catalogue lists reasons; so does
a sentence of its service's comment that ends in "may come from every mutation" (or "method").
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.chassis.errors import LANGUAGES, Problem, catalogue
from services.gateway import samples
from services.gateway.comments import Comments
from services.gateway.problems import MEDIA_TYPE, RETRY_AFTER, status_of
from services.gateway.requirements import Requirement
from services.gateway.routes import Route

ALWAYS = """
INVALID_REQUEST URL_TOO_LONG HEADERS_TOO_LARGE TOKEN_INVALID TOKEN_EXPIRED
REDIS_UNAVAILABLE SERVICE_UNAVAILABLE DEADLINE_EXCEEDED RATE_LIMITED OVERLOADED
""".split()
WITH_PATH = ["ROUTE_NOT_FOUND"]  # a variable that is empty or no UTF-8
WITH_BODY = "NOT_JSON UNKNOWN_FIELD BODY_TOO_SLOW BODY_TOO_LARGE UNSUPPORTED_MEDIA_TYPE".split()
WITH_REQUEST_ID = ["REQUEST_ID_REUSED", "STALE_DAY", "OUTCOME_UNKNOWN", "REDIS_POLICY"]
WITHOUT_CALLER = ["REQUEST_ID_TOO_SHORT"]
FOR_STAFF = ["UNAUTHENTICATED", "PERMISSION_DENIED", "OTHER_KECAMATAN"]
FOR_STREAMS = ["STREAMS_EXHAUSTED", "TOO_MANY_STREAMS"]

_REASON = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
_EVERY = re.compile(r"([^.]*) may come from every (mutation|method)\.")

Response = dict[str, Any]


def reasons(route: Route, requirement: Requirement, comments: Comments) -> list[str]:
    """All of a route's, each once, those that its rpc names first."""
    found = [*_named(route, comments), *_general(route, comments), *ALWAYS]
    mutates = "request_id" in route.rpc.input_type.fields_by_name
    found += WITH_PATH if route.variables else []
    found += WITH_BODY if route.body else []
    found += WITH_REQUEST_ID if mutates else []
    found += FOR_STREAMS if route.stream else []
    found += FOR_STAFF if requirement.staff else []
    if mutates and requirement.public:
        found += WITHOUT_CALLER
    return list(dict.fromkeys(found))


def _named(route: Route, comments: Comments) -> Iterator[str]:
    for paragraph in comments.of(route.rpc.full_name).paragraphs:
        if lists_reasons(paragraph):
            yield from _known(paragraph)


def lists_reasons(paragraph: str) -> bool:
    """Whether a comment's paragraph names reasons rather than explains."""
    first = _REASON.match(paragraph)
    return first is not None and first[0] in catalogue()


def _general(route: Route, comments: Comments) -> Iterator[str]:
    service = route.rpc.containing_service
    for names, kind in _EVERY.findall(comments.of(service.full_name).text):
        if kind == "method" or "request_id" in route.rpc.input_type.fields_by_name:
            yield from _known(names)


def _known(text: str) -> list[str]:
    return [name for name in _REASON.findall(text) if name in catalogue()]


def responses(names: Iterable[str]) -> Mapping[str, Response]:
    """The problems by HTTP status, as a text."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for name in names:
        by_status[status_of(Problem(name))].append(name)
    return {str(status): _response(status, by_status[status]) for status in sorted(by_status)}


def _response(status: int, names: list[str]) -> Response:
    lines = [f"- `{name}`: {catalogue()[name].title['en']}" for name in names]
    narrowed = {"properties": {"status": {"const": status}, "reason": {"enum": names}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]}
    examples = {name: {"$ref": f"#/components/examples/{name}"} for name in names}
    return {
        "description": "\n".join(lines),
        "headers": _headers(status),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }


def _headers(status: int) -> Response:
    names = ["X-Request-Id", "Content-Language"]
    names += ["Retry-After"] if status in RETRY_AFTER else []
    names += ["WWW-Authenticate"] if status == 401 else []
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def examples(names: Iterable[str]) -> Mapping[str, Any]:
    """An example of each, for the document's components."""
    return {
        name: {"summary": catalogue()[name].title["en"], "value": samples.problem(name)}
        for name in sorted(names)
    }


PROBLEM = {
    "type": "object",
    "description": "Why a request was refused, as RFC 9457 has it. More members, all strings, say "
    "what the reason is about: `ticketId`, `when`, `field` and `why`, `counter` …",
    "properties": {
        "type": {
            "type": "string",
            "pattern": "^urn:tunggu:problem:[A-Z_]+$",
            "description": "The reason as a URI.",
        },
        "title": {"type": "string", "description": "The reason in a few words, for people."},
        "status": {"type": "integer", "description": "The HTTP status again."},
        "reason": {"type": "string", "description": "The reason, for programs."},
        "detail": {"type": "string", "description": "What happened and what to do, for people."},
        "instance": {"type": "string", "description": "The request's `X-Request-Id`."},
    },
    "required": ["type", "title", "status", "reason", "detail", "instance"],
    "additionalProperties": {"type": "string"},
}
HEADERS = {
    "X-Request-Id": {
        "description": "What the log calls this request.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Content-Language": {
        "description": "The language of title and detail.",
        "schema": {"type": "string", "enum": list(LANGUAGES)},
    },
    "Retry-After": {
        "description": "Seconds until it may be tried again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {
        "description": "A token is wanted.",
        "required": True,
        "schema": {"type": "string", "const": "Bearer"},
    },
}
