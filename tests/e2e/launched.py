"""A launcher as a user starts it, in a session of its own."""

import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from services.local import ports

LAST_LINE = "Ctrl-C stops everything"


class Launched:
    """`python -P -m <module>` in `folder`, with TUNGGU_ variables as given, once it is `ready`.

    `said` grows line by line: stdout and stderr together.
    """

    def __init__(self, module: str, folder: Path, settings: Mapping[str, str]) -> None:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("TUNGGU_")}
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            cwd=folder,
            env=environ | {f"TUNGGU_{name}": value for name, value in settings.items()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._news:
                self.said.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def until(self, part: str) -> None:
        """Until a line with `part`; AssertionError with all that was said if it ends before."""

        def over() -> bool:
            return any(part in line for line in self.said) or not self._reader.is_alive()

        with self._news:
            self._news.wait_for(over, 120)
        assert any(part in line for line in self.said), "\n".join(self.said)

    def pids(self) -> list[int]:
        """Of the processes that the greeting names."""
        return [int(pid) for pid in re.findall(r"pid (\d+)", "\n".join(self.said))]

    def children(self) -> list[int]:
        """Of the processes that it has started so far."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for task in tasks for pid in task.read_text().split()]

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> int:
        """As the terminal does: to the whole foreground group. The exit code."""
        os.killpg(self.process.pid, number)
        return self.ended()

    def ended(self) -> int:
        code = self.process.wait(240)
        self._reader.join(30)
        return code

    def close(self) -> None:
        """Whatever state it is in, it is gone afterwards, and its children with it."""
        self.process.kill()
        self.process.wait()
        self._reader.join(30)
        if self.process.stdout:
            self.process.stdout.close()


def free_port() -> int:
    return ports.choose([0])[0]


def take_number(http: httpx.Client, kecamatan: str, service: str) -> dict[str, Any]:
    """A ticket, as a client that may get no answer takes it: repeated with its id."""
    path, key = f"/v1/kecamatan/{kecamatan}/tickets", secrets.token_urlsafe(16)
    for _ in range(100):
        answer = http.post(path, json={"service": service}, headers={"Idempotency-Key": key})
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        time.sleep(0.1)
    return dict(answer.raise_for_status().json()["ticket"])
