"""HTTP: `GET /status`, `POST /print`, and the browser's question before either."""

import asyncio

import grpc
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from services.chassis.errors import LANGUAGES, Problem, texts
from services.printer.door import Door, preflight, shared
from services.printer.press import Press
from services.printer.slip import read

MOST = 4096  # bytes of a body
BODY_SECONDS = 5.0  # until it must be there
Code = grpc.StatusCode
STATUSES = {
    Code.PERMISSION_DENIED: 403, Code.NOT_FOUND: 404, Code.ABORTED: 409,
    Code.RESOURCE_EXHAUSTED: 429, Code.UNAVAILABLE: 503, Code.INTERNAL: 500,
}  # fmt: skip
BY_REASON = {
    "METHOD_NOT_ALLOWED": 405, "BODY_TOO_SLOW": 408, "BODY_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
}  # fmt: skip
ORIGIN = web.RequestKey("origin", str)


def application(press: Press, door: Door) -> web.Application:
    """What answers; see docs/PAGES.md for what a page sends and gets."""
    app = web.Application(client_max_size=MOST, middlewares=[_guard(door)])

    async def status(_: web.Request) -> web.Response:
        state = press.state
        up = state is not None and state.ready
        return web.json_response({"up": up, "paper": state.paper if state else None})

    async def slip(request: web.Request) -> web.Response:
        slip = read(await _body(request), request[ORIGIN])
        return web.json_response({"copy": await press.print(slip)})

    async def options(request: web.Request) -> web.Response:
        return web.Response(status=204, headers=preflight(request.headers))

    app.router.add_get("/status", status, allow_head=False)
    app.router.add_post("/print", slip)
    for path in ("/status", "/print"):
        app.router.add_options(path, options)
    return app


def _guard(door: Door) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = ""
        try:
            origin = request[ORIGIN] = _origin(door, request)
            response = await _answered(request, handler)
        except Problem as problem:
            response = _refusal(problem, request)
        response.headers.update(shared(origin))
        response.headers["Cache-Control"] = "no-store"
        return response

    return guard


def _origin(door: Door, request: web.Request) -> str:
    port = request.transport.get_extra_info("sockname")[1] if request.transport else 0
    return door.origin(
        port, request.headers.getall("Host", []), request.headers.getall("Origin", [])
    )


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPNotFound:
        raise Problem("ROUTE_NOT_FOUND") from None
    except web.HTTPMethodNotAllowed:
        raise Problem("METHOD_NOT_ALLOWED") from None
    except web.HTTPRequestEntityTooLarge:
        raise Problem("BODY_TOO_LARGE", {"limit": str(MOST)}) from None


async def _body(request: web.Request) -> bytes:
    """UNSUPPORTED_MEDIA_TYPE: only a type that a form cannot have makes a browser ask first."""
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        raise Problem("UNSUPPORTED_MEDIA_TYPE")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        raise Problem("BODY_TOO_SLOW") from None


def _refusal(problem: Problem, request: web.Request) -> web.Response:
    """RFC 9457, with the catalogue's words."""
    wished = request.headers.get("Accept-Language", "")[:2].lower()
    title, detail = texts(problem, wished if wished in LANGUAGES else LANGUAGES[0])
    status = BY_REASON.get(problem.reason) or STATUSES.get(problem.status, 400)
    members = {"status": status, "reason": problem.reason, "title": title, "detail": detail}
    return web.json_response(
        members | problem.metadata, status=status, content_type="application/problem+json"
    )
