"""Which ports are free. Only looks: whoever is told a port still has to bind it."""

import errno
import random
import socket
from contextlib import ExitStack, suppress

from services.local.errors import LocalError

APART = range(20_000, 32_768)
"""Below those that Linux gives to outgoing connections, which might take one before its owner."""

TRIES = 100


def require_free(host: str, port: int) -> None:
    """Raises LocalError, naming the variable to change, unless `host:port` can be listened on."""
    try:
        _listen(host, port).close()
    except OSError as error:
        raise LocalError(_explained(host, port, error)) from None


def choose(preferred: list[int]) -> list[int]:
    """For each preferred port of 127.0.0.1 itself if free, else another; 0 = any. All differ."""
    with ExitStack() as held:
        return [held.enter_context(_nearest(port)).getsockname()[1] for port in preferred]


def address(host: str, port: int | str) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reachable(host: str) -> str:
    """The address of this machine under which a listener on `host` answers."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared only


def _nearest(port: int) -> socket.socket:
    wanted = [port] if port else []
    for one in (*wanted, *random.sample(APART, TRIES)):
        with suppress(OSError):
            return _listen("127.0.0.1", one)
    return _listen("127.0.0.1", 0)


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, where = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # A port in TIME_WAIT is free; one that somebody listens on is not.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener


def _explained(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else port - 1
        return f"port {port} of {host} is in use: stop what uses it, or choose with PORT={other}"
    if error.errno == errno.EACCES:
        return f"port {port} is not for ordinary users: choose one above 1023 with PORT="
    return f"cannot listen on HOST={host}: {error.strerror}"
