"""A gRPC server as every service runs it: admitted, timed, translated, drained.

Health has the names `liveness` (the process answers) and `readiness` (its check
passes; "" is the same). Streams of a servicer must end when `draining` is set.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection

from . import access
from .config import ConfigError, ServerConfig
from .errors import Problem, translated
from .telemetry import REQUEST_ID_HEADER, RPC, adopt_request_id, observed

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
Context = grpc.aio.ServicerContext[Any, Any]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Service:
    """What is served: its descriptor, and what adds its servicer to a server."""

    descriptor: ServiceDescriptor
    register: Callable[[grpc.aio.Server], None]


@dataclass(frozen=True)
class Calls(grpc.aio.ServerInterceptor):
    """Around each call of ours: request id, metrics and log, access, deadline, translation.

    A servicer's streams are async generators. `deadline` seconds bound unary calls.
    """

    rules: Mapping[str, access.Rule]
    verifier: access.Verifier
    deadline: float

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Health and reflection have no rule and pass as they are."""
        handler, rule = await continuation(details), self.rules.get(details.method)
        if handler is None or rule is None:
            return handler
        coders = handler.request_deserializer, handler.response_serializer
        if handler.response_streaming:
            stream = self._stream(details.method, rule, handler.unary_stream)
            return grpc.unary_stream_rpc_method_handler(stream, *coders)
        unary = self._unary(details.method, rule, handler.unary_unary)
        return grpc.unary_unary_rpc_method_handler(unary, *coders)

    @contextlib.asynccontextmanager
    async def _around(
        self, method: str, rule: access.Rule, request: Any, context: Context, stream: bool
    ) -> AsyncIterator[None]:
        headers = dict(context.invocation_metadata() or ())
        adopt_request_id(str(headers.get(REQUEST_ID_HEADER, "")))
        async with translated(context), observed(RPC, method[1:], stream=stream):
            authorization = str(headers.get("authorization", ""))
            access.CALLER.set(await self.verifier.caller(authorization))
            rule.admit(request)
            yield

    def _unary(self, method: str, rule: access.Rule, behaviour: Any) -> Any:
        async def unary(request: Any, context: Context) -> Any:
            async with self._around(method, rule, request, context, stream=False):
                try:
                    async with asyncio.timeout(self.deadline) as limit:
                        return await behaviour(request, context)
                except TimeoutError:
                    if limit.expired():
                        raise Problem("DEADLINE_EXCEEDED") from None
                    raise

        return unary

    def _stream(self, method: str, rule: access.Rule, behaviour: Any) -> Any:
        async def stream(request: Any, context: Context) -> AsyncIterator[Any]:
            async with (
                self._around(method, rule, request, context, stream=True),
                contextlib.aclosing(behaviour(request, context)) as answers,
            ):
                async for answer in answers:
                    yield answer

        return stream


class Health(health.HealthServicer):  # type: ignore[misc]
    """Health that follows a check, every second, and lets go of its watchers at the end."""

    def __init__(self, draining: asyncio.Event) -> None:
        super().__init__()
        self.draining = draining

    async def Watch(self, request: Any, context: Context) -> None:  # noqa: N802
        """As in the library, but a watcher does not hold up the drain."""
        waits = [super().Watch(request, context), self.draining.wait()]
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def follow(self, ready: Callable[[], Awaitable[bool]], names: Sequence[str]) -> None:
        """Never returns. A check that raises is a check that fails."""
        await self.set("liveness", SERVING)
        while True:
            try:
                state = SERVING if await ready() else NOT_SERVING
            except Exception as error:  # noqa: BLE001
                log.warning("readiness check failed: %s", type(error).__name__)
                state = NOT_SERVING
            for name in names:
                await self.set(name, state)
            await asyncio.sleep(1 if state == SERVING else 0.1)


async def serve(
    config: ServerConfig,
    services: Sequence[Service],
    *,
    ready: Callable[[], Awaitable[bool]],
    draining: asyncio.Event,
    stop: asyncio.Event | None = None,
    background: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
) -> None:
    """Serves until SIGTERM, SIGINT or `stop`, then drains; `background` runs meanwhile.

    ConfigError: the address is taken. LookupError: a method without roles. What a
    background task raises ends the server, as an ExceptionGroup.
    """
    stop = stop or asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    state = Health(draining)
    server = await _start(config, services, state)
    log.info("serving", extra={"fields": {"address": config.address}})
    names = ["", "readiness", *(service.descriptor.full_name for service in services)]
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(state.follow(ready, names))]
        running += [group.create_task(task()) for task in background]
        try:
            await stop.wait()
        finally:
            await _drain(config, server, state, draining)  # running calls may need those tasks
        for task in running:
            task.cancel()
    log.info("stopped")


async def _drain(
    config: ServerConfig, server: grpc.aio.Server, state: Health, draining: asyncio.Event
) -> None:
    await state.enter_graceful_shutdown()
    await asyncio.sleep(config.drain_delay)
    draining.set()
    await server.stop(config.drain)


async def _start(
    config: ServerConfig, services: Sequence[Service], state: Health
) -> grpc.aio.Server:
    rules = access.rules(service.descriptor for service in services)
    verifier = access.Verifier(access.Keys(config.jwks), config.issuer, config.audience)
    server = grpc.aio.server(
        interceptors=[Calls(rules, verifier, config.deadline)], options=_options(config)
    )
    for service in services:
        service.register(server)
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    names = [service.descriptor.full_name for service in services]
    reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], server)
    try:
        server.add_insecure_port(config.address)
    except RuntimeError:
        raise ConfigError(f"cannot serve on {config.address}: the address is taken") from None
    await server.start()
    return server


def _options(config: ServerConfig) -> list[tuple[str, int]]:
    return [
        ("grpc.max_connection_age_ms", int(config.max_connection_age * 1000)),
        ("grpc.max_connection_age_grace_ms", int(config.max_connection_age * 1000)),
        ("grpc.max_receive_message_length", config.max_message),
        ("grpc.max_send_message_length", config.max_message),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.so_reuseport", 0),  # else a second server on the port goes unnoticed
    ]
