"""Ordinary life in the office between requests that are made up, and on their behalf."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.e2e.books import AT, Books
from tests.e2e.hall import OFFICE, SPEED, Hall, key

HEAD = "SUPERVISOR"
CROWD = 40  # people who wait at most
NEEDS = {
    "RecallTicket": "CALLED",
    "StartTicket": "CALLED",
    "SkipTicket": "CALLED",
    "RequeueTicket": "CALLED",
    "CompleteTicket": "SERVING",
    "HoldTicket": "SERVING",
    "TransferTicket": "SERVING",
    "ReturnTicket": "ON_HOLD",
    "CreateResponse": "SERVED",
    "CreateAssessment": "SERVED",
    "CallNextTicket": "OPEN",
    "CloseCounter": "OPEN",
    "SetCounterServices": "CLOSED",
}
"""What a verb finds when it is granted: a counter's state, or that of the ticket there."""


@dataclass(frozen=True)
class State:
    """Of each counter what NEEDS names, the numbers there, and the numbers that wait."""

    open: bool
    counters: dict[str, str]
    standing: dict[str, str]
    waiting: list[str]


class Life:
    """Makes requests as people do, and notes what is acknowledged; `ids` are tickets by number."""

    def __init__(self, hall: Hall, books: Books) -> None:
        self.hall = hall
        self.books = books
        self.ids: dict[str, str] = {}
        self.act("CreateTicket", "", "/tickets", {"service": "A"})

    def act(self, operation: str, role: str, path: str, body: dict[str, Any]) -> bool:
        """Whether it was granted."""
        answer = self.hall.as_(role).post(AT + path, json=body, headers=key())
        if answer.status_code >= 400:
            return False
        self.took(operation, answer.json())
        return True

    def took(self, operation: str, answer: Any) -> None:
        """Notes what was acknowledged."""
        self.books.note(operation, answer)
        ticket = answer.get("ticket", {})
        if operation == "CreateTicket" and ticket["kecamatan"] == OFFICE:
            self.ids[ticket["number"]] = ticket["id"]

    def state(self) -> State:
        """As the board shows it."""
        board = self.hall.citizen.get(f"{AT}/board").json()
        there = {one["id"]: one.get("ticket", {}) for one in board["counters"]}
        states = {
            one["id"]: there[one["id"]].get("state", one["state"]) for one in board["counters"]
        }
        standing = {id: ticket["number"] for id, ticket in there.items() if ticket}
        runs = [run for service in board["services"] for run in service["waiting"]]
        waiting = [number for run in runs for number in members(run)]
        return State(board["open"], states, standing, waiting)

    def step(self, chance: Random) -> None:
        """Somebody comes; now and then somebody is served."""
        state = self.state()
        if not state.open:
            self.act("ResumeIssuing", HEAD, ":resumeIssuing", {})
        if len(state.waiting) < 5 or (chance.random() < 0.4 and len(state.waiting) < CROWD):
            wish = {"service": chance.choice("AB"), "lane": chance.choice(["REGULAR", "PRIORITY"])}
            self.act("CreateTicket", "", "/tickets", wish)
        if chance.random() < 0.3:
            self.bring(chance.choice("123"), chance.choice(["OPEN", "CALLED", "SERVING"]))

    def suit(self, operation: str, chance: Random) -> dict[str, str]:
        """Brings about what the verb needs; the counter and number that it is then about."""
        verb, counter = operation.partition("By")[0], chance.choice("123")
        if verb == "ResumeIssuing":
            self.act("StopIssuing", HEAD, ":stopIssuing", {"reason": "POWER"})
        if verb not in NEEDS:
            return {}
        number = self.bring(counter, NEEDS[verb])
        if verb in ("RecallTicket", "SkipTicket") and chance.random() < 0.2:
            self._recall(counter, number, again=verb == "SkipTicket")
        found = {"counter": counter, "kecamatan": OFFICE}
        if number in self.ids:
            found |= {"ticket": number, "number": number, "ticketId": self.ids[number]}
        return found

    def _recall(self, counter: str, number: str, again: bool) -> None:
        """Waits until a ticket may be called again; with `again` does so, and waits once more."""
        time.sleep(21 / SPEED)
        if again:
            self.act("RecallTicket", HEAD, f"/counters/{counter}:recall", {"ticket": number})
            time.sleep(21 / SPEED)

    def bring(self, counter: str, wanted: str) -> str:
        """Leads a counter to a state, verb by verb; the number there, or last there."""
        number = ""
        for _ in range(6):
            state = self.state()
            number = state.standing.get(counter, number)
            now = state.counters[counter]
            if now == wanted or not self._towards(counter, number, now, wanted):
                break
            if now == "SERVING" and wanted in ("ON_HOLD", "SERVED"):
                break
        return number

    def _towards(self, counter: str, number: str, now: str, wanted: str) -> bool:
        """One verb on the way; whether it was granted."""
        last = ("HoldTicket", "hold") if wanted == "ON_HOLD" else ("CompleteTicket", "complete")
        free = ("CloseCounter", "close") if wanted == "CLOSED" else ("CallNextTicket", "callNext")
        operation, verb = {
            "CLOSED": ("OpenCounter", "open"),
            "OPEN": free,
            "CALLED": ("StartTicket", "start"),
            "SERVING": last,
        }[now]
        body = {"ticket": number} if now in ("CALLED", "SERVING") else {}
        return self.act(operation, HEAD, f"/counters/{counter}:{verb}", body)


def members(run: str) -> list[str]:
    """`A013-A015` → A013, A014, A015."""
    first, _, last = run.partition("-")
    numbers = range(int(first[1:]), int((last or first)[1:]) + 1)
    return [f"{run[0]}{number:03}" for number in numbers]
