"""What the queue can be told, beyond what every server can."""

from dataclasses import dataclass
from typing import Literal

from services.chassis.config import ConfigError, ServerConfig, setting
from services.queue.request import Clock


@dataclass(frozen=True)
class QueueConfig(ServerConfig):
    """The queue's settings; a mapped clock and always open hours only in development."""

    redis_url: str = setting("redis://127.0.0.1:6379/0", "redis://, rediss:// or unix:// address")
    hours: Literal["real", "always"] = setting("real", "the files' hours, or around the clock")
    clock: str = setting("", "epoch,start,speed: ms UTC, ms UTC, factor; empty = real time")
    tick: float = setting(1.0, "seconds between looks at the clock", least=0.01)

    def __post_init__(self) -> None:
        odd = [name for name in ("clock", "hours") if getattr(self, name) not in ("", "real")]
        if odd and self.env != "development":
            names = " and ".join(f"TUNGGU_{name.upper()}" for name in odd)
            raise ConfigError(f"configuration: {names} is for TUNGGU_ENV=development only")

    @property
    def always_open(self) -> bool:
        return self.hours == "always"

    def domain_clock(self) -> Clock:
        """ConfigError unless `clock` is empty or three numbers, the speed not negative."""
        if not self.clock:
            return Clock()
        try:
            epoch, start, speed = self.clock.split(",")
            clock = Clock(int(epoch), int(start), float(speed), mapped=True)
            if not 0 <= clock.speed <= 1e6:
                raise ValueError
        except ValueError:
            raise ConfigError(
                f"configuration: TUNGGU_CLOCK must be epoch,start,speed, not {self.clock!r}"
            ) from None
        return clock
