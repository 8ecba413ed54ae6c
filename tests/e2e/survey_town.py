"""An office with a survey, over HTTP and real processes: taking, serving and answering."""

import secrets
import time
from pathlib import Path
from typing import Any

import httpx

from services.local.apply import apply, client
from services.local.clock import Clock
from services.local.office_file import read
from services.local.stack import Stack

OFFICES = Path(__file__).parents[2] / "kecamatan"
CODE = "73.71.03"
DAY, NEXT = "2026-03-02", "2026-03-03"
MORNING = 1_772_416_800_000  # ms UTC: 10:00 of DATE in Makassar
A_DAY = 86_400_000


def clock(days: int = 0, speed: float = 1.0) -> Clock:
    """A clock that shows ten in the morning, `days` after DAY, as of now."""
    return Clock(int(time.time() * 1000), MORNING + days * A_DAY, speed)


def stack(folder: Path, days: int = 0, speed: float = 1.0) -> Stack:
    time_ = clock(days, speed)
    return Stack(folder, port=0, supervise=False, metrics=False, clock=time_)


def open_office(stack: Stack) -> None:
    """Its counter 1 serves everything today."""
    with client(stack.url, stack.token("ADMIN")) as http:
        (office,) = read(OFFICES / "makassar.yaml")
        apply(http, office)
    with Desk(stack) as desk:
        path = f"{desk.office}/counters/1:setServices"
        desk.post(path, {"services": list("ABCDE")}, "SUPERVISOR").raise_for_status()


class Desk:
    """Speaks to one stack as everyone concerned; `as_` is a role, or "" for a citizen."""

    def __init__(self, stack: Stack, code: str = CODE) -> None:
        self.stack, self.code = stack, code
        self.http = httpx.Client(base_url=stack.url, trust_env=False, timeout=30)
        self.office = f"/v1/kecamatan/{code}"

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def headers(self, as_: str, key: str = "") -> dict[str, str]:
        found = {"Idempotency-Key": key or secrets.token_urlsafe(18)}
        if as_:
            found["Authorization"] = "Bearer " + self.stack.token(as_, self.code)
        return found

    def post(self, path: str, body: dict, as_: str = "", key: str = "") -> httpx.Response:
        return self.http.post(path, json=body, headers=self.headers(as_, key))

    def get(self, path: str, as_: str = "", **params) -> httpx.Response:
        return self.http.get(path, params=params, headers=self.headers(as_))

    def at(self, counter: str, verb: str, **body) -> Any:
        path = f"{self.office}/counters/{counter}:{verb}"
        return self.post(path, body, "OFFICER").raise_for_status().json()

    def take(self, service: str = "A") -> Any:
        answer = self.post(f"{self.office}/tickets", {"service": service})
        return answer.raise_for_status().json()["ticket"]

    def serve(self, counter: str = "1") -> str:
        """Calls, starts and completes; the number."""
        number: str = self.at(counter, "callNext")["ticket"]["number"]
        self.at(counter, "start", ticket=number)
        self.at(counter, "complete", ticket=number)
        return number

    def served(self, service: str = "A", counter: str = "1") -> Any:
        """A ticket that nobody waits before, taken and served."""
        ticket = self.take(service)
        assert self.serve(counter) == ticket["number"]
        return ticket

    def answer(self, ticket: dict | str, answer: str, key: str = "", **more) -> httpx.Response:
        id = ticket if isinstance(ticket, str) else ticket["id"]
        return self.post(f"/v1/tickets/{id}/responses", {"answer": answer, **more}, key=key)

    def press(self, counter: str, answer: str, as_: str = "KIOSK", key: str = "", **more):
        path = f"{self.office}/counters/{counter}/responses"
        return self.post(path, {"answer": answer, **more}, as_, key)

    def satisfaction(self, **params) -> Any:
        return self.get(f"{self.office}/satisfaction", **params).raise_for_status().json()
