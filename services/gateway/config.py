"""What the gateway can be told."""

from dataclasses import dataclass

from services.chassis.config import ProcessConfig, setting


@dataclass(frozen=True)
class GatewayConfig(ProcessConfig):
    """Environment TUNGGU_<FIELD>."""

    host: str = setting("127.0.0.1", "address of HTTP")
    port: int = setting(8080, "port of HTTP, 0 = any", least=0)
    queue: str = setting(
        "ipv4:127.0.0.1:50051",
        "gRPC target of the queue: dns:///queue:50051, ipv4:host:port,host:port or unix:/path",
    )
    origins: tuple[str, ...] = setting(
        (), "origins of other sites whose pages may call, comma-separated; * = all"
    )
    batch_size: int = setting(128, "requests for numbers in a batch, at most 256", least=1)
    batches: int = setting(2, "batches on their way", least=1)
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
