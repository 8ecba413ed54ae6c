"""`make apply FILE=…`: gives Kecamatan files to the running queue through the gateway.

python -P -m services.local.apply [--url URL] [--token-file FILE] FILE ...
"""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from services.local import ports
from services.local.errors import LocalError
from services.local.office_file import code_of, read

_TRIES = 6  # while the outcome is unknown or nobody can say it
_PAUSE = 0.5  # seconds between two of them
_RUNNING = "is `make run` up? Its PORT=, HOST= and DATA= are to be given to `make apply` too"


def apply(client: httpx.Client, office: dict[str, Any]) -> str:
    """Puts one office; what came of it. LocalError: the field and the reason of a refusal."""
    code = code_of(office)
    try:
        answer = _put(client, f"/v1/kecamatan/{code}", office)
    except httpx.HTTPError as error:
        raise LocalError(f"no answer from {client.base_url} ({error}): {_RUNNING}") from None
    if answer.status_code != httpx.codes.OK:
        raise LocalError(f"{code} refused: {problem(answer)}")
    applied = answer.json()["kecamatan"]
    return f"{code} {applied['name']} applied{_later(client, applied)}"


def _later(client: httpx.Client, applied: dict[str, Any]) -> str:
    """What of the file does not hold at once."""
    if applied["changePending"]:
        return "; what changes the policy waits for its next day"
    if not applied["open"] and _is_closed(client, applied["code"], _day_of(applied)):
        return f"; its day {applied['serviceDay']} is closed: it opens on its next day"
    return ""


def _day_of(applied: dict[str, Any]) -> str:
    """The service day if the file was applied on it, else empty: it is then not today's."""
    at = datetime.fromisoformat(applied["appliedAt"]).astimezone(ZoneInfo(applied["timezone"]))
    day = at.date().isoformat()
    return day if day == applied["serviceDay"] else ""


def _is_closed(client: httpx.Client, code: str, day: str) -> bool:
    try:
        answer = client.get(f"/v1/kecamatan/{code}/days/{day}") if day else None
        return answer is not None and answer.is_success and bool(answer.json()["closed"])
    except httpx.HTTPError:
        return False  # applied it is


def _put(client: httpx.Client, path: str, office: dict[str, Any]) -> httpx.Response:
    """The answer; one that says 503 is asked for again with the same id, so it counts once."""
    headers = {"Idempotency-Key": secrets.token_urlsafe(16)}
    for _ in range(_TRIES - 1):
        answer = client.put(path, json=office, headers=headers)
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            return answer
        time.sleep(_PAUSE)
    return client.put(path, json=office, headers=headers)


def problem(answer: httpx.Response) -> str:
    """A problem document in one line: the field, what is wrong and why, the reason."""
    try:
        said = answer.json()
        text, field, why = said.get("detail") or said["title"], said.get("field"), said.get("why")
        text = f"{field}: {text}" if field and field not in text else text
        text = f"{text.rstrip('.')}: {why}" if why and why not in text else text
        return f"{text} ({said['reason']})"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP {answer.status_code}"


def apply_files(client: httpx.Client, paths: Sequence[Path], say: Callable[[str], None]) -> None:
    """Applies all, in order; stops at the first refusal with a LocalError that names the file."""
    for path in paths:
        for office in read(path):
            try:
                say(apply(client, office))
            except LocalError as error:
                raise LocalError(f"{path}: {error}") from None


def client(url: str, token: str = "") -> httpx.Client:
    """For the gateway at `url`; a proxy of the environment is not asked."""
    headers = {"Accept-Language": "en"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False)


def main(arguments: Sequence[str]) -> str:
    """An error line, or "" when all is applied."""
    parser = argparse.ArgumentParser(prog="apply", description="Apply Kecamatan files.")
    port, host = os.environ.get("TUNGGU_PORT", "8080"), os.environ.get("TUNGGU_HOST", "127.0.0.1")
    data = Path(os.environ.get("TUNGGU_DATA", ".tunggu"))
    parser.add_argument("--url", default=f"http://{ports.address(ports.reachable(host), port)}")
    parser.add_argument("--token-file", type=Path, default=data / "tokens" / "admin")
    parser.add_argument("files", nargs="+", type=Path)
    given = parser.parse_args(arguments)
    try:
        token = given.token_file.read_text().strip()
    except OSError as error:
        return f"apply: {given.token_file}: {error.strerror}: {_RUNNING}"
    try:
        with client(given.url, token) as http:
            apply_files(http, given.files, print)
    except LocalError as error:
        return f"apply: {error}"
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
