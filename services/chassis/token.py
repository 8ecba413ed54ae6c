"""Keys and tokens of staff, for development and for services of our own.

`python -m services.chassis.token --role OFFICER --kecamatan 73.71.03 --key FILE`
"""

import argparse
import base64
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tunggu.access.v1.access_pb2 import Role

from .config import ServerConfig

PRIVATE, PUBLIC = "private.pem", "jwks.json"
ROLES = tuple(name.removeprefix("ROLE_") for name in Role.keys()[3:])  # those that need a token
KINDS = {"ES256": EllipticCurvePrivateKey, "EdDSA": Ed25519PrivateKey, "RS256": RSAPrivateKey}
THUMBPRINT = ("crv", "e", "kty", "n", "x", "y")  # RFC 7638, sorted; absent ones do not count


def make_key(folder: Path) -> Path:
    """The private key in `folder`, made there if absent, with the JWKS that names it beside it."""
    path = folder / PRIVATE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        key = ec.generate_private_key(ec.SECP256R1())
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    (folder / PUBLIC).write_text(json.dumps({"keys": [public_jwk(path.read_bytes())[1]]}))
    return path


def public_jwk(pem: bytes) -> tuple[Any, dict[str, str]]:
    """The private key of a PEM and its public half as a JWK with `alg` and `kid`."""
    key = serialization.load_pem_private_key(pem, password=None)
    name = next(name for name, kind in KINDS.items() if isinstance(key, kind))
    jwk = json.loads(jwt.get_algorithm_by_name(name).to_jwk(key.public_key()))
    named = json.dumps({m: jwk[m] for m in THUMBPRINT if m in jwk}, separators=(",", ":"))
    digest = hashlib.sha256(named.encode()).digest()
    kid = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return key, jwk | {"alg": name, "kid": kid, "use": "sig"}


def mint(
    key: Path,
    roles: Sequence[str],
    kecamatan: Sequence[str],
    *,
    subject: str = "",
    hours: float = 12.0,
    issuer: str = ServerConfig.issuer,
    audience: str = ServerConfig.audience,
) -> str:
    """A token for the bearer to act in `roles` for `kecamatan` (codes, or "*")."""
    private, jwk = public_jwk(key.read_bytes())
    now = int(time.time())
    who = subject or "-".join([*roles, *kecamatan]).lower()
    claims = {"iss": issuer, "aud": audience, "sub": who, "iat": now}
    claims |= {"exp": now + int(hours * 3600), "tunggu_role": list(roles)}
    claims |= {"tunggu_kecamatan": list(kecamatan)}
    return jwt.encode(claims, private, jwk["alg"], {"kid": jwk["kid"]})


def main(arguments: Sequence[str]) -> str:
    """The token that the arguments ask for. SystemExit: one line that says why there is none."""
    parser = argparse.ArgumentParser(prog="token", description="Print a token for staff.")
    parser.add_argument("--role", required=True, type=_roles, help=f"of {','.join(ROLES)}")
    parser.add_argument("--kecamatan", default="*", type=_list, help="codes with commas, or *")
    parser.add_argument("--key", required=True, type=Path, help="private key, PEM")
    parser.add_argument("--subject", default="", help="who; by default role and kecamatan")
    parser.add_argument("--hours", default=12.0, type=float, help="until it expires")
    parser.add_argument("--issuer", default=ServerConfig.issuer)
    parser.add_argument("--audience", default=ServerConfig.audience)
    given = vars(parser.parse_args(arguments))
    try:
        return mint(given.pop("key"), given.pop("role"), given.pop("kecamatan"), **given)
    except (OSError, ValueError) as error:
        raise SystemExit(f"token: --key: {error} (`make run` makes the development key)") from None


def _list(text: str) -> list[str]:
    return text.split(",")


def _roles(text: str) -> list[str]:
    if unknown := set(_list(text)) - set(ROLES):
        raise argparse.ArgumentTypeError(f"no such role: {', '.join(sorted(unknown))}")
    return _list(text)


if __name__ == "__main__":
    print(main(sys.argv[1:]))
