"""A process of watchers: many SSE connections, read by one epoll loop with as little Python as
can be. It notes, by the id of an event, how many have it and when the first and the last got it.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
from dataclasses import dataclass
from typing import Any

from tests.load.worker import raise_limits

AT_ONCE = 200  # connections that may be on their way
CHUNK = 65536
PATIENCE = 60.0  # seconds for all of them to have had an event
ADDRESSES = 200  # loopback addresses that watchers come from


@dataclass
class Seen:
    """An event: `count` watchers have it; monotonic seconds."""

    count: int
    first: float
    last: float


class Watchers:
    """Connections, and what has been heard on them."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._paths: dict[int, str] = {}
        self._rest: dict[int, bytes] = {}
        self._seen: dict[str, Seen] = {}
        self._begun: set[int] = set()
        self._lost = 0
        self._commands = b""
        self._poll.register(0, select.EPOLLIN)
        os.set_blocking(0, False)

    def run(self) -> None:
        """Until stdin ends."""
        while True:
            for fd, _ in self._poll.poll():
                if fd:
                    self._read(fd)
                elif not self._command():
                    return

    # Commands -----------------------------------------------------------------------------------

    def _command(self) -> bool:
        """Answers what has been asked; False at the end."""
        data = os.read(0, CHUNK)
        *lines, self._commands = (self._commands + data).split(b"\n")
        for line in lines:
            command = json.loads(line)
            answer = getattr(self, command.pop("do"))(**command)
            print(json.dumps(answer), flush=True)
        return bool(data)

    def open(self, *, host: str, port: int, path: str, upto: int) -> dict[str, Any]:
        """So many of the path; returns when each that could connect has had its first event.
        `open` counts those of all paths."""
        request = f"GET {path} HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream\r\n\r\n"
        until = time.monotonic() + PATIENCE
        for i in range(upto - list(self._paths.values()).count(path)):
            source = f"127.0.1.{1 + i % ADDRESSES}"
            if not self._connect((host, port), source, request.encode(), path):
                break
            while len(self._sockets) - len(self._begun) >= AT_ONCE and time.monotonic() < until:
                self._wait()
        while len(self._begun) < len(self._sockets) and time.monotonic() < until:
            self._wait()
        return {"open": len(self._begun), "lost": self._lost}

    def _wait(self) -> None:
        for fd, _ in self._poll.poll(1):
            if fd:
                self._read(fd)

    def seen(self, *, forget: bool = False) -> dict[str, Any]:
        """By event: [watchers, first, last]."""
        found = {key: [one.count, one.first, one.last] for key, one in self._seen.items()}
        if forget:
            self._seen.clear()
        return {"events": found, "lost": self._lost}

    # Connections --------------------------------------------------------------------------------

    def _connect(self, to: tuple[str, int], source: str, request: bytes, path: str) -> bool:
        """Whether there was somebody to connect to."""
        connection = socket.socket()
        connection.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        connection.bind((source, 0))
        try:
            connection.connect(to)
            connection.sendall(request)
        except OSError:
            connection.close()
            return False
        connection.setblocking(False)
        self._sockets[connection.fileno()] = connection
        self._paths[connection.fileno()] = path
        self._poll.register(connection, select.EPOLLIN)
        return True

    def _read(self, fd: int) -> None:
        try:
            data = self._sockets[fd].recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._hear(fd, data, time.monotonic())
        else:
            self._sockets.pop(fd).close()
            self._rest.pop(fd, None)
            self._paths.pop(fd)
            self._begun.discard(fd)
            self._lost += 1

    def _hear(self, fd: int, data: bytes, now: float) -> None:
        if fd in self._rest:
            data = self._rest.pop(fd) + data
        begin = 0
        while (end := data.find(b"\n\n", begin)) >= 0:
            at = data.find(b"id: ", begin, end)
            if at >= 0:
                self._note(fd, data[at + 4 : data.find(b"\n", at)], now)
            begin = end + 2
        if begin < len(data) and data[begin:] != b"\r\n":
            self._rest[fd] = data[begin:]

    def _note(self, fd: int, event: bytes, now: float) -> None:
        self._begun.add(fd)
        key = event.strip().decode()
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = Seen(0, now, now)
        seen.count += 1
        seen.last = now


_IP_BIND_ADDRESS_NO_PORT = 24  # not in Python's socket

if __name__ == "__main__":
    raise_limits()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    Watchers().run()
