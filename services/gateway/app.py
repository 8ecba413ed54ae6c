"""The gateway as an ASGI application: from a scope to a reply, whatever happens.

Every refusal becomes problem+json here and nowhere else. A log line names the route's
template, never a path, for paths hold ticket ids; nor a header or a body.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from services.chassis.errors import Problem
from services.chassis.telemetry import Meter, adopt_request_id
from services.gateway import problems
from services.gateway.admission import Admission, Limit, Visitor, limit_of
from services.gateway.api import Api
from services.gateway.exchange import RESERVED, Exchange, Gone, Receive, Reply, Scope, Send
from services.gateway.origins import Origins
from services.gateway.paths import Paths
from services.gateway.routes import Route, Routes, allowed
from services.gateway.watching import Watching

Fixed = Callable[[Exchange], Awaitable[Reply]]

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))  # for labels
PROBES = frozenset((b"/healthz", b"/readyz"))  # whoever watches over us is never refused
TICKET_PAGE = "/t/{ticket}"  # answers 200 only for a ticket that there is
HTTP = Meter("http")
log = logging.getLogger("services.gateway.access")


class Gateway:
    """`fixed` are the addresses that no proto declares: pages, health, version; `forms` those
    of them that also take what a page's form sends. Either may have {variables}."""

    def __init__(
        self,
        routes: Routes,
        api: Api,
        watching: Watching,
        fixed: Mapping[bytes, Fixed],
        origins: Origins,
        admission: Admission,
        forms: Mapping[bytes, Fixed] | None = None,
    ) -> None:
        self._routes = routes
        self._api = api
        self._watching = watching
        self._fixed = Paths(fixed)
        self._forms = forms or {}
        self._origins = origins
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = time.perf_counter()
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = adopt_request_id(given.decode() if given.isascii() else "")
        exchange = Exchange(scope, receive, send, headers, request_id)
        exchange.reply_headers = [
            (b"x-request-id", request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
            *self._origins.headers(headers),
        ]
        reply = await self._reply(exchange)
        if not exchange.started and reply.reason != "GONE":
            await exchange.respond(reply)
        _account(exchange, reply, time.perf_counter() - start)

    async def _reply(self, exchange: Exchange) -> Reply:
        try:
            return await self._answer(exchange)
        except Problem as problem:
            return _refusal(problem, exchange)
        except Gone:
            return Reply(499, [], reason="GONE")
        except Exception:
            log.exception("unexpected", extra={"fields": {"route": exchange.template}})
            return _refusal(Problem("INTERNAL"), exchange)

    async def _answer(self, exchange: Exchange) -> Reply:
        exchange.check_size()
        exchange.check_once()
        path = exchange.raw_path
        if found := self._fixed.find(path):
            return await self._placed(exchange, *found)
        if exchange.method == "OPTIONS":
            methods = allowed(self._routes.methods(path))
            return self._origins.options(exchange.headers, methods)
        route, variables = self._routes.match(exchange.method, path)
        exchange.template = route.template
        visitor = await self._visitor(exchange)
        self._admission.admit(visitor, limit_of(route))
        if "ticket_id" not in variables:
            return await self._routed(route, variables, exchange, visitor)
        return await self._by_id(route, variables, exchange, visitor)

    async def _placed(
        self, exchange: Exchange, template: str, variables: Mapping[str, str], fixed: Fixed
    ) -> Reply:
        """What no proto declares: probes are not counted, ids that are none count as elsewhere."""
        exchange.template = template
        if exchange.raw_path in PROBES:
            return await self._fixed_answer(exchange, fixed)
        visitor = await self._visitor(exchange)
        self._admission.admit(visitor, Limit.REQUESTS)
        ticket_id = variables.get("ticket", "")
        if not ticket_id:
            return await self._fixed_answer(exchange, fixed)
        self._admission.guess(visitor, ticket_id)
        reply = await self._fixed_answer(exchange, fixed)
        if reply.status == 404:
            self._admission.guessed(visitor)
        elif reply.status == 200 and template == TICKET_PAGE:
            self._admission.found(ticket_id)
        return reply

    async def _visitor(self, exchange: Exchange) -> Visitor:
        """OVERLOADED for all but staff on a connection beyond what is admitted."""
        visitor = await self._admission.visitor(exchange)
        if visitor.caller is None and RESERVED in exchange.scope["extensions"]:
            raise Problem("OVERLOADED")
        return visitor

    async def _by_id(
        self, route: Route, variables: Mapping[str, str], exchange: Exchange, visitor: Visitor
    ) -> Reply:
        """Counts ids that are none: who knows a ticket's id is its holder."""
        ticket_id = variables["ticket_id"]
        self._admission.guess(visitor, ticket_id)
        try:
            reply = await self._routed(route, variables, exchange, visitor)
        except Problem as problem:
            if problem.reason == "TICKET_NOT_FOUND":
                self._admission.guessed(visitor)
            raise
        self._admission.found(ticket_id)
        return reply

    async def _routed(
        self, route: Route, variables: Mapping[str, str], exchange: Exchange, visitor: Visitor
    ) -> Reply:
        if not route.stream:
            return await self._api.answer(route, variables, exchange, visitor)
        return await self._watching.answer(route, variables, exchange) or Reply(200, [])

    async def _fixed_answer(self, exchange: Exchange, fixed: Fixed) -> Reply:
        methods = ["GET", "HEAD", "OPTIONS"]
        form = self._forms.get(exchange.template.encode())
        if form and exchange.method == "POST":
            return await form(exchange)
        if exchange.method not in methods:
            allow = [*methods, "POST"] if form else methods
            raise Problem("METHOD_NOT_ALLOWED", {"allow": ", ".join(allow)})
        if exchange.method == "OPTIONS":
            return self._origins.options(exchange.headers, methods)
        return await fixed(exchange)


def _refusal(problem: Problem, exchange: Exchange) -> Reply:
    language = problems.language_of(exchange.headers)
    headers = problems.headers_of(problem, language)
    status = problems.status_of(problem)
    if status in (408, 413, 414, 431):
        headers.append((b"connection", b"close"))  # what it has sent is not all read
    body = problems.body_of(problem, language, exchange.request_id)
    return Reply(status, headers, body, problem.reason, problem.private)


def _account(exchange: Exchange, reply: Reply, seconds: float) -> None:
    method = exchange.method if exchange.method in METHODS else "other"
    name = f"{method} {exchange.template}"
    HTTP.calls.labels(name, reply.reason).inc()
    if not exchange.template.startswith("/v1/streams/"):
        HTTP.seconds.labels(name).observe(seconds)
    fields = {
        "route": exchange.template,
        "method": method,
        "status": reply.status,
        "ms": round(seconds * 1000, 1),
    }
    if reply.reason != "OK":
        fields |= {"reason": reply.reason, "detail": reply.private}
    # Who is refused for asking too much is counted and does not fill the log.
    level = logging.DEBUG if reply.reason == "RATE_LIMITED" else logging.INFO
    log.log(level, "request", extra={"fields": fields})
