"""What the gateway can be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.chassis.config import ConfigError, ProcessConfig, ServerConfig, load, setting
from services.gateway.addresses import Addresses
from services.gateway.admission import Limit
from services.gateway.limits import Rate

MOST_IN_BATCH = 256  # what the queue takes
MOST_PORT = 65535
MOST_RATE = 10**9
RATES = {
    Limit.REQUESTS: "requests",
    Limit.TAKES: "takes",
    Limit.STREAMS: "openings",
    Limit.GUESSES: "guesses",
    Limit.HOLDERS: "holder_takes",
    Limit.STAFF: "staff_requests",
}


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
        "on", "off lifts all that is counted: requests, streams, gathered; in development only"
    )
    requests: tuple[str, ...] = setting(
        ("400", "8000"), "requests of an address: a second, at once"
    )
    takes: tuple[str, ...] = setting(("50", "2000"), "numbers asked for by an address, likewise")
    openings: tuple[str, ...] = setting(("100", "4000"), "streams opened by an address, likewise")
    guesses: tuple[str, ...] = setting(("2", "200"), "ids of no ticket by an address, likewise")
    holder_takes: tuple[str, ...] = setting(
        ("0.2", "20"), "numbers asked for with one holder's key at an office, likewise"
    )
    staff_requests: tuple[str, ...] = setting(
        ("100", "1000"), "requests with the tokens of one subject, likewise"
    )
    recordings: str = setting(
        "", "folder of a person's recordings for the hall's voice: satu.opus, loket.wav, ..."
    )
    connections: int = setting(
        24_576, "open connections, fewer if the system admits fewer files", least=1
    )
    connections_by_address: int = setting(8192, "of them from one address", least=1)
    trusted_proxies: tuple[str, ...] = setting(
        (), "addresses and networks of proxies in front, comma-separated; unix = a unix socket"
    )
    forwarded: Literal["x-forwarded-for", "forwarded"] = setting(
        "x-forwarded-for", "the header in which they say who asks; the other is not read"
    )
    jwks: str = setting(
        "", "URL or file of the keys that sign staff tokens; empty: all count by address"
    )
    issuer: str = setting(ServerConfig.issuer, "`iss` of staff tokens")
    audience: str = setting(ServerConfig.audience, "`aud` of staff tokens")
    batch_waiting: int = setting(4096, "requests for numbers gathered and not sent", least=1)
    deadline: float = setting(
        5.0, "seconds for a request for a number, waiting included", least=0.1
    )
    backlog: int = setting(
        64 * 1024, "bytes unsent before a stream's client is dropped", least=1024
    )
    streams: int = setting(20_000, "open streams", least=1)
    streams_by_address: int = setting(
        5_000, "open streams of one address, behind which there may be a carrier's NAT", least=1
    )
    heartbeat: float = setting(15.0, "seconds between heartbeats of a stream", least=0.01)
    stale: float = setting(5.0, "seconds without the queue until watchers are told", least=0)
    linger: float = setting(5.0, "seconds from a board's last watcher to its end", least=0)
    drain_delay: float = setting(0.0, "seconds from unready to the end of streams", least=0)
    grace: float = setting(10.0, "seconds that running requests may still take at the end", least=0)

    @property
    def most_waiting(self) -> int:
        """The bound that holds; at any rate one."""
        return self._bound(self.batch_waiting)

    @property
    def most_streams(self) -> int:
        """The bound that holds."""
        return self._bound(self.streams)

    @property
    def most_streams_by_address(self) -> int:
        """The bound that holds."""
        return self._bound(self.streams_by_address)

    def _bound(self, given: int) -> int:
        return given if self.limits == "on" else 2**31

    @property
    def rates(self) -> Mapping[Limit, Rate]:
        """The limits on requests that hold. ConfigError names the setting at fault."""
        if self.limits == "off":
            return {}
        return {limit: _rate(name, getattr(self, name)) for limit, name in RATES.items()}

    @property
    def addresses(self) -> Addresses:
        """ConfigError: a proxy that is no network."""
        return Addresses(self.trusted_proxies, self.forwarded)


def _rate(name: str, given: tuple[str, ...]) -> Rate:
    try:
        a_second, at_once = given
        rate = Rate(float(a_second), int(at_once))
    except ValueError:
        rate = Rate(0.0, 0)
    if not (0.0001 <= rate.per_second <= MOST_RATE and 1 <= rate.burst <= MOST_RATE):
        told = f"TUNGGU_{name.upper()} must be how many a second and how many at once, as 50,2000"
        raise ConfigError(f"configuration: {told}; not {','.join(given)!r}")
    return rate


def read(environ: Mapping[str, str]) -> GatewayConfig:
    """ConfigError: one line with all that is wrong."""
    config = load(GatewayConfig, environ)
    if config.limits == "off" and config.env != "development":
        raise ConfigError("configuration: TUNGGU_LIMITS=off needs TUNGGU_ENV=development")
    if config.batch_size > MOST_IN_BATCH:
        raise ConfigError(f"configuration: TUNGGU_BATCH_SIZE must be at most {MOST_IN_BATCH}")
    if config.port > MOST_PORT:
        raise ConfigError(f"configuration: TUNGGU_PORT must be at most {MOST_PORT}")
    _ = config.rates, config.addresses  # what they cannot be is told before anything starts
    return config
