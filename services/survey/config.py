"""What the survey can be told, beyond what every server with a Redis can."""

from dataclasses import dataclass

from services.chassis.config import setting
from services.redis_link.config import RedisConfig


@dataclass(frozen=True)
class SurveyConfig(RedisConfig):
    """The survey's settings; a mapped clock only in development."""

    address: str = setting("127.0.0.1:50053", "host:port or unix:/path of gRPC")
    max_message: int = setting(16 * 1024 * 1024, "bytes of a request or an answer", least=1024)
    queue: str = setting(
        "ipv4:127.0.0.1:50051",
        "gRPC target of the queue: dns:///queue:50051, ipv4:host:port,host:port or unix:/path",
    )
    key: str = setting(
        "", "file of the private key, PEM, of our INTERNAL token; empty: no answers by counter"
    )
    look: float = setting(30.0, "seconds between looks at the list of offices", least=0.01)
