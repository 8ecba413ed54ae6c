"""Settings: one frozen dataclass a service, read once from an injectable environ.

Field `port` is the variable TUNGGU_PORT; a `secret` field `salt` is the content of
the file that TUNGGU_SALT_FILE names. Every TUNGGU_ variable must belong to a field:
a misspelt one would silently be a default. (In Kubernetes set `enableServiceLinks:
false`, or a Service named tunggu-… leaks variables of that prefix into each pod.)
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

PREFIX = "TUNGGU_"
TRUTH = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}

T = TypeVar("T")


class ConfigError(SystemExit):
    """Ends the process with its text as the one line on stderr."""


def setting(default: T, doc: str, *, least: float | None = None) -> T:
    """A field with its default, its meaning with the unit, and its least value."""
    value: Any = field(default=default, metadata={"doc": doc, "least": least})
    return value  # type: ignore[no-any-return]


def secret(doc: str, default: Any = MISSING) -> str:
    """A text read from the file that TUNGGU_<FIELD>_FILE names, without its line end."""
    value: Any = field(
        default=default, repr=False, kw_only=True, metadata={"doc": doc, "secret": True}
    )
    return value  # type: ignore[no-any-return]


@dataclass(frozen=True)
class ProcessConfig:
    """What every process of ours can be told."""

    env: Literal["production", "development"] = setting(
        "production", "development admits a mapped clock, no limits and offices always open"
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting("info", "least level logged")
    metrics_host: str = setting("127.0.0.1", "address of /metrics")
    metrics_port: int = setting(0, "port of /metrics, 0 = none", least=0)


@dataclass(frozen=True)
class ServerConfig(ProcessConfig):
    """What every gRPC server of ours can be told."""

    address: str = setting("127.0.0.1:50051", "host:port or unix:/path of gRPC")
    issuer: str = setting("tunggu", "`iss` of staff tokens")
    audience: str = setting("tunggu", "`aud` of staff tokens")
    jwks: str = setting("", "URLs and files, with commas, of keys that sign tokens; empty: none")
    deadline: float = setting(10.0, "seconds that a unary call may take", least=0.001)
    drain_delay: float = setting(0.0, "seconds from NOT_SERVING to the end of streams", least=0)
    drain: float = setting(10.0, "seconds that running calls may still take at the end", least=0)
    max_connection_age: float = setting(300.0, "seconds until a client reconnects", least=1)
    max_message: int = setting(4 * 1024 * 1024, "bytes of a request or an answer", least=1024)


def load(cls: type[T], environ: Mapping[str, str]) -> T:
    """An instance of the dataclass `cls`. ConfigError names each variable at fault."""
    hints, values = get_type_hints(cls), {}
    settings = {_variable(item): item for item in fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in settings)
    faults = [f"{name} is not a setting" for name in unknown]
    for name, item in settings.items():
        try:
            if name in environ:
                values[item.name] = _read(environ[name], hints[item.name], item)
            elif item.default is MISSING:
                raise ValueError("is missing")
        except (OSError, ValueError) as error:
            faults.append(f"{name} {error}")
    if faults:
        raise ConfigError("configuration: " + "; ".join(faults))
    return cls(**values)


def _variable(item: Field[Any]) -> str:
    return PREFIX + item.name.upper() + ("_FILE" if item.metadata.get("secret") else "")


def _read(text: str, kind: Any, item: Field[Any]) -> Any:
    if item.metadata.get("secret"):
        return Path(text).read_text("utf-8").rstrip("\r\n")
    value, least = _parse(text, kind), item.metadata.get("least")
    if least is not None and value < least:
        raise ValueError(f"must be at least {least:g}, not {text!r}")
    return value


def _parse(text: str, kind: Any) -> Any:
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise ValueError(f"must be one of {', '.join(get_args(kind))}, not {text!r}")
        return text
    if get_origin(kind) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind is bool:
        if text.lower() not in TRUTH:
            raise ValueError(f"must be true or false, not {text!r}")
        return TRUTH[text.lower()]
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"must be of type {kind.__name__}, not {text!r}") from None
