"""What a server that keeps its data in Redis can be told, beyond what every server can."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from services.chassis.config import ConfigError, ServerConfig, secret, setting
from services.redis_link.clock import Clock
from services.redis_link.link import Link, redis_connection


@dataclass(frozen=True)
class RedisConfig(ServerConfig):
    """Where Redis is and what time it is; a mapped clock only in development."""

    redis_url: str = setting(
        "redis://127.0.0.1:6379/0",
        "redis://, rediss://, unix://, redis+sentinel://host,host/NAME or redis+cluster://host,host",
    )
    redis_password: str = secret("password of Redis, instead of one in the URL", default="")
    sentinel_password: str = secret("password of the Sentinels", default="")
    redis_replicas: int = setting(
        0, "replicas that have what is acknowledged, 0 = the primary is enough", least=0
    )
    clock: str = setting("", "epoch,start,speed: ms UTC, ms UTC, factor; empty = real time")

    USUAL: ClassVar[Mapping[str, str]] = {"clock": ""}
    """Settings that may differ from this in development only."""

    def __post_init__(self) -> None:
        odd = sorted(name for name, usual in self.USUAL.items() if getattr(self, name) != usual)
        if odd and self.env != "development":
            names = " and ".join(f"TUNGGU_{name.upper()}" for name in odd)
            raise ConfigError(f"configuration: {names} is for TUNGGU_ENV=development only")

    def redis(self) -> Link:
        """ConfigError: the address. Nothing connects yet."""
        try:
            return redis_connection(
                self.redis_url,
                replicas=self.redis_replicas,
                password=self.redis_password,
                sentinel_password=self.sentinel_password,
            )
        except (OSError, ValueError) as error:
            raise ConfigError(f"configuration: TUNGGU_REDIS_URL: {error}") from None

    def domain_clock(self) -> Clock:
        """ConfigError unless `clock` is empty or three numbers, the speed not negative."""
        try:
            return Clock.parse(self.clock)
        except ValueError:
            raise ConfigError(
                f"configuration: TUNGGU_CLOCK must be epoch,start,speed, not {self.clock!r}"
            ) from None
