"""What tests of several services share: a real Redis of their own."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.chassis import access
from services.local.redis_binary import redis_binary

CI = os.environ.get("CI") == "true"
KEEPING = ("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")


def missing(remedy: str) -> None:
    """What a test needs is not here: a skip on a person's machine, a failure in CI."""
    (pytest.fail if CI else pytest.skip)(remedy)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cases", type=int, default=0, help="so many made-up requests (make fuzz)")


@dataclass
class RedisServer:
    """A redis-server on a unix socket in its own folder; may be killed and started again."""

    binary: Path
    folder: Path
    settings: tuple[str, ...] = KEEPING
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self, *more: str) -> None:
        """Returns once it answers; `more` are settings of this start only."""
        command = [self.binary, "--port", "0", "--unixsocket", self.socket, "--dir", self.folder]
        command += ["--save", "", "--logfile", self.folder / "redis.log", *self.settings, *more]
        self.process = subprocess.Popen(list(map(str, command)))
        deadline = time.monotonic() + 10
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "redis.log").read_text()
            assert time.monotonic() < deadline, "redis-server did not come up"
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(self.socket))
            except OSError:
                return False
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")

    def kill(self) -> None:
        """kill -9."""
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None


def start_redis(folder: Path, *settings: str) -> RedisServer:
    """A server of this test's own; the caller kills it."""
    try:
        binary = redis_binary()
    except FileNotFoundError as error:
        missing(str(error))
    server = RedisServer(binary, folder, settings or KEEPING)
    server.start()
    return server


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for the whole session: each test takes keys or a kecamatan of its own."""
    server = start_redis(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server for one test, which may kill, break and restart it."""
    server = start_redis(tmp_path)
    yield server
    server.kill()


@pytest.fixture(autouse=True)
def nobody_calls() -> None:
    """No test inherits the caller that another has set."""
    access.CALLER.set(access.ANYONE)
