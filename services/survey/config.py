"""What the survey can be told, beyond what every server can."""

from dataclasses import dataclass

from services.chassis.config import ConfigError, ServerConfig, setting
from services.survey.request import Clock


@dataclass(frozen=True)
class SurveyConfig(ServerConfig):
    """The survey's settings; a mapped clock only in development."""

    address: str = setting("127.0.0.1:50053", "host:port or unix:/path of gRPC")
    max_message: int = setting(16 * 1024 * 1024, "bytes of a request or an answer", least=1024)
    redis_url: str = setting("redis://127.0.0.1:6379/0", "redis://, rediss:// or unix:// address")
    queue: str = setting(
        "ipv4:127.0.0.1:50051",
        "gRPC target of the queue: dns:///queue:50051, ipv4:host:port,host:port or unix:/path",
    )
    key: str = setting(
        "", "file of the private key, PEM, of our INTERNAL token; empty: no answers by counter"
    )
    clock: str = setting("", "the queue's TUNGGU_CLOCK; empty = real time")
    look: float = setting(30.0, "seconds between looks at the list of offices", least=0.01)

    def __post_init__(self) -> None:
        if self.clock and self.env != "development":
            raise ConfigError("configuration: TUNGGU_CLOCK is for TUNGGU_ENV=development only")

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
