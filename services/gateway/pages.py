"""The pages: which address shows which folder of `web/`, and what stands beside them at the root.

A folder that is there is served; see docs/PAGES.md for what it holds.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from services.gateway.app import Fixed
from services.gateway.assets import GUARDS, KINDS, POLICY, Assets, File, served
from services.gateway.display_page import DisplayPage
from services.gateway.exchange import Exchange, Headers, Reply
from services.gateway.qr import qr_of_ticket
from services.gateway.ticket_page import TicketPage, Tickets
from services.gateway.voice.recordings import recorded

WEB = Path(__file__).with_name("web")
# The address of each page; a part in braces is the page's own business.
PAGES = {
    "/": "phone",
    "/t/{ticket}": "ticket",
    "/kiosk/{kecamatan}": "kiosk",
    "/counter/{kecamatan}/{counter}": "counter",
    "/display/{kecamatan}": "display",
    "/survey/{kecamatan}/{counter}": "survey",
    "/dashboard/{kecamatan}": "dashboard",
    "/war-room": "war-room",
    "/verify/{kecamatan}/{day}": "verify",
}
# A kiosk's page may ask the printing agent of its own machine, at any port, and no more.
AT_KIOSK = b"connect-src 'self' http://127.0.0.1:*"
# What a phone keeps, so that it opens without a connection.
OFFLINE = ("core", "phone", "ticket")
TICKET = b"/t/{ticket}"
DISPLAY = b"/display/{kecamatan}"
SHELL = b"/t/-"  # the ticket page without a ticket: what an offline phone fills itself
ROOT_FILES = ("docs.css", "icon.svg", "icon-192.png", "icon-512.png", "manifest.webmanifest")


@dataclass(frozen=True, slots=True)
class Pages:
    """What answers each address, and what takes a page's form; a part in braces is anything."""

    fixed: dict[bytes, Fixed]
    forms: dict[bytes, Fixed]


def pages(tickets: Tickets, recordings: str = "") -> Pages:
    """Everything that `web/` holds, read now. ConfigError: the folder of recordings is none."""
    assets = Assets(WEB, recorded(WEB / "voice", recordings))
    ticket = TicketPage(assets, WEB / "ticket", tickets)
    fixed = _fixed(assets, ticket)
    fixed[DISPLAY] = DisplayPage(_html(assets, "display"), tickets.office).answer
    return Pages(fixed, {TICKET: ticket.act})


def _fixed(assets: Assets, ticket: TicketPage) -> dict[bytes, Fixed]:
    shown: dict[bytes, Fixed] = {
        address.encode(): _page(assets, folder, _guards(folder))
        for address, folder in PAGES.items()
        if (WEB / folder / "index.html").exists()
    }
    shown |= {TICKET: ticket.answer, TICKET + b"/qr.svg": qr_of_ticket, SHELL: ticket.shell}
    shown |= {b"/" + name.encode(): _file(WEB / name) for name in ROOT_FILES}
    return shown | {
        b"/web/{version}/{folder}/{name}": assets.answer,
        b"/sw.js": served(_worker(assets).encode(), KINDS[".js"]),
    }


def _file(path: Path) -> Fixed:
    return served(path.read_bytes(), KINDS[path.suffix])


def _html(assets: Assets, folder: str) -> bytes:
    return assets.placed((WEB / folder / "index.html").read_text("utf-8")).encode()


def _guards(folder: str) -> Headers:
    if folder != "kiosk":
        return GUARDS
    return [
        (b"content-security-policy", POLICY.replace(b"connect-src 'self'", AT_KIOSK)),
        *GUARDS[1:],
    ]


def _page(assets: Assets, folder: str, guards: Headers) -> Fixed:
    file = File.of(_html(assets, folder), KINDS[".html"])

    async def answer(exchange: Exchange) -> Reply:
        return file.reply(exchange, guards=guards)

    return answer


def _worker(assets: Assets) -> str:
    """The service worker, told what to keep: another byte of any asset is another worker."""
    kept = ["/", SHELL.decode(), "/icon.svg", "/manifest.webmanifest", *assets.addresses(OFFLINE)]
    chosen = [name for name in kept if not name.endswith(".txt")]
    told = json.dumps({"version": assets.version, "files": chosen})
    return f"const KEPT = {told};\n" + (WEB / "sw.js").read_text("utf-8")
