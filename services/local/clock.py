"""Mapped time: a day in minutes."""

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Domain time = `start_ms` + (real time - `epoch_ms`) * `speed`; ms since 1970, UTC.

    The queue maps Redis' time like this; on one machine it is also ours.
    """

    epoch_ms: int
    start_ms: int
    speed: float

    def now_ms(self) -> float:
        return self.start_ms + (time.time() * 1000 - self.epoch_ms) * self.speed

    def real_seconds_until(self, domain_ms: float) -> float:
        """How long to sleep until that domain time; negative once it has passed."""
        return (domain_ms - self.now_ms()) / self.speed / 1000

    def text(self) -> str:
        """As TUNGGU_CLOCK and the data folder carry it."""
        return f"{self.epoch_ms},{self.start_ms},{self.speed:g}"


def parse(text: str) -> Clock:
    """Reads what `Clock.text` wrote. ValueError for anything else."""
    epoch, start, speed = text.split(",")
    return Clock(int(epoch), int(start), float(speed))


def from_now(speed: float) -> Clock:
    """A clock that is right at this moment and then runs `speed` times as fast."""
    now = time.time_ns() // 1_000_000
    return Clock(now, now, speed)
