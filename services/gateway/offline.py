"""The service workers: what a phone and a hall's screen keep, so that pages open without a line.

Both are `web/sw.js`, each told what is its own. Absent: films, which the display keeps itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from services.gateway.assets import Assets


@dataclass(frozen=True, slots=True)
class Worker:
    """`folders` and `files` are kept from the start. `pages` tells, by how an address begins,
    which of the files stands for it; an empty one: the page itself, as it was last seen."""

    name: str
    folders: tuple[str, ...]
    files: tuple[str, ...]
    pages: Mapping[str, str]


PHONE = Worker(
    name="phone",
    folders=("core", "phone", "ticket"),
    files=("/", "/t/-", "/icon.svg", "/manifest.webmanifest"),
    pages={"/": "/", "/t/": "/t/-"},
)
HALL = Worker(
    name="hall",
    folders=("core", "display", "voice"),
    files=("/icon.svg",),
    pages={"/display/": ""},
)
# Its address says for which pages a worker works: for those beside and below it.
WORKERS = {b"/sw.js": PHONE, b"/display/sw.js": HALL}


def script(worker: Worker, assets: Assets, source: str) -> bytes:
    """The worker, told what to keep: another byte of any asset is another worker."""
    files = [*worker.files, *assets.addresses(worker.folders)]
    told = {
        "name": worker.name,
        "version": assets.version,
        "files": [name for name in files if not name.endswith(".txt")],
        "pages": worker.pages,
    }
    return f"const KEPT = {json.dumps(told)};\n{source}".encode()
