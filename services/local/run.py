"""`make run`: the whole of Tunggu on this machine until Ctrl-C."""

from pathlib import Path

import httpx

from services.local.apply import apply, client
from services.local.errors import LocalError
from services.local.folder import text_of, version_of
from services.local.greeting import greeting, write_tokens
from services.local.office_file import read
from services.local.redis_binary import redis_binary
from services.local.settings import Settings
from services.local.signals import Asked, raise_when_asked
from services.local.stack import Stack

OFFICES = Path(__file__).parents[2] / "kecamatan"
_TOKEN_HOURS = 6  # tokens are valid for 12: the files always hold one that lasts


def run(settings: Settings) -> None:
    """Returns when it was asked to end and has. LocalError if something does not work."""
    raise_when_asked()
    stack = Stack(
        settings.folder,
        port=settings.port,
        host=settings.host,
        hours=settings.hours,
        limits=settings.limits,
        speed=settings.speed,
    )
    try:
        with stack:
            _serve(settings, stack)
    except Asked:
        print("\nStopped. The next start continues the day.", flush=True)


def _serve(settings: Settings, stack: Stack) -> None:
    tokens = settings.folder / "tokens"
    write_tokens(stack, tokens)
    with client(stack.url, (tokens / "admin").read_text().strip()) as http:
        offices = _apply_all(http, OFFICES)
    redis = text_of(version_of(redis_binary()))
    print(greeting(settings, stack, redis, offices), flush=True)
    while not (failure := stack.wait(_TOKEN_HOURS * 3600)):
        write_tokens(stack, tokens)
    raise LocalError(failure)


def _apply_all(http: httpx.Client, folder: Path) -> int:
    """Applies each file of the city; how many. A file that is as it was changes nothing."""
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise LocalError(f"no Kecamatan files in {folder}: run it from a checkout")
    for path in paths:
        for office in read(path):
            apply(http, office)
    return len(paths)
