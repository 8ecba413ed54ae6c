"""What kopf calls: changes, timers and deletions of Kecamatan resources.

Level-triggered: a handler never asks what changed. It asserts the resource as it is and writes
down what came of it; the timer does the same, so that whatever drifted or was forgotten is set
right within `interval` seconds.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import grpc
import kopf
from prometheus_client import Counter

from services.chassis.errors import Problem
from services.controller import report
from services.controller.desired import (
    GROUP,
    PLURAL,
    VERSION,
    Claim,
    UnreadableError,
    file_of,
    owner,
)
from services.controller.offices import Offices
from services.controller.report import Outcome
from tunggu.queue.v1 import kecamatan_pb2 as pb

AGAIN_S = 5.0
LOOKS = Counter(
    "tunggu_controller_looks", "Resources asserted, by what came of it. Sum.", ["reason"]
)
BACK = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)
"""What passes by itself; anything else is the same the next time."""


class Controller:
    """The handlers over one queue; `registry` is what kopf is to run."""

    def __init__(self, offices: Offices, interval: float) -> None:
        self._offices = offices
        # A look that is under way must not bring back an office that is being closed.
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.registry = kopf.OperatorRegistry()
        self._register(interval)

    def _register(self, interval: float) -> None:
        where: Any = {"group": GROUP, "version": VERSION, "plural": PLURAL}
        where["registry"] = self.registry
        kopf.index(id="codes", **where)(claim)
        for on in (kopf.on.create, kopf.on.update, kopf.on.resume):
            on(id="assert", **where)(self.changed)
        kopf.timer(id="look", interval=interval, initial_delay=interval, **where)(self.look)
        kopf.on.delete(id="close", **where)(self.deleted)

    async def changed(self, **given: Any) -> None:
        """A resource is new, was changed, or was there when we started."""
        outcome = await self._assert(**given)
        if outcome is not None and outcome.progressing:
            raise kopf.TemporaryError(outcome.message, delay=AGAIN_S)

    async def look(self, **given: Any) -> None:
        """The same, because time has passed."""
        await self._assert(**given)

    async def deleted(self, *, name: str, spec: Any, codes: Any = (), **_: Any) -> None:
        """The running day closes; until the queue has said so the resource stays."""
        code = spec.get("code", "")
        if owner(codes.get(code, ())) not in ("", name):
            return  # another resource has this office
        try:
            async with self._turns[code]:
                await self._offices.delete(code)
        except Problem as problem:
            raise kopf.TemporaryError(problem.reason, delay=AGAIN_S) from None

    async def _assert(
        self, name: str, spec: Any, meta: Any, status: Any, patch: Any, codes: Any, **_: Any
    ) -> Outcome | None:
        """None for a resource that is on its way out."""
        code = spec.get("code", "")
        keeper = owner(codes.get(code, ()))
        if keeper in ("", name):
            async with self._turns[code]:
                if meta.get("deletionTimestamp"):
                    return None
                outcome, office = await self._apply(name, spec)
        else:
            text = f"The Kecamatan {keeper} has the code {code}."
            outcome, office = Outcome("False", "CodeTaken", text, degraded=True), None
        LOOKS.labels(outcome.reason).inc()
        said = await self._said(outcome, office, meta.get("generation", 0), status)
        patch.status.update({key: value for key, value in said.items() if status.get(key) != value})
        return outcome

    async def _apply(self, name: str, spec: Mapping[str, Any]) -> tuple[Outcome, pb.Office | None]:
        try:
            office = await self._offices.apply(file_of(name, spec))
        except UnreadableError as error:
            return report.refused("UNREADABLE", "", str(error)), None
        except Problem as problem:
            if problem.status in BACK:
                return report.unreachable(problem.reason), None
            known = problem.metadata
            why = known.get("why") or problem.reason
            return report.refused(problem.reason, known.get("field", ""), why), None
        return report.applied(office), office

    async def _said(
        self, outcome: Outcome, office: pb.Office | None, generation: int, status: Any
    ) -> dict[str, Any]:
        """The status as it should be; figures stay while there are none newer."""
        before, now = status.get("conditions", ()), _now()
        said: dict[str, Any] = {"observedGeneration": generation}
        said["conditions"] = report.conditions(before, outcome, generation, now)
        if office is not None:
            said |= report.figures(office, await self._offices.tally(office.code))
        return said


def claim(name: str, spec: Any, meta: Any, **_: Any) -> dict[str, Claim]:
    """By code, for kopf's index."""
    return {spec.get("code", ""): Claim(meta.get("creationTimestamp", ""), name)}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def configured(settings: kopf.OperatorSettings) -> kopf.OperatorSettings:
    """kopf's settings as our Role admits them: no look at namespaces, marks of our own name."""
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 330
    settings.persistence.finalizer = f"{GROUP}/closes-the-day"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP)
    return settings


def login(**given: Any) -> kopf.ConnectionInfo | None:
    """As the pod's service account, else as the kubeconfig of whoever runs us."""
    return kopf.login_with_service_account(**given) or kopf.login_with_kubeconfig(**given)
