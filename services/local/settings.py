"""What `make run` can be told: PORT, HOST, DATA, HOURS, LIMITS and SPEED."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.chassis.config import load, setting
from services.local.errors import LocalError


@dataclass(frozen=True)
class Settings:
    """Read from TUNGGU_PORT and so on."""

    port: int = setting(8080, "port of the gateway", least=1)
    host: str = setting("127.0.0.1", "address on which the gateway listens")
    data: str = setting(".tunggu", "folder of the data")
    hours: Literal["always", "real"] = setting("always", "around the clock, or the offices' own")
    limits: Literal["on", "off"] = setting("on", "limits on requests")
    speed: float = setting(1.0, "domain seconds in a real second")

    @property
    def folder(self) -> Path:
        return Path(self.data)


def read(environ: Mapping[str, str]) -> Settings:
    """LocalError or chassis' ConfigError: one line with the value that cannot be."""
    settings = load(Settings, environ)
    if settings.port > 65535:
        raise LocalError(f"PORT must be at most 65535, not {settings.port}")
    if not (math.isfinite(settings.speed) and 0 < settings.speed <= 10_000):
        raise LocalError(f"SPEED must lie above 0 and not above 10000, not {settings.speed:g}")
    return settings
