"""What TUNGGU_REDIS_URL says: which servers, in which shape, and how one logs in there.

    redis://user:password@host:6379/0       one server; rediss:// with TLS
    unix:///path/to/socket?db=0             the same
    redis+sentinel://host,host:26379/NAME/0 whom the Sentinels name the primary of NAME
    redis+cluster://host:6379,host          a Redis Cluster, of which these nodes are asked

`rediss+sentinel://` and `rediss+cluster://` speak TLS to all. With TLS the query may have
`ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile` (files), `ssl_cert_reqs=none` and
`ssl_check_hostname=false`. No I/O here but reading these files.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import parse_qsl, unquote, urlsplit

PORTS = {"redis": 6379, "redis+cluster": 6379, "redis+sentinel": 26379}
TLS_OPTIONS = (
    "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname",
)  # fmt: skip


class Shape(Enum):
    """How many servers there are and who says which of them to ask."""

    SINGLE = "redis"
    SENTINEL = "redis+sentinel"
    CLUSTER = "redis+cluster"


@dataclass(frozen=True)
class Address:
    """A host and port, or the path of a unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Target:
    """`addresses` are the servers, or the Sentinels; `name` is the one that Sentinels know the
    primary by. `tls` is None, or options for `tls_context`."""

    shape: Shape
    addresses: tuple[Address, ...]
    name: str = ""
    db: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    tls: Mapping[str, str] | None = None


def parse(url: str) -> Target:
    """ValueError says what is wrong, without the password."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    scheme = parts.scheme.replace("rediss", "redis", 1)
    if parts.scheme == "unix":
        return _socket(parts.path, parts.netloc, options)
    if scheme not in PORTS:
        raise ValueError(f"{parts.scheme or 'no scheme'} is none of redis, rediss, unix, …")
    shape = Shape(scheme)
    login, _, hosts = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    name, db = _path(shape, parts.path, options)
    tls = {key: options.pop(key) for key in TLS_OPTIONS if key in options}
    _none_left(options)
    if tls and scheme == parts.scheme:
        raise ValueError("ssl_ options are for rediss")
    return Target(
        shape,
        tuple(_address(text, PORTS[scheme]) for text in hosts.split(",")),
        name,
        db,
        unquote(username),
        unquote(password),
        tls if scheme != parts.scheme else None,
    )


def _socket(path: str, netloc: str, options: dict[str, str]) -> Target:
    username, _, password = netloc.rpartition("@")[0].partition(":")
    db = int(options.pop("db", "0"))
    _none_left(options)
    where = Address(path=unquote(path))
    return Target(Shape.SINGLE, (where,), "", db, unquote(username), unquote(password))


def _path(shape: Shape, path: str, options: dict[str, str]) -> tuple[str, int]:
    """Name and database."""
    rest = [unquote(part) for part in path.split("/") if part]
    if shape is Shape.SENTINEL and not rest:
        raise ValueError("the name of the primary is missing: redis+sentinel://host/NAME")
    name = rest.pop(0) if shape is Shape.SENTINEL else ""
    db = int(rest.pop(0) if rest else options.pop("db", "0"))
    if rest:
        raise ValueError("the path is too long")
    if shape is Shape.CLUSTER and db:
        raise ValueError("a cluster has only the database 0")
    return name, db


def _none_left(options: Mapping[str, str]) -> None:
    if options:
        raise ValueError(f"{', '.join(sorted(options))} is not an option")


def _address(text: str, port: int) -> Address:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError("a host is missing")
    return Address(parts.hostname, parts.port or port)


def tls_context(options: Mapping[str, str]) -> ssl.SSLContext:
    """OSError: a file cannot be read. ssl.SSLError: it holds no certificate or key."""
    context = ssl.create_default_context(cafile=options.get("ssl_ca_certs"))
    if "ssl_certfile" in options:
        context.load_cert_chain(options["ssl_certfile"], options.get("ssl_keyfile"))
    lax = options.get("ssl_cert_reqs", "required").lower() == "none"
    if lax or options.get("ssl_check_hostname", "true").lower() == "false":
        context.check_hostname = False
    if lax:
        context.verify_mode = ssl.CERT_NONE
    return context
