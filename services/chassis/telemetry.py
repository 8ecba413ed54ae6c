"""What the outside sees of a process: JSON log lines on stderr and Prometheus metrics.

Neither ever holds an id of a ticket, a holder or a token, nor a payload: a call is
named by its method or route template, a refusal by its reason.
"""

import asyncio
import json
import logging
import re
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from importlib.metadata import version

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics, start_http_server

from .config import ConfigError, ProcessConfig
from .errors import Problem

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
REQUEST_ID_HEADER = "x-request-id"
BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

BUILD = Gauge("tunggu_build_info", "What runs, always 1.", ["service", "version", "python"])
log = logging.getLogger(__name__)


class Meter:
    """Counts calls by name and reason and times them; `tunggu_<prefix>_…`, of this process."""

    def __init__(self, prefix: str) -> None:
        self.calls = Counter(f"tunggu_{prefix}_calls", "Ended calls. Sum.", ["method", "reason"])
        self.running = Gauge(f"tunggu_{prefix}_running", "Open calls. Sum.", ["method"])
        name = f"tunggu_{prefix}_seconds"
        self.seconds = Histogram(name, "Of calls, not streams. Sum.", ["method"], buckets=BUCKETS)


RPC = Meter("rpc")


class JsonLines(logging.Formatter):
    """A record as one line; `extra={"fields": {...}}` adds members."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": REQUEST_ID.get(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps({name: value for name, value in entry.items() if value != ""})


def start(service: str, config: ProcessConfig) -> Callable[[], None]:
    """Logs and metrics of this process; returns what ends the latter. ConfigError: port in use."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=config.log_level.upper(), handlers=[handler], force=True)
    BUILD.labels(service, version("tunggu"), sys.version.split()[0]).set(1)
    disable_created_metrics()  # type: ignore[no-untyped-call]
    if not config.metrics_port:
        return lambda: None
    try:  # its own thread: rendering many series must not stall the loop
        server, _ = start_http_server(config.metrics_port, config.metrics_host)
    except OSError as error:
        where = f"{config.metrics_host}:{config.metrics_port}"
        raise ConfigError(f"{service}: cannot serve /metrics on {where}: {error}") from None

    def end() -> None:
        server.shutdown()
        server.server_close()

    return end


def adopt_request_id(given: str) -> str:
    """Makes the caller's request id this call's, or a new one if it gave none of sane form."""
    request_id = given if re.fullmatch(r"[\w.-]{8,64}", given) else secrets.token_hex(8)
    REQUEST_ID.set(request_id)
    return request_id


@asynccontextmanager
async def observed(meter: Meter, method: str, *, stream: bool = False) -> AsyncIterator[None]:
    """Counts, times and logs a call; `method` is a name or route template, never a path."""
    start, reason, private = time.perf_counter(), "OK", ""
    meter.running.labels(method).inc()
    try:
        yield
    except Problem as problem:
        reason, private = problem.reason, problem.private
        raise
    except (asyncio.CancelledError, GeneratorExit):
        reason = "CANCELLED"
        raise
    except Exception:
        reason = "INTERNAL"
        log.exception("unexpected", extra={"fields": {"method": method}})
        raise
    finally:
        seconds = time.perf_counter() - start
        meter.running.labels(method).dec()
        meter.calls.labels(method, reason).inc()
        if not stream:
            meter.seconds.labels(method).observe(seconds)
        fields = {"method": method, "ms": round(seconds * 1000, 1), "reason": reason}
        log.info("call", extra={"fields": fields | ({"detail": private} if private else {})})
