"""How the survey is put together from its settings."""

from __future__ import annotations

import asyncio

from services.chassis import server
from services.chassis.credential import internal_channel
from services.survey.config import SurveyConfig
from services.survey.daybook import Daybook
from services.survey.figures import FiguresServicer
from services.survey.follower import Follower
from services.survey.official import IndexServicer
from services.survey.queue_client import QueueClient
from services.survey.servicer import SurveyServicer
from services.survey.store import Store
from tunggu.survey.v1 import (
    figures_pb2,
    figures_pb2_grpc,
    index_pb2,
    index_pb2_grpc,
    survey_pb2,
    survey_pb2_grpc,
)

SURVEY = survey_pb2.DESCRIPTOR.services_by_name["SurveyService"]
INDEX = index_pb2.DESCRIPTOR.services_by_name["IndexService"]
FIGURES = figures_pb2.DESCRIPTOR.services_by_name["FiguresService"]


async def serve(settings: SurveyConfig) -> None:
    """Serves until SIGTERM, then drains. ConfigError: the key cannot be read."""
    redis = settings.redis()
    store = Store(redis, settings.domain_clock())
    draining = asyncio.Event()

    async def ready() -> bool:
        return bool(await redis.ping())

    async with internal_channel(settings.queue, settings.key, "survey", settings) as through:
        queue = QueueClient(through)
        daybook = Daybook(store, queue)
        survey = SurveyServicer(store, queue, daybook, draining)
        index = IndexServicer(store, queue, daybook)
        figures = FiguresServicer(daybook)
        await server.serve(
            settings,
            [
                server.Service(
                    SURVEY, lambda s: survey_pb2_grpc.add_SurveyServiceServicer_to_server(survey, s)
                ),
                server.Service(
                    INDEX, lambda s: index_pb2_grpc.add_IndexServiceServicer_to_server(index, s)
                ),
                server.Service(
                    FIGURES,
                    lambda s: figures_pb2_grpc.add_FiguresServiceServicer_to_server(figures, s),
                ),
            ],
            ready=ready,
            draining=draining,
            background=[Follower(store, queue, settings.look).run],
        )
    await redis.aclose()
