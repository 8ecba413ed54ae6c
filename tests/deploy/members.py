"""The members of redis-ha as local processes: its own scripts, an address of 127/8 for each pod."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.local.redis_binary import redis_binary
from tests.deploy.rendered import K8S
from tests.e2e.processes import free_ports

SCRIPTS = K8S / "components" / "redis-ha"
SERVERS = tuple(f"127.0.101.{n}" for n in (1, 2, 3))
SENTINELS = tuple(f"127.0.102.{n}" for n in (1, 2, 3))
PASSWORD = "secret-of-a-test"


@dataclass
class Member:
    """A pod: its script, its address, its disk."""

    host: str
    port: int
    script: str
    folder: Path
    settings: dict[str, str]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        ours = {"HOST": self.host, "DOMAIN": "", "PORT": str(self.port), "PAUSE": "0.2"}
        environ = os.environ | ours | self.settings | {"DATA": str(self.folder / "data")}
        environ["PATH"] = f"{redis_binary().parent}:{os.environ['PATH']}"
        with (self.folder / "log").open("ab") as log:
            command = ["sh", str(SCRIPTS / self.script)]
            self.process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)

    def kill(self) -> None:
        """kill -9."""
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None
        self.client.close()

    @cached_property
    def client(self) -> Any:
        password = PASSWORD if self.script == "start-redis.sh" else None
        return Redis(
            self.host, self.port, password=password, socket_timeout=2, protocol=2,
            retry=Retry(NoBackoff(), 0),
        )  # fmt: skip

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


@dataclass
class Members:
    servers: list[Member]
    sentinels: list[Member]

    @property
    def all(self) -> list[Member]:
        return [*self.sentinels, *self.servers]

    def named(self) -> Member:
        """The primary, as all Sentinels say; OSError while they differ."""
        said = set()
        for sentinel in self.sentinels:
            host, _ = sentinel.client.sentinel_get_master_addr_by_name("tunggu")
            said.add(host.decode() if isinstance(host, bytes) else host)
        for server in self.servers:
            if said == {server.host}:
                return server
        raise OSError(f"they differ: {said}")

    def whole(self) -> bool:
        """Whether the primary that all name has two replicas in step, and all know of all."""
        found = self.named().client.info("replication")
        states = [found.get(f"slave{i}", {}).get("state") for i in range(2)]
        served = found["role"] == "master" and states == ["online", "online"]
        return bool(served and all(map(_knows_all, self.sentinels)))


def _knows_all(sentinel: Member) -> bool:
    state = sentinel.client.sentinel_master("tunggu")
    found = state["num-other-sentinels"], state["num-slaves"], state["flags"]
    return bool(found == (2, 2, "master"))


@contextmanager
def members(folder: Path) -> Iterator[Members]:
    """Nothing is started yet; whatever runs at the end is killed."""
    port, sentinel_port = free_ports(2)
    (folder / "password").write_text(PASSWORD)
    shape = Members(
        [_server(folder, host, port, sentinel_port) for host in SERVERS],
        [_sentinel(folder, host, sentinel_port, port) for host in SENTINELS],
    )
    try:
        yield shape
    finally:
        for member in shape.all:
            member.kill()


def _server(folder: Path, host: str, port: int, sentinel_port: int) -> Member:
    """With the component's own redis.conf, but for what names a pod's paths."""
    here = folder / host
    here.mkdir()
    (here / "auth.conf").write_text(f"requirepass {PASSWORD}\nmasterauth {PASSWORD}\n")
    text = (SCRIPTS / "redis.conf").read_text()
    text = text.replace("/etc/redis/auth/auth.conf", str(here / "auth.conf"))
    (here / "redis.conf").write_text(f"{text}\nbind {host}\n".replace("dir /data\n", ""))
    settings = {
        "CONF": str(here / "redis.conf"),
        "FIRST": SERVERS[0],
        "SENTINELS": " ".join(SENTINELS),
        "SENTINEL_PORT": str(sentinel_port),
    }
    return Member(host, port, "start-redis.sh", here, settings)


def _sentinel(folder: Path, host: str, port: int, primary_port: int) -> Member:
    here = folder / host
    here.mkdir()
    settings = {
        "BIND": host,
        "PRIMARY": SERVERS[0],
        "PRIMARY_PORT": str(primary_port),
        "AUTH": str(folder / "password"),
        "DOWN_AFTER_MS": "1500",
    }
    return Member(host, port, "start-sentinel.sh", here, settings)
