"""`python -m services.queue`: the queue over gRPC."""

import os

import uvloop

from services.chassis import config, telemetry
from services.queue.compose import serve
from services.queue.config import QueueConfig


def main() -> None:
    settings = config.load(QueueConfig, os.environ)
    end_telemetry = telemetry.start("queue", settings)
    try:
        uvloop.run(serve(settings))
    finally:
        end_telemetry()


if __name__ == "__main__":
    main()
