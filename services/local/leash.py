"""Runs a command that dies with its launcher, even one that is killed with -9.

    python -I -S leash.py <launcher's pid> <command> [argument ...]

Linux kills a process with PR_SET_PDEATHSIG when the *thread* that started it
ends, so a launcher starts its children from a thread that lives as long as it
does (`crew`). The setting survives exec, and the process keeps its pid. Asked
for here rather than in a preexec function, because Python code between fork
and exec may deadlock in a launcher that has threads. Elsewhere than on Linux
the command runs without a leash.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    launcher, command = int(argv[1]), argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != launcher:  # it died before the leash was on
            raise SystemExit(1)
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv)
