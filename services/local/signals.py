"""Ctrl-C, SIGTERM and a closed terminal, as one exception in the main thread."""

import signal
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Asked(KeyboardInterrupt):
    """The user wants the program to end. A KeyboardInterrupt, because asyncio lets that pass."""


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
