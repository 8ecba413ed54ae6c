"""What each process is given: its arguments and its environment, and nothing of another's.

The only place of the launcher that knows the names of their settings.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from services.chassis.token import PRIVATE, PUBLIC
from services.local import ports, ready
from services.local.process import Program


@dataclass(frozen=True)
class Where:
    """The addresses of one stack. A metrics port of 0 = none."""

    redis: Path
    host: str
    port: int
    gateway_metrics: int
    queues: tuple[int, ...]
    queue_metrics: tuple[int, ...]
    survey: int = 0
    survey_metrics: int = 0
    notify: tuple[int, ...] = ()
    notify_metrics: tuple[int, ...] = ()


def redis(binary: Path, folder: Path, socket: Path) -> Program:
    """A Redis that has written to disk what it has acknowledged."""
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "always",
        "aof-load-truncated": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    argv = [str(binary)]
    for name, value in settings.items():
        argv += [f"--{name}", value]
    return Program("redis", tuple(argv), _environ({}), lambda: ready.redis(socket), patience=300.0)


def queue(number: int, where: Where, keys: Path, *, hours: str, clock: str) -> Program:
    """Replica `number`, from 0. `clock` is empty or a Clock's text."""
    address = f"127.0.0.1:{where.queues[number]}"
    settings = {
        "ENV": "development",
        "ADDRESS": address,
        "METRICS_PORT": str(where.queue_metrics[number]),
        "REDIS_URL": f"unix://{quote(str(where.redis))}",
        "HOURS": hours,
        "CLOCK": clock,
        "JWKS": str(keys / PUBLIC),
    }
    return Program(
        f"queue-{number + 1}",
        _python("services.queue"),
        _environ(settings),
        lambda: ready.queue(address),
    )


def survey(where: Where, keys: Path, *, clock: str) -> Program:
    """It signs its own token with the development key; `clock` is the queue's."""
    address = f"127.0.0.1:{where.survey}"
    settings = {
        "ENV": "development",
        "ADDRESS": address,
        "METRICS_PORT": str(where.survey_metrics),
        "REDIS_URL": f"unix://{quote(str(where.redis))}",
        "QUEUE": _queues(where),
        "CLOCK": clock,
        "JWKS": str(keys / PUBLIC),
        "KEY": str(keys / PRIVATE),
    }
    return Program(
        "survey", _python("services.survey"), _environ(settings), lambda: ready.queue(address)
    )


def notify(
    number: int, where: Where, keys: Path, *, clock: str, more: Mapping[str, str]
) -> Program:
    """Replica `number`, from 0, as the survey; its links lead to the gateway of this machine.
    `more` settings go before these."""
    address = f"127.0.0.1:{where.notify[number]}"
    host = ports.address(ports.reachable(where.host), where.port)
    settings = {
        "ENV": "development",
        "ADDRESS": address,
        "METRICS_PORT": str(where.notify_metrics[number]),
        "REDIS_URL": f"unix://{quote(str(where.redis))}",
        "QUEUE": _queues(where),
        "CLOCK": clock,
        "JWKS": str(keys / PUBLIC),
        "KEY": str(keys / PRIVATE),
        "SITE": f"http://{host}",
        "CONTACT": "mailto:nobody@example.org",
    }
    return Program(
        "notify" if number == 0 else f"notify-{number + 1}",
        _python("services.notify"),
        _environ(settings | dict(more)),
        lambda: ready.queue(address),
    )


def _queues(where: Where) -> str:
    return "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in where.queues)


def gateway(where: Where, keys: Path, *, limits: str) -> Program:
    settings = {
        "ENV": "development",
        "HOST": where.host,
        "PORT": str(where.port),
        "METRICS_PORT": str(where.gateway_metrics),
        "QUEUE": _queues(where),
        "SURVEY": f"ipv4:127.0.0.1:{where.survey}",
        "NOTIFY": "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in where.notify),
        "JWKS": str(keys / PUBLIC),
    }
    if limits != "on":
        settings["LIMITS"] = limits
    host = ports.reachable(where.host)
    return Program(
        "gateway",
        _python("services.gateway"),
        _environ(settings),
        lambda: ready.gateway(host, where.port),
    )


def _python(module: str) -> tuple[str, ...]:
    return sys.executable, "-P", "-m", module


def _environ(settings: Mapping[str, str]) -> dict[str, str]:
    """Ours without the launcher's own settings, and the process's."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("TUNGGU_")}
    return inherited | {f"TUNGGU_{name}": value for name, value in settings.items()}


def stages(redis_server: Program, queues: Sequence[Program], gate: Program) -> list[list[Program]]:
    """The order of starting; stopping goes the other way."""
    return [[redis_server], list(queues), [gate]]
