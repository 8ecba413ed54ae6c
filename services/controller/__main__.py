"""`python -m services.controller`: Kecamatan resources into the queue."""

import asyncio
import os

from services.chassis import config, telemetry
from services.controller.compose import serve
from services.controller.config import ControllerConfig


def main() -> None:
    settings = config.load(ControllerConfig, os.environ)
    end_telemetry = telemetry.start("controller", settings)
    try:
        asyncio.run(serve(settings))
    finally:
        end_telemetry()


if __name__ == "__main__":
    main()
