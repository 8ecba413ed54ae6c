"""The agent as it runs on a kiosk: a process with a printer and origins."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.local.process import Process, Program

PATIENCE = 60.0  # seconds


class Agent:
    """A process; `port` is the one that it took."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.log = folder / "printer.log"
        environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environ |= {f"TUNGGU_{name.upper()}": value for name, value in settings.items()}
        argv = (sys.executable, "-P", "-m", "services.printer")
        program = Program("printer", argv, {"TUNGGU_PORT": "0"} | environ, lambda: "")
        self.process = Process(program, self.log)
        self.port = self._port()

    def _port(self) -> int:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.alive:
            for line in self.log.read_text().splitlines() if self.log.exists() else []:
                if '"serving"' in line:
                    return int(json.loads(line)["port"])
            time.sleep(0.05)
        raise AssertionError(self.process.last_lines())

    def kill(self) -> None:
        self.process.kill()


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Agent]:
    """Killed at the end at the latest."""
    agent = Agent(folder, **settings)
    try:
        yield agent
    finally:
        agent.kill()
