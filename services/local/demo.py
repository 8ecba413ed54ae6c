"""`make demo`: a recorded day of a real office, replayed through the HTTP API.

Starts a stack of its own in a folder that goes away with it, gives it the
office's file, lives the day in mapped time (`demo_hall`), waits until the day is
closed, and then asks the public journal (`demo_report`) and the verifier.
Exit code 0 only if everything that it promises holds.
"""

import sys

from services.local.signals import Asked, leave_when_asked, raise_when_asked

if __name__ == "__main__":
    leave_when_asked(status=130)  # before the imports, which take a while

import asyncio
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from services.chassis.config import load, setting
from services.local import demo_day, demo_report
from services.local.apply import apply, client
from services.local.clock import Clock
from services.local.demo_day import CODE, DAY, POOLS
from services.local.demo_hall import BOARD_WATCHERS, Hall, Tally
from services.local.demo_public import PublicDay
from services.local.demo_report import Check
from services.local.errors import LocalError
from services.local.office_file import read
from services.local.stack import Stack

_LEADS = (8, 20, 60)  # real seconds from the start to the opening; the next if one is too short
_AFTER = 60.0  # real seconds after the day's end in which it must be closed
_DAY = DAY.isoformat()
_SYNTHETIC = f"""
Recorded: arrivals and calls (to about five minutes), open counters. Synthetic, from the seed
{demo_day.SEED}: service times (log-normal, a mean for each service), who is absent
(each with a chance of {demo_day.ABSENT_SHARE:.0%}), channels.
Dane pochodzą z serwisu api.um.warszawa.pl (MIT, Hanna Zdulska: services/local/data/NOTICE)."""


@dataclass(frozen=True)
class Settings:
    """Read from TUNGGU_SPEED."""

    speed: float = setting(300.0, "seconds of the day in a real second", least=1)


def replay(speed: float) -> bool:
    """Plays the day and prints the report; whether all of it holds."""
    office = read(demo_day.DATA / "bemowo.yaml")[0]
    print(f"Bemowo, Warsaw, {_DAY}, {speed:g} times as fast", flush=True)
    for lead in _LEADS:
        held = _attempt(speed, lead, office)
        if held is not None:
            return held
    raise LocalError(f"nothing was ready within {_LEADS[-1]} s: a lower SPEED= gives more time")


def _attempt(speed: float, lead: float, office: dict[str, Any]) -> bool | None:
    """None if this machine starts so slowly that the day had begun without us."""
    clock = _clock(speed, lead)
    with (
        tempfile.TemporaryDirectory(prefix="tunggu-demo-") as folder,
        Stack(Path(folder), port=0, hours="real", clock=clock) as stack,
    ):
        with client(stack.url, stack.token("ADMIN")) as http:
            apply(http, office)
        if demo_day.minute_of(clock.now_ms()) > demo_day.OPENS:
            return None
        tally = asyncio.run(_live(stack, clock))
        names = {service["code"]: service["name"] for service in office["spec"]["services"]}
        return _report(stack, Path(folder), tally, names)


def _clock(speed: float, lead: float) -> Clock:
    """One that shows the opening time in `lead` seconds."""
    opening = int((time.time() + lead) * 1000)
    return Clock(opening, int(demo_day.epoch_ms(demo_day.OPENS)), speed)


async def _live(stack: Stack, clock: Clock) -> Tally:
    tokens = {"kiosk": stack.token("KIOSK", CODE)}
    for counter in (counter for pool in POOLS for counter in pool.counters):
        tokens[counter] = stack.token("OFFICER", CODE, f"officer-{counter}")
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    async with httpx.AsyncClient(
        base_url=stack.url, limits=limits, timeout=10, trust_env=False
    ) as http:
        hall = Hall(http, clock, tokens)
        showing = asyncio.create_task(_show(hall))
        try:
            await hall.live(demo_day.read_day())
            await _closed(http, hall)
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
    return hall.tally


async def _show(hall: Hall) -> None:
    """A line that renews itself on a terminal, one every 10 s elsewhere."""
    here = sys.stdout.isatty()
    while True:
        await asyncio.sleep(0.5 if here else 10)
        print(_progress(hall), end="\r" if here else "\n", flush=True)


def _progress(hall: Hall) -> str:
    tally, minute = hall.tally, max(0, int(hall.minute()))
    errors = sum(tally.errors.values())
    return (
        f"  {minute // 60:02}:{minute % 60:02}  {tally.issued:>3} tickets  "
        f"{tally.issued - tally.called:>3} waiting  {tally.served:>3} served  "
        f"{tally.open:>2} counters open  {tally.boards:>5} boards  {errors} errors "
    )


async def _closed(http: httpx.AsyncClient, hall: Hall) -> None:
    """Waits for the end of the day, two hours after the doors close."""
    await hall.until(demo_day.DAY_ENDS)
    deadline = time.monotonic() + _AFTER
    while not await _is_closed(http):
        if time.monotonic() > deadline:
            raise LocalError(f"the day was not closed {_AFTER:.0f} s after its end")
        await asyncio.sleep(0.2)


async def _is_closed(http: httpx.AsyncClient) -> bool:
    answer = await http.get(f"/v1/kecamatan/{CODE}/days/{_DAY}")
    return bool(answer.raise_for_status().json()["closed"])


def _report(stack: Stack, folder: Path, tally: Tally, names: Mapping[str, str]) -> bool:
    """Prints what the public can read and recompute; whether all of it holds."""
    with client(stack.url) as http:
        public = PublicDay.fetch(http, CODE, _DAY)
    services, day = demo_report.by_service(public.leaves), demo_day.read_day()
    clean, word = public.verified(folder)
    watched = f"{tally.pages_ended} of {tally.pages} watched tickets seen to their end"
    checks = [
        *demo_report.checks(services, day, tally.errors),
        Check(tally.boards > 0, f"{tally.boards} boards sent to {BOARD_WATCHERS} watchers"),
        Check(tally.pages_ended == tally.pages, watched),
        Check(clean, f"the verifier: {word}"),
    ]
    print("", *demo_report.table(services, day, names), "", sep="\n")
    print(*(f"{'ok' if check.holds else 'NO'}  {check.text}" for check in checks), sep="\n")
    print(_SYNTHETIC)
    return all(check.holds for check in checks)


def main(environ: Mapping[str, str]) -> str | int:
    """The exit code, or the line that says why there is none."""
    raise_when_asked()
    try:
        return 0 if replay(load(Settings, environ).speed) else 1
    except LocalError as error:
        return f"demo: {error}"
    except httpx.HTTPError as error:
        return f"demo: the gateway did not answer as it should: {error}"
    except Asked:
        print("\nStopped.", flush=True)
        return 130


if __name__ == "__main__":
    sys.exit(main(os.environ))
