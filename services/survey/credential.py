"""Our own token, by which the queue knows that another service of the deployment asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from services.chassis.token import mint

VALID_H = 1.0
RENEW_S = 1800.0
"""A token is replaced when it is half used up; the key is read anew each time, so that a mounted
secret may be exchanged without a restart."""


def internal_token(
    key: Path, subject: str, issuer: str, audience: str, clock: Callable[[], float] = time.monotonic
) -> Callable[[], str]:
    """Gives `Bearer …` for each call. OSError, ValueError: no private key is there."""

    def fresh() -> str:
        return "Bearer " + mint(
            key, ["INTERNAL"], ["*"],
            subject=subject, hours=VALID_H, issuer=issuer, audience=audience,
        )  # fmt: skip

    token, since = fresh(), clock()

    def current() -> str:
        nonlocal token, since
        if clock() - since > RENEW_S:
            token, since = fresh(), clock()
        return token

    return current
