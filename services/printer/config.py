"""What the printing agent can be told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from services.chassis.config import ConfigError, ProcessConfig, load, setting

ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")


@dataclass(frozen=True)
class PrinterConfig(ProcessConfig):
    """Environment TUNGGU_<FIELD>."""

    printer: str = setting("", "tcp://host:9100, or the printer's device file, as /dev/usb/lp0")
    origins: tuple[str, ...] = setting(
        (), "origins of the kiosk's page, comma-separated, as https://antrean.example"
    )
    port: int = setting(9110, "port of HTTP on 127.0.0.1, 0 = any", least=0)
    profile: str = setting("default", "python-escpos' name of the printer, as TM-T20II")
    code_page: str = setting("CP437", "the page of characters that the printer is told to use")
    width: int = setting(576, "dots in a line: 576 for 80 mm, 384 for 58 mm", least=320)
    dpi: int = setting(203, "dots per inch", least=100)
    answer: float = setting(1.0, "seconds to wait for a printer's word about itself", least=0.01)
    patience: float = setting(20.0, "seconds that a slip may take to the printer", least=0.1)
    interval: float = setting(15.0, "seconds between two looks at the printer", least=0.1)

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port of a printer in the network, None for a device file. ValueError."""
        parts = urlsplit(self.printer)
        if parts.scheme == "tcp" and parts.hostname and not parts.path:
            return parts.hostname, parts.port or 9100
        if not self.printer.startswith("/"):
            raise ValueError
        return None


def read(environ: Mapping[str, str]) -> PrinterConfig:
    """ConfigError: one line with what is wrong."""
    config = load(PrinterConfig, environ)
    try:
        _ = config.address
    except ValueError:
        told = f"tcp://host:9100 or a device file, not {config.printer!r}"
        raise ConfigError(f"configuration: TUNGGU_PRINTER must be {told}") from None
    if not config.origins or not all(map(ORIGIN.fullmatch, config.origins)):
        told = f"origins as https://antrean.example, not {','.join(config.origins)!r}"
        raise ConfigError(f"configuration: TUNGGU_ORIGINS must be {told}")
    return config
