"""What the gateway can be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.chassis.config import ConfigError, ProcessConfig, load, setting

MOST_IN_BATCH = 256  # what the queue takes
MOST_PORT = 65535


@dataclass(frozen=True)
class GatewayConfig(ProcessConfig):
    """Environment TUNGGU_<FIELD>."""

    host: str = setting("127.0.0.1", "address of HTTP")
    port: int = setting(8080, "port of HTTP, 0 = any", least=0)
    queue: str = setting(
        "ipv4:127.0.0.1:50051",
        "gRPC target of the queue: dns:///queue:50051, ipv4:host:port,host:port or unix:/path",
    )
    survey: str = setting("ipv4:127.0.0.1:50053", "gRPC target of the survey, likewise")
    notify: str = setting("ipv4:127.0.0.1:50052", "gRPC target of notify, likewise")
    origins: tuple[str, ...] = setting(
        (), "origins of other sites whose pages may call, comma-separated; * = all"
    )
    batch_size: int = setting(128, "requests for numbers in a batch, at most 256", least=1)
    batches: int = setting(2, "batches on their way", least=1)
    limits: Literal["on", "off"] = setting(
        "on", "off lifts the bound on gathered requests; in development only"
    )
    batch_waiting: int = setting(4096, "requests for numbers gathered and not sent", least=1)
    deadline: float = setting(
        5.0, "seconds for a request for a number, waiting included", least=0.1
    )
    backlog: int = setting(
        64 * 1024, "bytes unsent before a stream's client is dropped", least=1024
    )
    heartbeat: float = setting(15.0, "seconds between heartbeats of a stream", least=0.01)
    stale: float = setting(5.0, "seconds without the queue until watchers are told", least=0)
    linger: float = setting(5.0, "seconds from a board's last watcher to its end", least=0)
    drain_delay: float = setting(0.0, "seconds from unready to the end of streams", least=0)
    grace: float = setting(10.0, "seconds that running requests may still take at the end", least=0)

    @property
    def most_waiting(self) -> int:
        """The bound that holds; at any rate one."""
        return self.batch_waiting if self.limits == "on" else 2**31


def read(environ: Mapping[str, str]) -> GatewayConfig:
    """ConfigError: one line with all that is wrong."""
    config = load(GatewayConfig, environ)
    if config.limits == "off" and config.env != "development":
        raise ConfigError("configuration: TUNGGU_LIMITS=off needs TUNGGU_ENV=development")
    if config.batch_size > MOST_IN_BATCH:
        raise ConfigError(f"configuration: TUNGGU_BATCH_SIZE must be at most {MOST_IN_BATCH}")
    if config.port > MOST_PORT:
        raise ConfigError(f"configuration: TUNGGU_PORT must be at most {MOST_PORT}")
    return config
