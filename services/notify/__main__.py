"""`python -m services.notify`: notify over gRPC."""

import os

import uvloop

from services.chassis import config, telemetry
from services.notify.compose import serve
from services.notify.config import NotifyConfig


def main() -> None:
    settings = config.load(NotifyConfig, os.environ)
    end_telemetry = telemetry.start("notify", settings)
    try:
        uvloop.run(serve(settings))
    finally:
        end_telemetry()


if __name__ == "__main__":
    main()
