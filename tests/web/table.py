"""Every page that the shared tests hold to: one line each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.web.town import MAKASSAR, Desk, Town


@dataclass(frozen=True)
class Shown:
    """A page as a test opens it: its folder, its address in a town, what `ready` waits for.

    `budget` is what a first visit may load, bytes on the wire, media aside; `sizes` what it is
    made for, of which pictures are taken, after `press` has been pressed.
    """

    name: str
    folder: str
    address: Callable[[Town, Desk], str]
    ready: str
    budget: int = 100 * 1024
    sizes: tuple[str, ...] = ("phone", "tablet", "desktop")
    press: str = ""


def _ticket(town: Town, desk: Desk) -> str:
    return f"/t/{desk.take()['id']}"


def _called(town: Town, desk: Desk) -> str:
    """A ticket of an office of its own, called to counter 1."""
    return f"/t/{called(town)['id']}"


def _served(town: Town, desk: Desk) -> str:
    ticket = called(town)
    with town.desk(SERVING) as there:
        there.at("1", "start", ticket=ticket["number"])
        there.at("1", "complete", ticket=ticket["number"])
    return f"/t/{ticket['id']}"


SERVING = "73.71.01"  # Mariso: whoever is called there is the only one


def called(town: Town) -> Any:
    """A ticket that has just been called; whoever was at the counter is served."""
    with town.desk(SERVING) as there:
        there.at("1", "open")
        board = there.get(f"{there.office}/board").json()
        at_one = next(one for one in board["counters"] if one["id"] == "1").get("ticket")
        if at_one and at_one["state"] == "CALLED":
            there.at("1", "start", ticket=at_one["number"])
        if at_one:
            there.at("1", "complete", ticket=at_one["number"])
        ticket = there.take()
        assert there.at("1", "callNext")["ticket"]["number"] == ticket["number"]
        return ticket


def _counter(town: Town, desk: Desk) -> str:
    """A counter that has called somebody and leaves it at that, with others behind."""
    board = desk.get(f"{desk.office}/board").json()
    if not any(one["id"] == "4" and "ticket" in one for one in board["counters"]):
        desk.at("4", "open")
        for service in "CCD":
            desk.take(service)
        desk.post(f"{desk.office}/tickets", {"service": "C", "lane": "PRIORITY"})
        desk.at("4", "callNext")
    return town.link(f"/counter/{desk.code}/4", "OFFICER", desk.code)


def _ready(town: Town, desk: Desk) -> str:
    """A counter that has nobody yet, with a line."""
    desk.at("3", "open")
    for service in "BBC":
        desk.take(service)
    return town.link(f"/counter/{desk.code}/3", "OFFICER", desk.code)


def _kiosk(town: Town, desk: Desk) -> str:
    return town.link(f"/kiosk/{desk.code}", "KIOSK", desk.code)


def _rateable(town: Town, desk: Desk) -> str:
    """A tablet beside somebody who has just been served."""
    _served(town, desk)
    return town.link(f"/survey/{SERVING}/1", "KIOSK", SERVING)


def _asleep(town: Town, desk: Desk) -> str:
    return town.link(f"/survey/{desk.code}/5", "KIOSK", desk.code)


TABLETS = ("tablet", "desktop")
TABLE = [
    Shown("city", "phone", lambda town, desk: "/", "#offices li"),
    Shown("office", "phone", lambda town, desk: f"/#{MAKASSAR}", "#services li"),
    Shown("service", "phone", lambda town, desk: f"/#{MAKASSAR}/A", "#service-requirements li"),
    Shown("ticket", "ticket", _ticket, "#keep:not([hidden])"),
    Shown("called", "ticket", _called, "[data-state=CALLED]"),
    Shown("served", "ticket", _served, "#rate:not([hidden])"),
    Shown("counter", "counter", _counter, "[data-state=CALLED] #number:not(:empty)"),
    Shown("counter-ready", "counter", _ready, "#named:not([hidden])"),
    Shown("kiosk", "kiosk", _kiosk, "#services li", sizes=TABLETS),
    Shown(
        "survey", "survey", _rateable, "#open:visible", sizes=("tablet", "desktop"), press="#open"
    ),
    Shown("survey-idle", "survey", _asleep, "#idle:visible", sizes=("tablet",)),
]
