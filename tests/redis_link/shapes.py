"""Several real redis-servers: a primary with replicas and Sentinels, or a cluster."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from services.local.redis_binary import redis_binary
from tests.conftest import KEEPING
from tests.e2e.processes import free_ports

NAME = "tunggu"
DOWN_MS = 3000
PATIENCE = 40.0
BUSES = range(15_000, 22_000)
"""Ports of a cluster's nodes: 10,000 above them is each one's bus."""


@dataclass
class Node:
    """One redis-server on a port of 127.0.0.1; may be killed, paused and started again."""

    port: int
    folder: Path
    settings: Sequence[str]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        command = [str(redis_binary()), *self.settings]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        until(self._answers)

    def _answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, (self.folder / "log").read_text()
        return bool(self.client.ping())

    @cached_property
    def client(self) -> Any:
        """To look and to break things."""
        return Redis(port=self.port, socket_timeout=2, protocol=2, retry=Retry(NoBackoff(), 0))

    def kill(self) -> None:
        """kill -9."""
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None
        self.client.close()

    def pause(self) -> None:
        assert self.process
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process
        os.kill(self.process.pid, signal.SIGCONT)

    @property
    def role(self) -> str:
        return str(self.client.info("replication")["role"])


def until(holds: Callable[[], bool]) -> None:
    """Waits for it, a refusal being a no."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(RedisError, OSError):
            if holds():
                return
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.05)


def keeping(port: int, *more: str) -> list[str]:
    listening = ("--port", str(port), "--bind", "127.0.0.1", "--save", "")
    return [*listening, *KEEPING, *more]


@dataclass
class Replicated:
    """`servers`, of which the first was the primary at first, and Sentinels if there are any."""

    servers: list[Node]
    sentinels: list[Node]

    @property
    def url(self) -> str:
        if not self.sentinels:
            return f"redis://127.0.0.1:{self.servers[0].port}"
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{NAME}"

    @property
    def primary(self) -> Node:
        """As the first Sentinel says."""
        _, port = self.sentinels[0].client.sentinel_get_master_addr_by_name(NAME)
        return next(server for server in self.servers if server.port == port)

    def in_step(self) -> None:
        """Returns when two replicas follow the primary and every Sentinel knows it."""
        primary = self.primary if self.sentinels else self.servers[0]
        others = len(self.servers) - 1

        until(partial(_has_good_replicas, primary, others))
        for sentinel in self.sentinels:
            until(partial(self._knows, sentinel, primary))

    def _knows(self, sentinel: Node, primary: Node) -> bool:
        state = sentinel.client.sentinel_master(NAME)
        rest = state["num-other-sentinels"], state["num-slaves"], state["flags"]
        wanted = len(self.sentinels) - 1, len(self.servers) - 1, "master"
        return bool(state["port"] == primary.port and rest == wanted)


@contextlib.contextmanager
def replicated(folder: Path, *, replicas: int = 2, sentinels: int = 0) -> Iterator[Replicated]:
    ports = free_ports(1 + replicas + sentinels)
    first = ports[0]
    servers = []
    for i, port in enumerate(ports[: 1 + replicas]):
        more = ["--min-replicas-to-write", "1", "--repl-diskless-sync", "yes"]
        more += ["--repl-diskless-sync-delay", "0"]
        more += ["--replicaof", "127.0.0.1", str(first)] if i else []
        servers.append(Node(port, folder / f"redis-{i + 1}", keeping(port, *more)))
    watching = [
        _sentinel(folder / f"sentinel-{i + 1}", port, first, 2)
        for i, port in enumerate(ports[1 + replicas :])
    ]
    shape = Replicated(servers, watching)
    with _running([*servers, *watching]):
        shape.in_step()
        yield shape


def _sentinel(folder: Path, port: int, primary: int, quorum: int) -> Node:
    folder.mkdir()
    lines = [
        f"port {port}",
        "bind 127.0.0.1",
        f"sentinel monitor {NAME} 127.0.0.1 {primary} {quorum}",
        f"sentinel down-after-milliseconds {NAME} {DOWN_MS}",
        f"sentinel failover-timeout {NAME} 20000",
        f"sentinel parallel-syncs {NAME} 1",
    ]
    (folder / "sentinel.conf").write_text("\n".join(lines) + "\n")
    return Node(port, folder, [str(folder / "sentinel.conf"), "--sentinel"])


@dataclass
class Cluster:
    """Three nodes with a third of the slots each; after them replicas, if any."""

    nodes: list[Node]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:2])

    def owner(self, slot: int, seen_by: Node | None = None) -> Node:
        asked = seen_by or self.nodes[0]
        for first, last, primary, *_ in asked.client.execute_command("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == primary[1])
        raise LookupError(slot)

    def whole(self) -> None:
        """Returns when every node says that the cluster works."""
        for node in self.nodes:
            until(partial(_is_whole, node, len(self.nodes)))


@contextlib.contextmanager
def cluster(folder: Path, *, follows: Sequence[int] = ()) -> Iterator[Cluster]:
    """`follows` has the number of its primary for each replica."""
    nodes = []
    for i, port in enumerate(free_ports(3 + len(follows), BUSES)):
        more = ["--cluster-enabled", "yes", "--cluster-node-timeout", str(DOWN_MS)]
        if follows:
            more += ["--min-replicas-to-write", "1", "--repl-diskless-sync-delay", "0"]
        nodes.append(Node(port, folder / f"node-{i + 1}", keeping(port, *more)))
    with _running(nodes):
        # As redis-cli --cluster create does it: nodes that start with the same epoch settle that
        # among themselves later, and a replica that has not heard of it is voted for by nobody.
        for epoch, node in enumerate(nodes, 1):
            node.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", epoch)
        bounds = [0, 5461, 10923, 16384]
        for node, first, after in zip(nodes, bounds, bounds[1:], strict=False):
            node.client.execute_command("CLUSTER", "ADDSLOTS", *range(first, after))
        for node in nodes[1:]:
            nodes[0].client.execute_command("CLUSTER", "MEET", "127.0.0.1", node.port)
        shape = Cluster(nodes)
        shape.whole()
        for node, number in zip(nodes[3:], follows, strict=True):
            id = nodes[number].client.execute_command("CLUSTER", "MYID")
            until(partial(node.client.execute_command, "CLUSTER", "REPLICATE", id))
        for number in set(follows):
            until(partial(_has_good_replicas, nodes[number], follows.count(number)))
        yield shape


def _has_good_replicas(node: Node, count: int) -> bool:
    """Those without which it takes no write."""
    found = node.client.info("replication")
    states = [found.get(f"slave{i}", {}).get("state") for i in range(count)]
    good = found.get("min_slaves_good_slaves", 0) >= count
    return found["role"] == "master" and states == ["online"] * count and good


def _is_whole(node: Node, known: int) -> bool:
    said = node.client.execute_command("CLUSTER", "INFO").decode().split()
    return {"cluster_state:ok", f"cluster_known_nodes:{known}"} <= set(said)


@contextlib.contextmanager
def _running(nodes: Sequence[Node]) -> Iterator[None]:
    try:
        for node in nodes:
            node.start()
        yield
    finally:
        for node in nodes:
            node.kill()
