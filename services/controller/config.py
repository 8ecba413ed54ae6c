"""What the controller can be told."""

from dataclasses import dataclass

from services.chassis.config import ProcessConfig, ServerConfig, setting


@dataclass(frozen=True)
class ControllerConfig(ProcessConfig):
    """Environment TUNGGU_<FIELD>."""

    queue: str = setting(
        "ipv4:127.0.0.1:50051", "gRPC target of the queue: dns:///queue:50051 or ipv4:host:port"
    )
    survey: str = setting("ipv4:127.0.0.1:50053", "gRPC target of the survey, likewise")
    key: str = setting("", "file of the private key, PEM, of our ADMIN token")
    issuer: str = setting(ServerConfig.issuer, "`iss` of our token")
    audience: str = setting(ServerConfig.audience, "`aud` of our token")
    namespace: str = setting("tunggu", "where the resources are")
    interval: float = setting(30.0, "seconds between two looks at each resource", least=0.05)
    liveness: str = setting("", "http://host:port/path that says that we live; empty: none")
