"""One child process: its log, its signals, what it said last."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_LEASH = Path(__file__).with_name("leash.py")
_LOG_LIMIT = 4_000_000  # bytes a log may have when its process starts
_LAST = 10  # lines of a log that the user is shown
_LOG_KEPT = 400_000  # bytes of it that stay when it had more


@dataclass(frozen=True)
class Program:
    """What to run, and how to know that it works.

    `ready` is polled after each start: "" or what is missing.
    `patience` and `grace` are seconds: until ready, and from SIGTERM to SIGKILL.
    """

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    ready: Callable[[], str]
    patience: float = 60.0
    grace: float = 20.0


class Process:
    """A program that has been started. Its output goes to the end of `log`."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.log = log
        self.started = time.monotonic()
        _shorten(log)
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), *program.argv],
                env=dict(program.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own, so that Ctrl-C reaches the launcher alone and the
                # order of stopping is the launcher's; the same session, so that it
                # ends with the terminal's.
                process_group=0,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    @property
    def lived(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self.started

    def terminate(self) -> None:
        """Asks it to stop; returns at once."""
        if self.alive:
            self._child.terminate()

    def kill(self) -> None:
        """Ends it as a power cut would; returns when it is gone."""
        self._child.kill()
        self._child.wait()

    def wait(self, seconds: float) -> bool:
        """Whether it is gone within `seconds`."""
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def ending(self) -> str:
        """How it ended: `exited with 1`, `was killed by SIGKILL`."""
        code = self._child.poll()
        if code is None:
            return "is running"
        if code >= 0:
            return f"exited with {code}"
        return f"was killed by {signal.Signals(-code).name}"

    def last_lines(self) -> str:
        """The end of its log, indented; with the log's name."""
        lines = self.log.read_text(errors="replace").splitlines()[-_LAST:]
        return "".join(f"\n    {line}" for line in lines) + f"\n    (more in {self.log})"


def _shorten(log: Path) -> None:
    if not log.exists() or log.stat().st_size <= _LOG_LIMIT:
        return
    with log.open("rb+") as file:
        file.seek(-_LOG_KEPT, os.SEEK_END)
        end = file.read().partition(b"\n")[2]
        file.seek(0)
        file.truncate()
        file.write(end)
