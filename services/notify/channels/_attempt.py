"""One attempt over HTTP, judged: what most channels do. No channel itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.chassis.errors import Problem
from services.notify.channels import ACCEPTED, Outcome, gone, refused, retry
from services.notify.outgoing.destinations import Refused
from services.notify.outgoing.posting import Outgoing, Reply, Unreachable

PASSING = {408: "TIMEOUT", 425: "BUSY", 429: "BUSY"}
LASTING = {401: "UNAUTHORIZED", 403: "UNAUTHORIZED", 413: "TOO_LARGE"}


def judged(reply: Reply) -> Outcome:
    """What an answer's status says."""
    status = reply.status
    if 200 <= status < 300:
        return ACCEPTED
    if status in (404, 410):
        return gone("GONE")
    if status in PASSING or status >= 500:
        return retry(PASSING.get(status, "SERVER_ERROR"), reply.retry_after)
    if 300 <= status < 400:
        return refused("REDIRECT")
    return refused(LASTING.get(status, "REJECTED"))


async def attempt(
    out: Outgoing,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    judge: Callable[[Reply], Outcome] = judged,
) -> Outcome:
    """Posts once. Never raises what the other side or the way to it may cause."""
    try:
        return judge(await out.post(url, body, headers))
    except Refused as verdict:
        return refused(word(verdict))
    except Unreachable as failure:
        return retry(failure.why.upper())


async def admitted(out: Outgoing, url: str) -> None:
    """Problem TARGET_REFUSED unless the URL may be posted to now."""
    try:
        await out.check(url)
    except Refused as verdict:
        raise Problem("TARGET_REFUSED", {"why": word(verdict)}) from None


def word(verdict: Refused) -> str:
    """As outcomes and problems name it."""
    return f"DESTINATION_{verdict.why.upper()}"
