"""Requests that nearly make sense: a fuzz of the API needs them to be more than noise.

Requests are made up by schemathesis from the API's description; `Aim` puts in their place, here
and there, what exists: offices, counters, numbers, tickets, tokens.
"""

from __future__ import annotations

from random import Random
from typing import Any

from services.survey.ikm import UNSUR
from tests.e2e.hall import DAY, OFFICE, OTHER, key, office_file
from tests.e2e.life import CROWD, Life

NOWHERE = "73.71.99"
ADMINISTERING = ("ApplyKecamatan", "DeleteKecamatan")  # these are for OTHER only


class Aim:
    """Makes a case likelier to be granted."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._hall = life.hall
        self._policy = life.books.policy()

    def at(self, case: Any, chance: Random) -> None:
        """Brings the office where it suits the case, and replaces parts of the case."""
        definition = case.operation.definition.raw
        values = self._values(definition["operationId"], chance)
        for name, made_up in case.path_parameters.items():
            if chance.random() < 0.9 or made_up == OFFICE:  # nobody takes OFFICE off the list
                case.path_parameters[name] = values[name]
        for name in case.query:
            if name in values and chance.random() < 0.7:
                case.query[name] = values[name]
        if isinstance(case.body, dict):
            self._body(case, values, chance)
        if chance.random() < 0.8:
            case.headers.pop("Idempotency-Key", None)
            case.headers.update(key() if chance.random() < 0.5 else {})
        if chance.random() < 0.7:
            case.headers.pop("Tunggu-Holder", None)
        self._token(case, definition["x-roles"], chance)

    def _values(self, operation: str, chance: Random) -> dict[str, str]:
        life, state = self._life, self._life.state()
        if operation in ADMINISTERING and chance.random() < 0.5:
            self._hall.apply(OTHER)
        counter = chance.choice([*state.standing, *"1239"])
        some = [*state.waiting, *state.standing.values(), "A001", "A002", "B001", "Z999"]
        office = chance.choice([*[OFFICE] * 8, OTHER, NOWHERE])
        values = {
            "kecamatan": OTHER if operation in ADMINISTERING else office,
            "counter": counter,
            "ticket": state.standing.get(counter, chance.choice(some)),
            "number": chance.choice(some),
            "ticketId": chance.choice([*life.ids.values()][-CROWD:]),
            "service": chance.choice("AABC"),
            "lane": chance.choice(["PRIORITY", "PRIORITY", "REGULAR"]),
            "day": chance.choice([DAY, DAY, "2026-03-01", "2026-02-30"]),
            "from": chance.choice([DAY, "2026-03-01", "2024-01-01"]),
            "to": chance.choice([DAY, "2026-03-05"]),
            "hash": self._policy,
            "display": chance.choice("123"),
            "page": chance.choice(["0f3a9c51d27be684", "5f0c2a91b7d34e68", "x"]),
            "version": chance.choice(["3f1c0a77be42", ""]),
            "webhookId": f"wh_{chance.getrandbits(64):016x}",
            "subscriptionId": f"{chance.getrandbits(64):016x}",
            "url": "http://127.0.0.1:9/tunggu",
            "fromDay": chance.choice([DAY, "2026-03-01", "2026-02-30"]),
        }
        return values | (life.suit(operation, chance) if chance.random() < 0.6 else {})

    def _body(self, case: Any, values: dict[str, str], chance: Random) -> None:
        if case.operation.definition.raw["operationId"] == "ApplyKecamatan":
            case.body = spoiled(office_file(OTHER), case.body, chance)
            return
        for name in case.body:
            if name in values and chance.random() < 0.8:
                case.body[name] = values[name]
            if name == "services" and chance.random() < 0.8:
                case.body[name] = chance.sample("AB", k=chance.randint(1, 2))
            if name == "ratings" and chance.random() < 0.8:
                case.body[name] = {unsur: chance.randint(1, 4) for unsur in UNSUR}
            if name == "films" and chance.random() < 0.8:
                case.body[name] = [{"film": chance.randint(1, 3), "plays": chance.randint(0, 9)}]
            if name == "event" and chance.random() < 0.8:
                case.body[name] = chance.randint(-1, 99)
            if name in ("reasons", "profile") and chance.random() < 0.5:
                case.body[name] = type(case.body[name])()

    def _token(self, case: Any, roles: list[str], chance: Random) -> None:
        if chance.random() < 0.1:
            return  # whatever was made up
        case.headers.pop("Authorization", None)
        staff = [role for role in roles if role not in ("PUBLIC", "HOLDER")]
        if not staff or ("PUBLIC" in roles and chance.random() < 0.5):
            return
        role = chance.choice(staff if chance.random() < 0.85 else ["", "KIOSK", "WAR_ROOM"])
        if role:
            client = self._hall.as_(role, "*" if role == "ADMIN" else OFFICE)
            case.headers["Authorization"] = client.headers["authorization"]


def spoiled(file: dict[str, Any], made_up: dict[str, Any], chance: Random) -> dict[str, Any]:
    """A sound file with parts that are missing, made up or absurd."""
    for _ in range(chance.randint(0, 3)):
        part: Any = file
        while True:
            names = list(part) if isinstance(part, dict) else list(range(len(part)))
            if not names:
                break
            name = chance.choice(names)
            if not isinstance(part[name], dict | list) or chance.random() < 0.3:
                part[name] = chance.choice([*ABSURD, *made_up.values(), *part_of(made_up)])
                break
            part = part[name]
    return file


def part_of(made_up: dict[str, Any]) -> list[Any]:
    """Values one level further down."""
    nested = [value for value in made_up.values() if isinstance(value, dict)]
    return [part for value in nested for part in value.values()]


ABSURD: list[Any] = [
    *("", "x", "A", "é" * 300, "\x00", "24:00", "25:99", "2026-02-30", "Asia/Nowhere", "../etc"),
    *(0, -1, 2**31 - 1, -(2**31), 2**40, 1.5, 1e308, True, None, [], {}, [[]], [{}]),
    *("90s", "-1s", "999999999999s", "0.000000001s", ["A", "A"], [{"open": "09:00"}]),
    [{"open": "12:00", "close": "09:00"}],
    {"weekly": {"mon": [{"open": "07:30", "close": "24:00"}] * 3}},
    {"seasons": [{"from": "2026-12-31", "to": "2026-01-01"}]},
]
