"""Processes that belong together: started in order, restarted, stopped in reverse.

Knows nothing of what the processes do.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from services.local.errors import LocalError
from services.local.process import Process, Program

QUICK = 10.0  # seconds; a process that dies younger has died quickly
QUICK_DEATHS = 5  # in a row, before its crew gives up
_POLL = 0.05  # seconds between two looks at a starting process
_LOOK = 0.2  # seconds between two looks at running ones


def restart_after(quick_deaths: int) -> float:
    """Seconds to wait before the restart that follows this many quick deaths in a row."""
    return 0.2 * 2.0 ** max(0, quick_deaths - 1)


class Member:
    """A program's place in the crew, kept across its restarts."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: Process | None = None
        self.quick_deaths = 0
        self.due: float | None = None  # monotonic time of a pending restart
        self.resting = False  # dead on purpose: not to be restarted

    def mourn(self, process: Process) -> None:
        """Counts a death and says when to restart; `due` stays None when it is one too many."""
        self.quick_deaths = self.quick_deaths + 1 if process.lived < QUICK else 1
        if self.quick_deaths < QUICK_DEATHS:
            self.due = time.monotonic() + restart_after(self.quick_deaths)


class Crew:
    """Runs `stages` of programs, each stage ready before the next begins.

    `supervise` restarts what dies; without it the dead stay dead until `restart`.
    `say` gets lines for the user. Safe to call from several threads.
    """

    def __init__(
        self,
        stages: Sequence[Sequence[Program]],
        logs: Path,
        say: Callable[[str], None],
        *,
        supervise: bool = True,
    ) -> None:
        self._stages = [[Member(program) for program in stage] for stage in stages]
        self._members = {m.program.name: m for stage in self._stages for m in stage}
        self._logs = logs
        self._say = say
        self._supervise = supervise
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._failure = ""
        # Children die with the thread that started them (see `leash`): this one
        # lives until `stop`.
        self._spawner = ThreadPoolExecutor(1, "spawner")
        self._watch = threading.Thread(target=self._supervise_all, name="supervisor", daemon=True)

    def start(self) -> None:
        """Returns when all are ready. LocalError, with nothing left running, if one is not."""
        try:
            for stage in self._stages:
                self._bring_up(stage)
        except BaseException:
            self.stop()
            raise
        if self._supervise:
            self._watch.start()

    def stop(self) -> None:
        """Ends all, the last stage first. Those that do not end in time are killed."""
        self._ended.set()
        if self._watch.is_alive():
            self._watch.join()
        for stage in reversed(self._stages):
            self._stop_stage(stage)
        self._spawner.shutdown()

    def wait(self, seconds: float | None = None) -> str:
        """Until the crew has given up on a member, or `seconds`; why it gave up, else ""."""
        self._ended.wait(seconds)
        return self._failure

    def pids(self) -> dict[str, int]:
        """Those that are alive, by name."""
        with self._lock:
            return {
                name: member.process.pid
                for name, member in self._members.items()
                if member.process and member.process.alive
            }

    def kill(self, name: str) -> None:
        """kill -9. With supervision it comes back by itself; no death by `kill` is counted."""
        with self._lock:
            member = self._members[name]
            member.quick_deaths = 0
            if member.process:
                member.process.kill()

    def kill_all(self) -> None:
        """kill -9 of everything, as in a power cut; nothing comes back before a restart."""
        with self._lock:
            for member in self._members.values():
                member.resting = True
                if member.process:
                    member.process.kill()

    def restart(self, name: str) -> None:
        """Kills it if it is alive, starts it again, returns when it is ready."""
        with self._lock:
            member = self._members[name]
            if member.process:
                member.process.kill()
            self._bring_up([member])

    def restart_all(self) -> None:
        """As `restart` of each, in the order of the stages, after all are dead."""
        with self._lock:
            self.kill_all()
            for stage in self._stages:
                self._bring_up(stage)

    def _bring_up(self, stage: Sequence[Member]) -> None:
        for process in [self._spawn(member) for member in stage]:
            self._await_ready(process)

    def _spawn(self, member: Member) -> Process:
        log = self._logs / f"{member.program.name}.log"
        process = self._spawner.submit(Process, member.program, log).result()
        member.process, member.due, member.resting = process, None, False
        return process

    def _await_ready(self, process: Process) -> None:
        program = process.program
        while missing := program.ready():
            if not process.alive:
                raise LocalError(f"{program.name} {process.ending()}:{process.last_lines()}")
            if process.lived > program.patience:
                raise LocalError(
                    f"{program.name} was not ready after {program.patience:.0f} s: {missing}"
                    f"{process.last_lines()}"
                )
            time.sleep(_POLL)

    def _supervise_all(self) -> None:
        while not self._ended.wait(_LOOK):
            with self._lock:
                for member in self._members.values():
                    self._look_after(member)

    def _look_after(self, member: Member) -> None:
        process = member.process
        if process is None or process.alive or member.resting:
            return
        if member.due is None:
            self._bury(member, process)
        elif time.monotonic() >= member.due:
            self._spawn(member)

    def _bury(self, member: Member, process: Process) -> None:
        member.mourn(process)
        name = member.program.name
        if member.due is None:
            member.resting = True
            self._failure = (
                f"{name} died {QUICK_DEATHS} times in a row; at last it {process.ending()}:"
                f"{process.last_lines()}"
            )
            self._ended.set()
        else:
            self._say(f"{name} {process.ending()}; restarting it.")

    def _stop_stage(self, stage: list[Member]) -> None:
        processes = [member.process for member in stage if member.process]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + max((p.program.grace for p in processes), default=0)
        for process in processes:
            if not process.wait(max(0.0, deadline - time.monotonic())):
                self._say(f"{process.program.name} did not stop in time: killing it")
                process.kill()
