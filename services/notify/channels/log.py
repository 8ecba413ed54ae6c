"""The log, for development: what a phone would show, without whose phone it is."""

from __future__ import annotations

import logging

from services.notify.channels import ACCEPTED, Message, Outcome, Target
from services.notify.config import NotifyConfig

log = logging.getLogger(__name__)


class Log:
    """Takes everything."""

    name = "log"

    def key(self) -> str:
        return ""

    def link(self, text: str) -> str:  # noqa: ARG002
        return ""

    async def check(self, target: Target) -> None:
        pass

    async def send(self, target: Target, message: Message) -> Outcome:  # noqa: ARG002
        fields = {"id": message.id, "kind": message.kind.value}
        log.info("%s · %s", message.title, message.body, extra={"fields": fields})
        return ACCEPTED

    async def close(self) -> None:
        pass


def make(settings: NotifyConfig) -> Log | None:
    return Log() if settings.env == "development" else None
