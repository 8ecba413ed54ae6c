"""The way to a printer: one file, a connection or a device, opened for each slip and each look.

Own code, because of what must be known when something goes wrong: whether any of a slip has left.
python-escpos' Network and File do not tell, wait a minute for a printer that has nothing to say,
and read no device. Blocking; call it from a thread. Absent: what the bytes are.
"""

import os
import select
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services.printer.status import ONLINE, PAPER, SILENT, State, has_paper, is_online, is_status

CONNECT = 3.0  # seconds that the way to a printer in the same house may take
GOODBYE = 2.0  # seconds that a connection may take to end, or to break
PIECE = 4096  # bytes


class Away(Exception):  # noqa: N818
    """Nothing has left; `reason` is of the catalogue."""

    def __init__(self, why: str, reason: str = "PRINTER_AWAY") -> None:
        super().__init__(why)
        self.reason = reason


class Cut(Exception):  # noqa: N818
    """The way ended after some of a slip had left."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where a printer is: host and port, or a device file; seconds for each step."""

    address: tuple[str, int] | None
    device: str
    answer: float
    patience: float

    @contextmanager
    def opened(self) -> Iterator["Wire"]:
        """Away."""
        wire = self._connect() if self.address else self._open()
        try:
            yield wire
        finally:
            wire.close()

    def _connect(self) -> "Wire":
        try:
            connection = socket.create_connection(self.address or ("", 0), timeout=CONNECT)
        except OSError as error:
            raise Away(str(error)) from None
        connection.setblocking(False)
        return Wire(connection.detach(), self.answer, hears=True, connection=True)

    def _open(self) -> "Wire":
        """Without a thing that hears at the end (a plain file) nothing is asked."""
        try:
            file = os.open(self.device, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_APPEND)
        except OSError as error:
            raise Away(str(error)) from None
        hears = stat.S_ISCHR(os.fstat(file).st_mode)
        return Wire(file, self.answer, hears=hears, connection=False)


class Wire:
    """An open file. Away, Cut: see the methods."""

    def __init__(self, file: int, answer: float, *, hears: bool, connection: bool) -> None:
        self._file = file
        self._answer = answer
        self._hears = hears
        self._connection = connection

    def close(self) -> None:
        os.close(self._file)

    def state(self) -> State:
        """What the printer says now, or SILENT. Away: it hung up."""
        if not self._hears:
            return SILENT
        paper = self._ask(PAPER, self._answer)
        if paper is None:
            return SILENT
        online = self._ask(ONLINE, self._answer)
        return State(None if online is None else is_online(online), has_paper(paper))

    def send(self, data: bytes, patience: float) -> None:
        """All of it. Away: nothing of it has left; Cut: something has."""
        until, sent = time.monotonic() + patience, 0
        try:
            while sent < len(data):
                if not self._ready(select.POLLOUT, until - time.monotonic()):
                    raise TimeoutError("the printer takes no more")
                sent += os.write(self._file, data[sent : sent + PIECE])
        except OSError as error:
            raise (Cut if sent else Away)(str(error)) from None

    def settle(self, before: State, patience: float) -> None:
        """After the last byte: Cut unless the printer is still there, and has paper if it said so
        before. One that says nothing is believed when the connection ends in peace."""
        try:
            if before.speaks:
                self._settle_by_asking(patience)
            elif self._connection:
                self._end()
        except (OSError, Away) as error:
            raise Cut(str(error)) from None

    def _settle_by_asking(self, patience: float) -> None:
        paper = self._ask(PAPER, patience)
        if paper is None or not has_paper(paper):
            raise Cut("no paper" if paper is not None else "no answer")

    def _end(self) -> None:
        with socket.socket(fileno=os.dup(self._file)) as connection:
            connection.shutdown(socket.SHUT_WR)
            until = time.monotonic() + GOODBYE
            while self._ready(select.POLLIN, until - time.monotonic()):
                if not connection.recv(PIECE):
                    return

    def _ask(self, question: bytes, patience: float) -> int | None:
        """A byte of status; None if none comes. Away: the way ended."""
        until = time.monotonic() + patience
        try:
            self._forget()
            os.write(self._file, question)
            while self._ready(select.POLLIN, until - time.monotonic()):
                data = self._read()
                found = next(filter(is_status, data), None)
                if found is not None or not data:
                    return found
        except BlockingIOError:
            return None  # it takes nothing now
        except OSError as error:
            raise Away(str(error)) from None
        return None

    def _forget(self) -> None:
        """What came before a question does not answer it."""
        while self._ready(select.POLLIN, 0) and self._read():
            pass

    def _read(self) -> bytes:
        """Nothing, from a device, is only nothing; from a connection it is the end."""
        data = os.read(self._file, PIECE)
        if self._connection and not data:
            raise ConnectionResetError("the printer hung up")
        return data

    def _ready(self, wanted: int, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._file, wanted)
        return bool(poll.poll(max(0.0, seconds) * 1000))
