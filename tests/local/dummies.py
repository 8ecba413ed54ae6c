"""Processes that stand for services: they come up, and behave as told."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from services.local.process import Program

_SLEEPER = """
import pathlib, signal, sys, time
up, orders = pathlib.Path(sys.argv[1]), sys.argv[2]
def ended(*_):
    with up.with_name("ended").open("a") as file:
        file.write(up.name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if orders == "stubborn" else ended)
print(f"{up.name} is up", flush=True)
up.touch()
time.sleep(600)
"""


def sleeper(folder: Path, name: str, orders: str = "", grace: float = 10.0) -> Program:
    """Ready once it has written its file; ends at SIGTERM, unless `stubborn`, noting that."""
    up = folder / name
    argv = (sys.executable, "-c", _SLEEPER, str(up), orders)
    return Program(name, argv, dict(os.environ), lambda: _there(up), grace=grace)


def _there(path: Path) -> str:
    return "" if path.exists() else f"no {path.name} yet"


def mortal(name: str, code: str = "print('oh no'); raise SystemExit(3)") -> Program:
    """Runs `code`; counts as ready at once."""
    return Program(name, (sys.executable, "-c", code), dict(os.environ), lambda: "")


def eventually(condition: Callable[[], object], seconds: float = 30.0) -> bool:
    """Whether the condition becomes true; how soon does not matter."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
