"""Ctrl-C, SIGTERM and a closed terminal: the end while modules load, then one exception.

Imports next to nothing: it is there before what takes its time.
"""

import os
import signal
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Asked(KeyboardInterrupt):
    """The user wants the program to end. A KeyboardInterrupt, because asyncio lets that pass."""


def leave_when_asked(status: int) -> None:
    """Until `raise_when_asked` the first of the signals ends the process: nothing runs yet.

    An exception would come out of whatever is being imported.
    """

    def leave(_number: int, _frame: FrameType | None) -> None:
        os.write(1, b"\nStopped.\n")
        os._exit(status)

    for number in _SIGNALS:
        signal.signal(number, leave)


def raise_when_asked() -> None:
    """From now on the first of the signals raises Asked; later ones change nothing.

    What stops the program is itself limited in time, so that nobody need press twice.
    """
    for number in _SIGNALS:
        signal.signal(number, _ask)


def _ask(_number: int, _frame: FrameType | None) -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise Asked
