"""Tickets and subscriptions as the tests of the store make them."""

import itertools
import json
from typing import Any

from services.notify.model import FAR, Stored
from services.notify.store import Move, Step, Store, facts
from services.redis_link.request import Request

CODE, DAY = "73.71.03", "2026-03-02"
N = f"tunggu:{{{CODE}}}:notify"
AT = Step(CODE, DAY)

_ids = itertools.count()


def step(n: int, cursor: str = "c") -> Step:
    return Step(CODE, DAY, n, f"{cursor}{n}")


def ask(verb: str = "CreateSubscription", id: str = "", payload: bytes = b"") -> Request:
    return Request(CODE, verb, id or f"request-{next(_ids)}-and-some-more", "holder", payload)


def hook(address: str = "https://sms.example/1", language: str = "id", **more: Any) -> Stored:
    return Stored("webhook", language, 1_000, address, **more)


def called(number: str, n: int, counter: str = "1") -> Move:
    return Move(number, n, "C", "CALLED", facts(due=1, counter=counter, desk=f"Loket {counter}"))


def moved(number: str, n: int, state: str, how: str = "") -> Move:
    return Move(number, n, state, how=how)


async def subscribe(
    store: Store,
    number: str = "A012",
    sub: str = "webhook-1",
    target: Stored | None = None,
    *,
    near: int = FAR,
    state: str = "W",
    ev: int = 0,
    request: Request | None = None,
) -> Stored:
    known = Move(number, ev, state)
    wanted = target or hook(f"https://sms.example/{number}/{sub}")
    return await store.create_subscription(
        request or ask(), AT, known, f"id-of-{number}", near, sub, wanted
    )


async def near(store: Store, number: str, ahead: int, thresholds: tuple[int, ...] = (5, 2)) -> int:
    return await store.come_near(AT, [(number, ahead)], thresholds, facts(due=1))


async def outbox(redis: Any) -> list[dict[str, Any]]:
    """What is due, in order."""
    return [json.loads(fields[b"e"]) for _, fields in await redis.xrange(f"{N}:outbox")]


async def said(redis: Any) -> list[str]:
    return [f"{due['number']} {due['claim']}" for due in await outbox(redis)]


async def everything(redis: Any) -> bytes:
    """All that Redis holds, keys and values."""
    found: list[bytes] = []
    for key in await redis.keys("*"):
        found.append(key)
        kind = (await redis.type(key)).decode()
        read: Any = {
            "hash": redis.hgetall, "string": redis.get, "set": redis.smembers,
            "stream": redis.xrange, "zset": lambda key: redis.zrange(key, 0, -1),
        }[kind]  # fmt: skip
        found.append(repr(await read(key)).encode())
    return b"\n".join(found)
