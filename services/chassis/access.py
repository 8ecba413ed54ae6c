"""Who calls, and whether the method admits them.

Staff carry a JWT of an OpenID provider: `tunggu_role` (a role or a list) and
`tunggu_kecamatan` (a code, a list, or "*"). The roles that a method admits are its
option `(tunggu.access.v1.requires)`; there is no hierarchy. Absent: sessions, users.
"""

import asyncio
import json
import logging
import time
import urllib.request
from collections.abc import Callable, Collection, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from google.protobuf.descriptor import ServiceDescriptor

from tunggu.access.v1.access_pb2 import Role, requires

from .errors import Problem

# No HMAC: who can verify could then sign. No "none".
ALGORITHMS = {f"{family}{bits}" for family in ("ES", "RS", "PS") for bits in (256, 384, 512)}
ALGORITHMS |= {"EdDSA"}
OPEN = frozenset({"PUBLIC", "HOLDER"})  # roles that need no token
EVERYWHERE = "*"
REQUIRED = ["aud", "exp", "iss", "sub"]
LONGEST_SUBJECT = 255  # characters, as OpenID Connect has it
LEEWAY = 30  # seconds between our clock and the provider's

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Caller:
    """The bearer of a token; one without a token has no subject and no roles."""

    subject: str = ""
    roles: frozenset[str] = frozenset()
    kecamatan: frozenset[str] = frozenset()


ANYONE = Caller()
CALLER: ContextVar[Caller] = ContextVar("caller", default=ANYONE)


def caller() -> Caller:
    """Who makes the running call."""
    return CALLER.get()


def require(roles: Collection[str], kecamatan: str | None = None) -> None:
    """Refuses the running call unless its caller has one of `roles`, for `kecamatan` if named."""
    who = caller()
    if not who.subject:
        raise Problem("UNAUTHENTICATED")
    if who.roles.isdisjoint(roles):
        raise Problem("PERMISSION_DENIED")
    if kecamatan is not None and who.kecamatan.isdisjoint({kecamatan, EVERYWHERE}):
        raise Problem("OTHER_KECAMATAN", {"kecamatan": kecamatan[:32]})


@dataclass(frozen=True)
class Rule:
    """What a method admits. `staff_roles` holds for requests without a ticket id."""

    roles: frozenset[str]
    staff_roles: frozenset[str]

    def admit(self, request: Any) -> None:
        """Refuses the running call if its caller may not make this request."""
        by_id = getattr(request, "ticket_id", "") != ""
        if by_id and self.staff_roles and getattr(request, "number", ""):
            raise Problem("INVALID_REQUEST", {"field": "number"})  # else HOLDER could reach it
        roles = self.staff_roles if self.staff_roles and not by_id else self.roles
        if roles.isdisjoint(OPEN):
            require(roles, getattr(request, "kecamatan", None))


def rules(services: Iterable[ServiceDescriptor]) -> dict[str, Rule]:
    """The rule of each method by its path. LookupError: a method has none, or admits nobody."""
    found = {}
    for service in services:
        for method in service.methods:
            option = method.GetOptions().Extensions[requires]
            if not option.roles or Role.ROLE_UNSPECIFIED in (*option.roles, *option.staff_roles):
                raise LookupError(f"{method.full_name} lacks (tunggu.access.v1.requires)")
            found[f"/{service.full_name}/{method.name}"] = Rule(
                _names(option.roles), _names(option.staff_roles)
            )
    return found


def _names(roles: Iterable[Any]) -> frozenset[str]:
    return frozenset(Role.Name(role).removeprefix("ROLE_") for role in roles)


@dataclass
class Keys:
    """Public keys, from the JWKS at a URL or in a file, or several with commas; "" holds none.

    An unknown key id looks again, at most every `pause` seconds of `clock`; what was
    known of a source stays while that fails.
    """

    source: str
    pause: float = 60.0
    clock: Callable[[], float] = time.monotonic
    known: dict[str, jwt.PyJWK] = field(default_factory=dict)
    _by_source: dict[str, dict[str, jwt.PyJWK]] = field(default_factory=dict)
    _next: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """The key; None if the provider has none of that id."""
        if key_id not in self.known:
            async with self._lock:
                if self.source and key_id not in self.known and self.clock() >= self._next:
                    await self._refresh()
        return self.known.get(key_id)

    async def _refresh(self) -> None:
        self._next = self.clock() + self.pause
        sources = [source.strip() for source in self.source.split(",")]
        await asyncio.gather(*(self._read(source) for source in sources if source))
        self.known = {name: key for keys in self._by_source.values() for name, key in keys.items()}

    async def _read(self, source: str) -> None:
        try:
            document = await asyncio.to_thread(_read, source)
            keys = jwt.PyJWKSet.from_dict(json.loads(document)).keys
            self._by_source[source] = {
                key.key_id: key for key in keys if key.key_id and key.algorithm_name in ALGORITHMS
            }
        except (OSError, ValueError, TypeError, AttributeError, jwt.PyJWTError) as error:
            log.warning("cannot read the JWKS: %s", error)


def _read(source: str) -> bytes:
    if not source.startswith(("http://", "https://")):
        return Path(source).read_bytes()
    with urllib.request.urlopen(source, timeout=5) as answer:  # noqa: S310  (the scheme is checked)
        return answer.read(1 << 20)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Verifier:
    """Turns the `authorization` of a call into its caller."""

    keys: Keys
    issuer: str
    audience: str

    async def caller(self, authorization: str) -> Caller:
        """Problem TOKEN_EXPIRED or TOKEN_INVALID; without any token a caller without roles."""
        if not authorization:
            return ANYONE
        try:
            return _caller(await self._claims(authorization))
        except jwt.ExpiredSignatureError:
            raise Problem("TOKEN_EXPIRED") from None
        except jwt.PyJWTError as error:
            raise Problem("TOKEN_INVALID", private=type(error).__name__) from None

    async def _claims(self, authorization: str) -> Mapping[str, Any]:
        scheme, _, token = authorization.partition(" ")
        header = jwt.get_unverified_header(token)
        if scheme.lower() != "bearer" or str(header.get("alg")) not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError
        key = await self.keys.find(str(header.get("kid", "")))
        if key is None:
            raise jwt.InvalidKeyError
        named: dict[str, Any] = {"audience": self.audience, "issuer": self.issuer, "leeway": LEEWAY}
        return jwt.decode(token, key, [key.algorithm_name], {"require": REQUIRED}, **named)


def _caller(claims: Mapping[str, Any]) -> Caller:
    if not 0 < len(claims["sub"]) <= LONGEST_SUBJECT:  # the empty one means: no token
        raise jwt.InvalidTokenError("sub")
    roles, kecamatan = _several(claims, "tunggu_role"), _several(claims, "tunggu_kecamatan")
    return Caller(claims["sub"], roles - OPEN, kecamatan)


def _several(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    value = claims.get(name, ())
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise jwt.InvalidTokenError(name)
    return frozenset(parts)
