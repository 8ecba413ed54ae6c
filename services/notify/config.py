"""What notify can be told, beyond what its channels can."""

from dataclasses import dataclass

from services.chassis.config import ConfigError, setting
from services.notify.channels_config import ChannelsConfig


@dataclass(frozen=True)
class NotifyConfig(ChannelsConfig):
    """Notify's settings; a mapped clock only in development."""

    address: str = setting("127.0.0.1:50052", "host:port or unix:/path of gRPC")
    queue: str = setting(
        "ipv4:127.0.0.1:50051",
        "gRPC target of the queue: dns:///queue:50051, ipv4:host:port,host:port or unix:/path",
    )
    key: str = setting("", "file of the private key, PEM, of our INTERNAL token; empty: none")
    look: float = setting(30.0, "seconds between looks at the list of offices", least=0.01)
    site: str = setting("", "address of the citizens' pages, https://…; empty: links are paths")
    at_once: int = setting(64, "deliveries under way in this process", least=1)
    at_once_host: int = setting(16, "deliveries under way to one host", least=1)
    send_timeout: float = setting(8.0, "seconds that one attempt may take", least=0.05)
    takeover: float = setting(20.0, "seconds until a silent replica's deliveries are taken over")
    attempts: int = setting(8, "attempts before a delivery is given up", least=1)
    backoff: float = setting(1.0, "seconds before the second attempt, then doubled", least=0.01)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.takeover < 2 * self.send_timeout:
            raise ConfigError(
                "configuration: TUNGGU_TAKEOVER must be at least twice TUNGGU_SEND_TIMEOUT"
            )
