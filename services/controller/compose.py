"""The controller put together from its configuration."""

from __future__ import annotations

import logging
from pathlib import Path

import kopf

from services.chassis.client import channel
from services.chassis.config import ConfigError
from services.chassis.credential import NO_KEY, internal_token
from services.controller.config import ControllerConfig
from services.controller.handlers import Controller, configured, login
from services.controller.offices import Offices

log = logging.getLogger(__name__)


async def serve(config: ControllerConfig) -> None:
    """Works until SIGTERM or SIGINT. ConfigError: the key cannot be read."""
    try:
        token = internal_token(
            Path(config.key), "controller", config.issuer, config.audience, role="ADMIN"
        )
    except NO_KEY as error:
        raise ConfigError(
            f"configuration: TUNGGU_KEY holds no key that can sign: {error}"
        ) from None
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
