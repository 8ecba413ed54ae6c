"""What it runs on, and what a process has used of it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from services.local.redis_binary import redis_binary

_TICK = os.sysconf("SC_CLK_TCK")
_ROOT = Path(__file__).parents[2]


def cpu(pid: int) -> float:
    """Seconds of CPU that the process has had, all the threads that it has."""
    spent = [path.read_text().split()[0] for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(map(int, spent)) / 1e9 if spent else _ticks(pid)


def _ticks(pid: int) -> float:
    """The same where the kernel has no schedstat, to 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def memory(pid: int) -> float:
    """Its resident set, bytes."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0.0


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


class Used:
    """CPU seconds by name of process, since it was made."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._then = {name: cpu(pid) for name, pid in self._pids.items()}

    def seconds(self) -> dict[str, float]:
        return {name: cpu(pid) - self._then[name] for name, pid in self._pids.items()}


def described() -> dict[str, str]:
    """The machine, what else it was doing, the versions and the commit."""
    return {
        "machine": f"{os.cpu_count()} cores, {_cpu_model()}, Linux {platform.release()}",
        "load before": f"{os.getloadavg()[0]:.1f} processes at work",
        "versions": ", ".join(_versions()),
        "commit": _commit(),
    }


def _cpu_model() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _versions() -> Iterable[str]:
    yield f"Python {platform.python_version()}"
    yield "redis-server " + _said([str(redis_binary()), "--version"], r"v=(\S+)")
    for name in ("redis", "grpcio", "uvloop"):
        yield f"{name} {version(name)}"
    if nginx := nginx_binary():
        yield "nginx " + _said([nginx, "-v"], r"nginx/(\S+)")


def nginx_binary() -> str:
    """ "" without one."""
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin") or ""


def _said(command: list[str], pattern: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "unknown"


def _commit() -> str:
    """Of the tree that runs; `+` if it has changes."""
    head = _said(["git", "-C", str(_ROOT), "rev-parse", "--short", "HEAD"], r"^(\w+)$")
    dirty = ["git", "-C", str(_ROOT), "status", "--porcelain", "--untracked-files=no"]
    return head + ("+" if _said(dirty, r"(\S)") != "unknown" else "")
