"""The HTTP API as the protos declare it: google.api.http, read from descriptors.

A path template is literal segments, `{field}` variables and perhaps a custom verb
after a colon (`/v1/tickets/{ticket_id}:cancel`). Absent: wildcards, patterns
inside a variable, nested field paths; a proto that uses them stops the start.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.chassis.errors import Problem

STREAMS = "/v1/streams/"

_SEGMENT = re.compile(r"\{([a-z][a-z0-9_]*)\}|([A-Za-z0-9_.-]+)")


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One HTTP method and path template, and the RPC behind it.

    `body` is "", "*" or the field that is the body; `response_body` the field that
    is the answer, None for the whole message. `stream`: answered with SSE.
    """

    method: str
    template: str
    rpc: MethodDescriptor
    segments: tuple[str, ...]
    verb: str
    body: str
    response_body: FieldDescriptor | None

    @property
    def request(self) -> type[Message]:
        return GetMessageClass(self.rpc.input_type)

    @property
    def status(self) -> int:
        """A POST that creates answers 201; all else 200."""
        return 201 if self.method == "POST" and not self.verb else 200

    @property
    def stream(self) -> bool:
        return self.template.startswith(STREAMS)

    @property
    def variables(self) -> tuple[str, ...]:
        """Fields that the path gives."""
        return tuple(segment[1:-1] for segment in self.segments if segment.startswith("{"))


@dataclass(slots=True)
class _Node:
    """A segment of the tree of all templates; `leaves` by verb, then method."""

    literals: dict[str, "_Node"] = field(default_factory=dict)
    variable: "_Node | None" = None
    leaves: dict[str, dict[str, Route]] = field(default_factory=dict)


class Routes:
    """All routes, found by method and raw path."""

    def __init__(self, services: Iterable[ServiceDescriptor]) -> None:
        self._root = _Node()
        self.all = [route for service in services for route in _routes_of(service)]
        for route in self.all:
            self._add(route)

    def _add(self, route: Route) -> None:
        node = self._root
        for segment in route.segments:
            if segment.startswith("{"):
                node.variable = node = node.variable or _Node()
            else:
                node = node.literals.setdefault(segment, _Node())
        leaves = node.leaves.setdefault(route.verb, {})
        if leaves.setdefault(route.method, route) is not route:
            raise ValueError(f"two RPCs for {route.method} {route.template}")

    def methods(self, raw_path: bytes) -> Mapping[str, Route]:
        """The routes of a path by method; ROUTE_NOT_FOUND if there are none."""
        return self._find(raw_path)[0]

    def match(self, method: str, raw_path: bytes) -> tuple[Route, Mapping[str, str]]:
        """The route and its path variables. ROUTE_NOT_FOUND, METHOD_NOT_ALLOWED."""
        routes, segments = self._find(raw_path)
        route = routes.get("GET" if method == "HEAD" else method)
        if route is None:
            raise Problem("METHOD_NOT_ALLOWED", {"allow": ", ".join(allowed(routes))})
        names = zip(route.segments, segments, strict=True)
        return route, {name[1:-1]: value for name, value in names if name.startswith("{")}

    def _find(self, raw_path: bytes) -> tuple[Mapping[str, Route], list[str]]:
        """Only a colon that is written as one begins a verb, only a slash parts."""
        parts = raw_path.decode("ascii").split("/")[1:] or [""]
        parts[-1], _, verb = parts[-1].partition(":")
        segments = [_plain(part) for part in parts]
        node = _descend(self._root, segments)
        if node is None or verb not in node.leaves:
            raise Problem("ROUTE_NOT_FOUND")
        return node.leaves[verb], segments


def allowed(routes: Mapping[str, Route]) -> list[str]:
    """What an Allow header lists."""
    return sorted({*routes, "OPTIONS"} | ({"HEAD"} if "GET" in routes else set()))


def _plain(part: str) -> str:
    if "%" not in part:
        return part
    try:
        return unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise Problem("ROUTE_NOT_FOUND") from None


def _descend(node: _Node | None, segments: list[str]) -> _Node | None:
    """A literal goes before a variable; no path of ours needs to go back."""
    for segment in segments:
        if node is None or not segment:
            return None
        node = node.literals.get(segment) or node.variable
    return node


def _routes_of(service: ServiceDescriptor) -> Iterator[Route]:
    for rpc in service.methods:
        rule = rpc.GetOptions().Extensions[annotations_pb2.http]
        for binding in (rule, *rule.additional_bindings):
            if binding.WhichOneof("pattern"):
                yield _route(rpc, binding)


def _route(rpc: MethodDescriptor, rule: HttpRule) -> Route:
    pattern = rule.WhichOneof("pattern")
    if pattern not in ("get", "put", "post", "delete", "patch"):
        raise ValueError(f"{rpc.full_name}: a custom HTTP method")
    template = getattr(rule, pattern)
    path, _, verb = template.partition(":")
    return Route(
        method=pattern.upper(),
        template=template,
        rpc=rpc,
        segments=_segments(rpc, path),
        verb=verb,
        body=rule.body,
        response_body=_answer(rpc, rule.response_body),
    )


def _segments(rpc: MethodDescriptor, path: str) -> tuple[str, ...]:
    segments = tuple(path.split("/")[1:])
    for segment in segments:
        found = _SEGMENT.fullmatch(segment)
        variable = found and found[1]
        if found is None or (variable and variable not in rpc.input_type.fields_by_name):
            raise ValueError(f"{rpc.full_name}: cannot read the path {path}")
    return segments


def _answer(rpc: MethodDescriptor, name: str) -> FieldDescriptor | None:
    return rpc.output_type.fields_by_name[name] if name else None
