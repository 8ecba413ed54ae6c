"""How long the texts and lists of a Kecamatan file may be.

The bounds are those of deploy/k8s/crd/kecamatan.yaml (a test compares them): an API server only
takes rules over what is bounded, and no office needs more. Absent: what the texts may say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

TEXT = 1024  # characters, where nothing less is named
TEXTS = {
    "Season.name": 64,
    "HoursException.reason": 64,
    "KecamatanSpec.timezone": 64,
    "Film.title": 256,
    "CameraSpec.id": 64,
    "CameraSpec.name": 256,
    "CameraSpec.secret_ref": 256,
}
LIST = 99  # entries, where nothing less is named
LISTS = {
    "Hours.seasons": 12,
    "Hours.exceptions": 366,
    "HoursException.hours": 6,
    **{f"Week.{day}": 6 for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
    "ServiceStandard.requirements": 32,
    "DisplaySpec.running_text": 64,
    "DisplaySpec.films": 64,
    "Film.hours": 6,
    "KecamatanSpec.cameras": 64,
}


def excess(message: Any, path: str) -> Iterator[tuple[str, str]]:
    """Each field of a message, and below it, that has too much: its path, and why."""
    for field, value in message.ListFields():
        name, below = f"{message.DESCRIPTOR.name}.{field.name}", f"{path}.{field.json_name}"
        if field.is_repeated:
            most = LISTS.get(name, LIST)
            if len(value) > most:
                yield below, f"must have at most {most} entries"
            for i, item in enumerate(value):
                yield from _excess(item, name, f"{below}[{i}]")
        else:
            yield from _excess(value, name, below)


def _excess(value: Any, name: str, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        most = TEXTS.get(name, TEXT)
        if len(value) > most:
            yield path, f"must have at most {most} characters"
    elif hasattr(value, "ListFields"):
        yield from excess(value, path)
