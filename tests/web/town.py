"""What the pages are shown: a whole deployment on this machine, with real offices in it.

Its clock shows ten o'clock of a Monday morning in Makassar, so that no test meets midnight.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from services.local.apply import apply, client
from services.local.office_file import read
from services.local.stack import Stack
from tests.e2e.survey_town import CODE, DAY, Desk, clock

OFFICES = Path(__file__).parents[2] / "kecamatan"
MAKASSAR = CODE
HOSTILE = "73.71.05"  # Wajo, whose file says what nobody should
HASTY = "73.71.02"  # Mamajang, where who does not come at once is passed over
ATTACK = "<img src=x onerror=alert(1)>\"'&lt;{{number}}"

__all__ = ["ATTACK", "DAY", "HASTY", "HOSTILE", "MAKASSAR", "Desk", "Town", "running"]


Alter = Callable[[dict[str, Any]], dict[str, Any]]


class Town:
    """A running `stack`. Start it with `start`, end it with `stop`.

    Its offices are those of the files, but for what `alter` changes in them.
    """

    def __init__(self, folder: Path, alter: Alter | None = None, metrics: bool = False) -> None:
        self.folder = folder
        self.alter = alter or changed
        self.stack = Stack(
            folder, port=0, supervise=False, metrics=metrics, clock=clock(), hours="always"
        )

    def start(self) -> None:
        self.stack.start()
        with client(self.url, self.stack.token("ADMIN")) as http:
            for path in sorted(OFFICES.glob("*.yaml")):
                for office in read(path):
                    apply(http, self.alter(office))

    def stop(self) -> None:
        self.stack.stop()

    @property
    def url(self) -> str:
        return self.stack.url

    def desk(self, code: str = MAKASSAR) -> Desk:
        """Speaks to the API as anyone; close it."""
        return Desk(self.stack, code)

    def token(self, role: str, code: str = MAKASSAR) -> str:
        return self.stack.token(role, code)

    def link(self, path: str, role: str, code: str = MAKASSAR) -> str:
        """A staff page's path with its token, as `make run` prints it."""
        return f"{path}#token={self.token(role, code)}"

    def logs(self) -> str:
        """Everything that any process has said so far."""
        return "".join(path.read_text("utf-8") for path in (self.folder / "logs").glob("*.log"))


@contextmanager
def running(folder: Path, alter: Alter | None = None, metrics: bool = False) -> Iterator["Town"]:
    """A town that is started, and stopped at the end."""
    town = Town(folder, alter, metrics)
    town.start()
    try:
        yield town
    finally:
        town.stop()


def changed(office: dict[str, Any]) -> dict[str, Any]:
    """Two offices differ from their files; all others are what they are."""
    code = office["spec"]["code"]
    if code == HASTY:
        office["spec"]["rule"]["skip"] = {"calls": 1, "after": "0s"}
    return hostile(office) if code == HOSTILE else office


def hostile(office: dict[str, Any]) -> dict[str, Any]:
    """The same office with an attack in each text that pages show."""
    spec = office["spec"]
    spec |= {"name": f"Wajo {ATTACK}", "address": ATTACK}
    for service in spec["services"]:
        service["name"] = f"{service['code']} {ATTACK}"
        standard = service["standard"]
        service["standard"] = dict.fromkeys(standard, ATTACK) | {"requirements": [ATTACK] * 2}
    spec["display"]["runningText"] = [{"id": ATTACK, "en": ATTACK}]
    return office
