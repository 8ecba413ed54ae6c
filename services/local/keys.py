"""The key of development, made at the first start, never half of one."""

import json
import tempfile
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm

from services.chassis.token import PRIVATE, PUBLIC, make_key, public_jwk
from services.local.errors import LocalError
from services.local.whole import write_whole

# What reading a PEM may raise: no key, one with a password, one of a kind that signs no token.
_NO_KEY = (ValueError, TypeError, UnsupportedAlgorithm, StopIteration)


def development_key(folder: Path) -> Path:
    """As the chassis' `make_key`, each file written whole.

    LocalError if what is there is no key; it is left as it is.
    """
    path = folder / PRIVATE
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=folder) as apart:
            write_whole(path, make_key(Path(apart)).read_bytes())
    try:
        public = json.dumps({"keys": [public_jwk(path.read_bytes())[1]]}).encode()
    except _NO_KEY:
        raise LocalError(
            f"{path} holds no key that can sign: remove it, and the next start makes another "
            "(tokens made with the old one are then no longer valid)"
        ) from None
    if not _holds(folder / PUBLIC, public):
        write_whole(folder / PUBLIC, public)
    return path


def _holds(path: Path, content: bytes) -> bool:
    return path.exists() and path.read_bytes() == content
