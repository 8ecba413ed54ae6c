"""Channels to our services: balanced, watched, bounded, repeated only where it is safe.

A failed call raises `Problem`. Repeated, within their deadline, are calls that read (Get…,
List…) and mutations whose request ids make a repetition the same call.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Any

import grpc

from .errors import from_rpc_error
from .telemetry import REQUEST_ID, REQUEST_ID_HEADER

UNAVAILABLE, UNKNOWN = grpc.StatusCode.UNAVAILABLE, "OUTCOME_UNKNOWN"
DEADLINE = 5.0  # seconds for a unary call that names none
# Seconds before each repetition, up to twice as long: a replica that restarts or fails
# over is back within them, and a real outage is told before a person gives up.
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": "readiness"},
}

# The `authorization` of the request on whose behalf we call, as it came.
AUTHORIZATION: ContextVar[str] = ContextVar("authorization", default="")


def channel(
    target: str,
    *,
    authorization: Callable[[], str] = AUTHORIZATION.get,
    max_message: int = 4 * 1024 * 1024,
) -> grpc.aio.Channel:
    """A channel to `dns:///name:port`, `ipv4:…` or `unix:/path`, for this event loop.

    `authorization` gives each call's header ("Bearer …", or "" for none); by default
    the one in AUTHORIZATION is passed on.
    """
    options = [
        ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.max_receive_message_length", max_message),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.initial_reconnect_backoff_ms", 100),
        # 30 s by default: a rollout may have replaced everybody in that time.
        ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    ]
    kinds = (_Unary(authorization), _Stream(authorization))
    return grpc.aio.insecure_channel(target, options=options, interceptors=kinds)


class _Dressed:
    def __init__(self, authorization: Callable[[], str]) -> None:
        self.authorization = authorization

    def dressed(self, details: Any, timeout: float | None) -> grpc.aio.ClientCallDetails:
        ours = {REQUEST_ID_HEADER: REQUEST_ID.get(), "authorization": self.authorization()}
        named = {name: value for name, value in ours.items() if value}
        metadata = grpc.aio.Metadata(*(named | dict(details.metadata or ())).items())
        return details._replace(timeout=timeout, metadata=metadata)  # type: ignore[no-any-return]


class _Unary(_Dressed, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        now = asyncio.get_running_loop().time
        end = now() + (DEADLINE if details.timeout is None else details.timeout)
        for pause in (*PAUSES, None):
            call = await continuation(self.dressed(details, max(0.0, end - now())), request)
            try:
                await call
                return call
            except grpc.aio.AioRpcError as error:
                # A connection that broke under a mutation leaves its outcome open.
                reads = _reads(details.method)
                problem = from_rpc_error(error, "SERVICE_UNAVAILABLE" if reads else UNKNOWN)
                again = problem.status is UNAVAILABLE and (reads or _named(request))
                if pause is None or not again:
                    raise problem from error
            await asyncio.sleep(min(pause * (1 + random.random()), max(0.0, end - now())))  # noqa: S311
        raise AssertionError("the last try returns or raises")


class _Stream(_Dressed, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        return _answers(await continuation(self.dressed(details, details.timeout), request))


async def _answers(call: Any) -> AsyncIterator[Any]:
    try:
        async for answer in call:
            yield answer
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error


def _reads(method: bytes | str) -> bool:
    name = (method.decode() if isinstance(method, bytes) else method).rpartition("/")[2]
    return name.startswith(("Get", "List"))


def _named(request: Any) -> bool:
    """Whether the request, or each of its batch, carries a request id."""
    return all(getattr(r, "request_id", "") for r in getattr(request, "requests", [request]))
