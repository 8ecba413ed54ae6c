"""The key of development: made once, whole, and never guessed at."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519

from services.chassis.token import mint
from services.local.errors import LocalError
from services.local.keys import development_key


def pem(key, password=None):
    lock = serialization.BestAvailableEncryption(password) if password else None
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        lock or serialization.NoEncryption(),
    )


def test_it_is_made_once_for_its_owner_alone_and_signs(tmp_path):
    key = development_key(tmp_path / "keys")
    made = key.read_bytes()
    assert development_key(tmp_path / "keys") == key
    assert key.read_bytes() == made
    assert key.stat().st_mode & 0o777 == 0o600
    assert mint(key, ["OFFICER"], ["*"])
    assert sorted(path.name for path in key.parent.iterdir()) == ["jwks.json", "private.pem"]


def test_the_public_half_beside_it_follows_the_private_one(tmp_path):
    key = development_key(tmp_path)
    first = json.loads((tmp_path / "jwks.json").read_text())["keys"][0]
    key.unlink()
    (tmp_path / ".private.pem").write_text("half of what a killed start wr")
    development_key(tmp_path)
    second = json.loads((tmp_path / "jwks.json").read_text())["keys"][0]
    assert first.keys() == second.keys() >= {"kid", "alg", "x", "y"}
    assert first["kid"] != second["kid"]
    assert "d" not in second


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        pem(ec.generate_private_key(ec.SECP256R1()), b"secret"),
        pem(x25519.X25519PrivateKey.generate()),
    ],
    ids=["empty", "junk", "broken", "locked", "of a kind that signs nothing"],
)
def test_what_is_no_key_is_one_line_with_the_remedy_and_stays(tmp_path, content):
    (tmp_path / "private.pem").write_bytes(content)
    with pytest.raises(LocalError, match=r"private\.pem holds no key that can sign: remove it"):
        development_key(tmp_path)
    assert (tmp_path / "private.pem").read_bytes() == content
