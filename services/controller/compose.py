"""The controller put together from its configuration."""

from __future__ import annotations

import logging

import kopf

from services.chassis.client import channel
from services.chassis.credential import configured_token
from services.controller.config import ControllerConfig
from services.controller.handlers import Controller, configured, login
from services.controller.offices import Offices

log = logging.getLogger(__name__)


async def serve(config: ControllerConfig) -> None:
    """Works until SIGTERM or SIGINT. ConfigError: the key cannot be read."""
    token = configured_token(config.key, "controller", config, "ADMIN")
    async with (
        channel(config.queue, authorization=token) as queue,
        channel(config.survey, authorization=lambda: "") as survey,
    ):
        controller = Controller(Offices.over(queue, survey), config.interval)
        kopf.on.login(registry=controller.registry)(login)
        log.info("serving", extra={"fields": {"namespace": config.namespace}})
        await kopf.operator(
            registry=controller.registry,
            settings=configured(kopf.OperatorSettings()),
            standalone=True,
            namespaces=[config.namespace],
            liveness_endpoint=config.liveness or None,
        )
    log.info("stopped")
