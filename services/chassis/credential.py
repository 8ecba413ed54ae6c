"""Our own token, by which one of our services knows that another one asks."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from cryptography.exceptions import UnsupportedAlgorithm

from .client import channel
from .config import ConfigError, ServerConfig
from .token import mint

VALID_H = 1.0
# A token is replaced when it is half used up; the key is read anew each time, so that a mounted
# secret may be exchanged without a restart.
RENEW_S = 1800.0
# What reading a PEM may raise: no file, no key, one with a password, one of a kind that signs not.
NO_KEY = (OSError, ValueError, TypeError, UnsupportedAlgorithm, StopIteration)


def internal_token(
    key: Path, subject: str, issuer: str, audience: str,
    clock: Callable[[], float] = time.monotonic, role: str = "INTERNAL",
) -> Callable[[], str]:  # fmt: skip
    """Gives `Bearer …` for each call. OSError, ValueError: no private key is there."""

    def fresh() -> str:
        return "Bearer " + mint(
            key, [role], ["*"], subject=subject, hours=VALID_H, issuer=issuer, audience=audience
        )

    token, since = fresh(), clock()

    def current() -> str:
        nonlocal token, since
        if clock() - since > RENEW_S:
            token, since = fresh(), clock()
        return token

    return current


def configured_token(key: str, subject: str, config: Any, role: str) -> Callable[[], str]:
    """`internal_token` with the PEM file of TUNGGU_KEY. ConfigError: it cannot be read.

    `config` has `issuer` and `audience`.
    """
    try:
        return internal_token(Path(key), subject, config.issuer, config.audience, role=role)
    except NO_KEY as error:
        raise ConfigError(f"configuration: TUNGGU_KEY cannot sign: {error}") from None


def internal_channel(target: str, key: str, subject: str, config: ServerConfig) -> grpc.aio.Channel:
    """A channel on which we are INTERNAL, or nobody without `key`, the PEM file of TUNGGU_KEY.

    ConfigError: the key cannot be read.
    """
    token = configured_token(key, subject, config, "INTERNAL") if key else lambda: ""
    return channel(target, authorization=token)
