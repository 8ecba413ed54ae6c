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
from services.gateway.api import Api
from services.gateway.exchange import Exchange, Gone, Receive, Reply, Scope, Send
from services.gateway.origins import Origins
from services.gateway.places import Places
from services.gateway.routes import Routes, allowed
from services.gateway.watching import Watching

Fixed = Callable[[Exchange], Awaitable[Reply]]

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))  # for labels
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
        forms: Mapping[bytes, Fixed] | None = None,
    ) -> None:
        self._routes = routes
        self._api = api
        self._watching = watching
        self._fixed = Places(fixed)
        self._forms = forms or {}
        self._origins = origins

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
        if place := self._fixed.find(path):
            return await self._fixed_answer(exchange, *place)
        if exchange.method == "OPTIONS":
            methods = allowed(self._routes.methods(path))
            return self._origins.options(exchange.headers, methods)
        route, variables = self._routes.match(exchange.method, path)
        exchange.template = route.template
        if not route.stream:
            return await self._api.answer(route, variables, exchange)
        return await self._watching.answer(route, variables, exchange) or Reply(200, [])

    async def _fixed_answer(self, exchange: Exchange, template: str, fixed: Fixed) -> Reply:
        exchange.template = template
        methods = ["GET", "HEAD", "OPTIONS"]
        form = self._forms.get(template.encode())
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
    log.info("request", extra={"fields": fields})
