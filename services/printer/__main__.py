"""`python -m services.printer`: slips of a kiosk on an ESC/POS printer."""

import asyncio
import os

from services.chassis import telemetry
from services.printer import config
from services.printer.compose import serve


def main() -> None:
    settings = config.read(os.environ)
    end_telemetry = telemetry.start("printer", settings)
    try:
        asyncio.run(serve(settings))
    finally:
        end_telemetry()


if __name__ == "__main__":
    main()
