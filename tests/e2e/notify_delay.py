"""`make delay`: how long from an event until a channel has taken its message.

15 offices, 5,000 tickets with a subscription each, officers who call `pace` times as fast as on a
real day of the city (5,000 calls in 8 hours); a webhook on loopback takes every message. Prints
p50, p95 and the longest by kind. Aim: p95 within a second.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import httpx

from services.local.office_file import read
from services.local.stack import Stack
from tests.e2e.notify_town import Endpoint, open_big_office, stack, subscribe_all
from tests.e2e.survey_town import MORNING, OFFICES

DAY_S = 8 * 3600
TICKETS = 5000


async def measure(pace: float, seconds: float, tickets: int) -> None:
    offices = [office for path in OFFICES.glob("*.yaml") for office in read(path)]
    codes = sorted(office["spec"]["code"] for office in offices)
    with tempfile.TemporaryDirectory() as folder:
        quiet = {"SEND_TIMEOUT": "8", "TAKEOVER": "20", "BACKOFF": "1"}
        async with Endpoint(lag=0.1) as endpoint:
            begun = time.time()
            with stack(Path(folder), more=quiet) as town:
                shift = begun - MORNING / 1000
                for code in codes:
                    await asyncio.to_thread(open_big_office, town, code)
                await everybody_waits(town, codes, endpoint, tickets)
                before = len(endpoint.got)
                await officers_call(town, codes, tickets / DAY_S * pace, seconds)
                await asyncio.sleep(3)
                report(endpoint, before, shift)


async def everybody_waits(town: Stack, codes: list[str], endpoint: Endpoint, tickets: int) -> None:
    turn = asyncio.Semaphore(64)

    async def take(http: httpx.AsyncClient, n: int) -> str:
        body = {"service": "ABC"[n % 3]}
        async with turn:
            answer = await http.post(f"/v1/kecamatan/{codes[n % len(codes)]}/tickets", json=body)
        id: str = answer.raise_for_status().json()["ticket"]["id"]
        return id

    async with httpx.AsyncClient(base_url=town.url, trust_env=False, timeout=60) as http:
        ids = await asyncio.gather(*(take(http, n) for n in range(tickets)))
    wanted = [(id, {"webhook": {"url": endpoint.url(f"t-{n}")}}) for n, id in enumerate(ids)]
    print(f"{len(ids)} tickets; subscribed: {dict(await subscribe_all(town, wanted, 48))}")


async def officers_call(town: Stack, codes: list[str], rate: float, seconds: float) -> None:
    """One officer an office, `rate` calls a second in all, each ticket served until the next."""
    held: dict[str, str] = {}
    tokens = {code: "Bearer " + town.token("OFFICER", code) for code in codes}
    end, n = time.monotonic() + seconds, 0
    async with httpx.AsyncClient(base_url=town.url, trust_env=False, timeout=30) as http:
        while time.monotonic() < end:
            code, n = codes[n % len(codes)], n + 1
            at, http.headers["Authorization"] = f"/v1/kecamatan/{code}/counters/1", tokens[code]
            for verb in ("start", "complete") if code in held else ():
                await post(http, f"{at}:{verb}", {"ticket": held[code]})
            held[code] = (await post(http, f"{at}:callNext", {}))["ticket"]["number"]
            await asyncio.sleep(1 / rate)
    print(f"{n} calls in {seconds:.0f} s, {rate:.2f} a second")


async def post(http: httpx.AsyncClient, path: str, body: dict) -> dict:
    key = {"Idempotency-Key": secrets.token_urlsafe(18)}
    found: dict = (await http.post(path, json=body, headers=key)).raise_for_status().json()
    return found


def report(endpoint: Endpoint, before: int, shift: float) -> None:
    delays = defaultdict(list)
    for got in endpoint.got[before:]:
        delays[got.data["kind"]].append(got.at - shift - got.due)
        delays["all"].append(got.at - shift - got.due)
    for kind, found in delays.items():
        ordered = sorted(found)
        p50, p95 = (ordered[int(q * (len(ordered) - 1))] for q in (0.5, 0.95))
        longest = ordered[-1]
        print(f"{kind:8} {len(found):5}: p50 {p50:.3f} s, p95 {p95:.3f} s, longest {longest:.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(prog="delay", description="From an event to its acceptance.")
    parser.add_argument("--pace", type=float, default=20.0, help="times a real day's pace")
    parser.add_argument("--seconds", type=float, default=60.0, help="of calls")
    parser.add_argument("--tickets", type=int, default=TICKETS, help="with a subscription each")
    given = parser.parse_args()
    asyncio.run(measure(given.pace, given.seconds, given.tickets))


if __name__ == "__main__":
    main()
