"""`python -m services.survey`: the survey over gRPC."""

import os

import uvloop

from services.chassis import config, telemetry
from services.survey.compose import serve
from services.survey.config import SurveyConfig


def main() -> None:
    settings = config.load(SurveyConfig, os.environ)
    end_telemetry = telemetry.start("survey", settings)
    try:
        uvloop.run(serve(settings))
    finally:
        end_telemetry()


if __name__ == "__main__":
    main()
