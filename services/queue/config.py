"""What the queue can be told, beyond what every server with a Redis can."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from services.chassis.config import setting
from services.redis_link.config import RedisConfig


@dataclass(frozen=True)
class QueueConfig(RedisConfig):
    """The queue's settings; a mapped clock and always open hours only in development."""

    hours: Literal["real", "always"] = setting("real", "the files' hours, or around the clock")
    tick: float = setting(1.0, "seconds between looks at the clock", least=0.01)

    USUAL: ClassVar = {"clock": "", "hours": "real"}

    @property
    def always_open(self) -> bool:
        return self.hours == "always"
