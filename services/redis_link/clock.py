"""Domain time: what a script is told to make of Redis' TIME."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Clock:
    """Domain time: start + (now - epoch) · speed, ms UTC. Identity without a mapping.

    Services that are given the same text agree on how long ago something was.
    """

    epoch: int = 0
    start: int = 0
    speed: float = 1.0
    mapped: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Of "epoch,start,speed"; empty is real time. ValueError: not three numbers, or a speed
        that runs back."""
        if not text:
            return cls()
        epoch, start, speed = text.split(",")
        clock = cls(int(epoch), int(start), float(speed), mapped=True)
        if not 0 <= clock.speed <= 1e6:
            raise ValueError("the speed is not between 0 and 1e6")
        return clock

    @property
    def text(self) -> str:
        return f"{self.epoch},{self.start},{self.speed!r}" if self.mapped else ""

    def read(self, now: int) -> int:
        return self.start + int((now - self.epoch) * self.speed) if self.mapped else now
