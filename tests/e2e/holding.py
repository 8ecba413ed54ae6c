"""A process that holds connections open and asks nothing more: `holding.py PORT COUNT`.

Every second one has made a request before. It says `held` and how many, and lets go of them when
its input ends. They come from several addresses of the loopback, so that ports suffice.
"""

import contextlib
import resource
import socket
import sys

ADDRESSES = 16
GET = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"


def opened(port: int, number: int) -> socket.socket:
    connection = socket.socket()
    connection.settimeout(60)
    connection.bind((f"127.0.0.{2 + number % ADDRESSES}", 0))
    connection.connect(("127.0.0.1", port))
    if number % 2:
        connection.sendall(GET)
    return connection


def main(port: int, count: int) -> None:
    need = count + 64
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))
    held = []
    with contextlib.suppress(OSError):
        held += [opened(port, number) for number in range(count)]
    print("held", len(held), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
