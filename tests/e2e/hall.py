"""A whole deployment with an office in it, spoken to by HTTP only.

Time runs `SPEED` times as fast, from five past midnight, so that what the rule makes people wait
for comes soon and the day does not end meanwhile.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from services.local.clock import Clock
from services.local.stack import Stack

OFFICE = "73.71.03"
OTHER = "73.71.09"
DAY = "2026-03-02"
START = 1_772_381_100_000  # ms UTC: 00:05 of DATE in Makassar
SPEED = 60.0
Check = Callable[[httpx.Response], None]
NOWHERE_OUTSIDE = {"LOOPBACK": "true", "PUSH_HOSTS": "", "AGENCY_HOSTS": ""}
"""Whatever a test makes up, notify posts to nobody but this machine."""


class Hall:
    """`as_(role)` speaks with a token of the role for OFFICE, `citizen` without."""

    def __init__(self, stack: Stack, check: Check) -> None:
        self.stack = stack
        self._check = check
        self._clients: dict[tuple[str, str], httpx.Client] = {}

    @property
    def citizen(self) -> httpx.Client:
        return self.as_("")

    def as_(self, role: str, kecamatan: str = OFFICE) -> httpx.Client:
        if (role, kecamatan) not in self._clients:
            headers = {"accept-language": "en"}
            if role:
                token = self.stack.token(role, kecamatan, subject=role.lower())
                headers["authorization"] = f"Bearer {token}"
            self._clients[role, kecamatan] = httpx.Client(
                base_url=self.stack.url,
                headers=headers,
                trust_env=False,
                timeout=30,
                event_hooks={"response": [self._seen]},
            )
        return self._clients[role, kecamatan]

    def apply(self, code: str = OFFICE) -> httpx.Response:
        return self.as_("ADMIN", "*").put(f"/v1/kecamatan/{code}", json=office_file(code))

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _seen(self, response: httpx.Response) -> None:
        if "text/event-stream" not in response.headers.get("content-type", ""):
            response.read()
            self._check(response)


@contextmanager
def opened(folder: Path, check: Check = lambda _: None) -> Iterator[Hall]:
    """With OFFICE applied."""
    clock = Clock(int(time.time() * 1000), START, SPEED)
    # A fuzz names more tickets that are none than any address may.
    settings: Any = {"metrics": False, "limits": "off", "notify": NOWHERE_OUTSIDE}
    with Stack(folder, port=0, clock=clock, **settings) as stack:
        hall = Hall(stack, check)
        try:
            hall.apply().raise_for_status()
            yield hall
        finally:
            hall.close()


def office_file(code: str) -> dict[str, object]:
    """Three services, of which C gives two numbers a day, three counters, and little patience."""
    services: list[dict[str, object]] = [
        {"code": letter, "name": f"Layanan {letter}"} for letter in "AB"
    ]
    services.append({"code": "C", "name": "Layanan C", "quota": {"day": 2}, "channels": ["WEB"]})
    counters = [{"id": str(n), "services": ["A", "B"]} for n in (1, 2, 3)]
    return {
        "apiVersion": "tunggu.makassarkota.go.id/v1alpha1",
        "kind": "Kecamatan",
        "metadata": {"name": "office-" + code.replace(".", "-")},
        "spec": {
            "code": code,
            "name": "Makassar",
            "timezone": "Asia/Makassar",
            "hours": {},
            "services": services,
            "counters": counters,
            "rule": {"skip": {"calls": 2, "after": "30s"}},
        },
    }


def key() -> dict[str, str]:
    """An Idempotency-Key that nobody else has."""
    return {"Idempotency-Key": secrets.token_urlsafe(18)}
