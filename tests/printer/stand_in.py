"""A printer on a TCP port of this machine: it takes what comes, and answers as it is told to."""

import socket
import struct
import threading
import time
from dataclasses import dataclass, field

from services.printer.status import ONLINE, PAPER

GOOD = 0x12
NO_PAPER = 0x72
OFFLINE = 0x1A
PATIENCE = 60.0


@dataclass
class Printer:
    """`slips` are the bytes of each connection that were no questions. `speaks`: it answers them,
    with the bytes `paper` and `online`; `dies_after`: it breaks a connection after so many bytes of
    a slip. While `goes_on` is cleared it takes connections and nothing more."""

    speaks: bool = True
    paper: int = GOOD
    online: int = GOOD
    dies_after: int | None = None
    slips: list[bytes] = field(default_factory=list)
    looks: int = 0
    connections: int = 0
    goes_on: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Printer":
        self.goes_on.set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._server.getsockname()
        return host, port

    @property
    def url(self) -> str:
        return "tcp://{}:{}".format(*self.address)

    def go(self) -> None:
        """Nobody can connect any more."""
        self._server.shutdown(socket.SHUT_RDWR)  # wakes who accepts, as close does not
        self._server.close()
        self._thread.join(PATIENCE)

    def wait(self, slips: int) -> list[bytes]:
        """Once there are so many."""
        until = time.monotonic() + PATIENCE
        while len(self.slips) < slips and time.monotonic() < until:
            time.sleep(0.01)
        return self.slips

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            self.goes_on.wait(PATIENCE)
            with connection:
                self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        slip = b""
        try:
            while data := connection.recv(1024):
                slip = self._answered(connection, slip + data)
                if self.dies_after is not None and len(slip) > self.dies_after:
                    break_off(connection)
                    break
        except OSError:
            pass
        if slip:
            self.slips.append(slip)
        else:
            self.looks += 1

    def _answered(self, connection: socket.socket, data: bytes) -> bytes:
        """What is left without the questions."""
        for question, answer in ((PAPER, self.paper), (ONLINE, self.online)):
            while question in data:
                data = data.replace(question, b"", 1)
                if self.speaks:
                    connection.sendall(bytes([answer]))
        return data


def break_off(connection: socket.socket) -> None:
    """A reset, as of a printer that loses its power."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
