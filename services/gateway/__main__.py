"""`python -m services.gateway`: HTTP in front of the queue."""

import asyncio
import os

import uvloop

from services.chassis import telemetry
from services.gateway import config
from services.gateway.compose import serve


def main() -> None:
    settings = config.read(os.environ)
    end_telemetry = telemetry.start("gateway", settings)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    finally:
        end_telemetry()


if __name__ == "__main__":
    main()
