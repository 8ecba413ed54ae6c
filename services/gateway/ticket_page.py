"""`/t/{ticket}` as the gateway makes it: readable, printable and usable without JavaScript.

Where scripts run, `web/ticket/page.js` takes over from what stands here. A ticket's id is its
holder's key: nothing between may keep the page, and it sends no referrer.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

from services.chassis.errors import Problem, catalogue, texts
from services.gateway.assets import GUARDS, Assets, File, filled
from services.gateway.exchange import Exchange, Headers, Reply
from services.gateway.qr import address_of, qr
from services.gateway.waits import count, wait
from tunggu.queue.v1.kecamatan_pb2 import Office
from tunggu.queue.v1.ticket_pb2 import Ticket

Texts = Mapping[str, str]

LANGUAGES = ("id", "en")
VERBS = {"checkIn": "CheckInTicket", "return": "ReturnTicket", "cancel": "CancelTicket"}
# Which of them a state offers; the queue has the last word.
OFFERED = {
    "WAITING": {"checkIn", "cancel"},
    "ON_HOLD": {"return", "cancel"},
    "NO_SHOW": {"return", "cancel"},
}
OVER = {"COMPLETED", "CANCELLED", "LAPSED"}
FORM_LIMIT = 1024  # bytes
HTML: Headers = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-robots-tag", b"noindex"),
    *GUARDS,
]


@dataclass(frozen=True, slots=True)
class Tickets:
    """Whom the page asks. `act` is given a verb (`CancelTicket`), a ticket's id and a request id.
    All raise Problem."""

    ticket: Callable[[str], Awaitable[Ticket]]
    office: Callable[[str], Awaitable[Office]]
    act: Callable[[str, str, str], Awaitable[None]]


class TicketPage:
    """The page of any ticket, out of its template and the texts beside it."""

    def __init__(self, assets: Assets, folder: Path, tickets: Tickets) -> None:
        self._template = assets.placed((folder / "index.html").read_text("utf-8"))
        self._texts = {language: _texts(folder, language) for language in LANGUAGES}
        self._tickets = tickets
        nothing = _values(headline=self._texts["id"]["ticket.loading"])
        self._shell = File.of(self._filled("id", nothing), HTML[0][1])

    async def shell(self, exchange: Exchange) -> Reply:
        """The page without a ticket, the same for everyone."""
        return self._shell.reply(exchange)

    async def answer(self, exchange: Exchange) -> Reply:
        """The ticket as it is now; a page that says so if it cannot be had."""
        asked = parse_qs(exchange.query.decode("ascii", "replace"))
        language = asked.get("lang", [""])[0]
        language = language if language in LANGUAGES else LANGUAGES[0]
        said = {"said": escape(_said(asked.get("said", [""])[0], language))}
        status, values = await self._values(exchange, language)
        return Reply(status, HTML, self._filled(language, values | said))

    async def _values(self, exchange: Exchange, language: str) -> tuple[int, dict[str, str]]:
        texts = self._texts[language]
        try:
            ticket = await self._tickets.ticket(_id(exchange))
            office = await self._tickets.office(ticket.kecamatan)
        except Problem as problem:
            unknown = problem.reason in ("TICKET_NOT_FOUND", "INVALID_REQUEST")
            key = "ticket.unknown" if unknown else "ticket.away"
            return 404 if unknown else 503, _values(headline=texts[key])
        return 200, _shown(texts, language, ticket, office) | {"qr": qr(address_of(exchange))}

    def _filled(self, language: str, values: Texts) -> bytes:
        return filled(self._template, {"said": "", "language": language, **values}).encode()

    async def act(self, exchange: Exchange) -> Reply:
        """What a button does where no script runs; then the page again (303)."""
        form = await exchange.form(FORM_LIMIT)
        verb, said = VERBS.get(form.get("do", "")), ""
        if verb is None:
            raise Problem("INVALID_REQUEST", {"field": "do", "why": "is none of the buttons"})
        try:
            await self._tickets.act(verb, _id(exchange), form.get("key", ""))
        except Problem as problem:
            if problem.reason == "TICKET_NOT_FOUND":
                return await self.answer(exchange)  # 404: ids that are none are counted
            said = problem.reason
        language = form.get("lang", "")
        query = f"?lang={language if language in LANGUAGES else LANGUAGES[0]}&said={said}"
        there = exchange.raw_path + query.encode()
        return Reply(303, [(b"location", there), (b"cache-control", b"no-store"), *GUARDS])


def _id(exchange: Exchange) -> str:
    return exchange.raw_path.decode("ascii").removeprefix("/t/")


def _said(reason: str, language: str) -> str:
    """A refusal in words; nothing for what is no reason of ours."""
    return texts(Problem(reason), language)[1] if reason in catalogue() else ""


def _texts(folder: Path, language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for place in (folder.parent / "core", folder):
        found |= json.loads((place / f"texts.{language}.json").read_text("utf-8"))
    return found


# --- what stands where -------------------------------------------------------------------------


def _shown(texts: Texts, language: str, ticket: Ticket, office: Office) -> dict[str, str]:
    state = Ticket.State.Name(ticket.state).removeprefix("STATE_")
    service = next((s.name for s in office.services if s.code == ticket.service), ticket.service)
    return _values(
        number=ticket.number,
        state=state,
        headline=texts[f"ticket.headline.{state}"].format(counter=ticket.counter),
        office=f"Kecamatan {office.name}",
        service=service,
        day=ticket.service_day,
        address=office.address,
        ahead=count(ticket.ahead, language),
        wait=_wait(texts, language, ticket),
        offered=OFFERED.get(state, set()) - ({"checkIn"} if ticket.present else set()),
        refresh="" if state in OVER else '<meta http-equiv="refresh" content="20">',
    )


def _wait(texts: Texts, language: str, ticket: Ticket) -> str:
    if not ticket.HasField("forecast"):
        return texts["ticket.noForecast"]
    return wait(texts, language, ticket.forecast.p50_seconds, ticket.forecast.p90_seconds)


def _values(offered: set[str] | None = None, refresh: str = "", **given: str) -> dict[str, str]:
    """Every place of the template, as text that is safe in HTML."""
    places = "number state headline office service day address ahead wait".split()
    values = {name: escape(given.get(name, "")) for name in places}
    hidden = {f"{verb}_hidden": "" if verb in (offered or ()) else "hidden" for verb in VERBS}
    facts = {"facts_hidden": "" if given.get("state") == "WAITING" else "hidden"}
    known = {"known_hidden": "" if given.get("number") else "hidden"}
    fresh = {"key": secrets.token_urlsafe(18), "refresh": refresh, "qr": ""}
    return values | hidden | facts | known | fresh
