"""Completed tickets and requests as the store is given them."""

import secrets
import time
from dataclasses import replace

from services.redis_link.clock import Clock
from services.redis_link.request import Request
from services.survey.model import Served
from services.survey.periods import QueueDay

CODE, DAY = "73.71.03", "2026-03-02"
DONE = 1_772_416_800_000  # ms UTC: 10:00 in Makassar
TICKET = Served(CODE, DAY, "A001", "A", "1", 9, DONE)


def ticket(number="A001", **more):
    return replace(TICKET, number=number, **more)


def at(minutes: float) -> Clock:
    """A clock that stands still that long after DONE."""
    return Clock(int(time.time() * 1000), DONE + int(minutes * 60_000), 0.0, mapped=True)


def ask(id="", payload=b"", caller="the holder", verb="CreateResponse"):
    return Request(CODE, verb, id or secrets.token_urlsafe(16), caller, payload)


def row(issued, completed=0, calls=0, wait=0):
    return [issued, completed, 0, 0, 0, calls or completed, wait, wait, wait, wait]


def queue_day(completed=3, service="A", hour=9):
    figures = row(completed, completed, wait=60)
    return QueueDay(figures, {service: figures}, {(service, hour): figures}, {"1": completed})
