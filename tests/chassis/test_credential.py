"""The token by which one of our services knows another."""

import jwt
import pytest

from services.chassis.credential import internal_token
from services.chassis.token import make_key


def test_its_token_is_an_internal_ones_and_replaced_before_it_expires(tmp_path):
    now = [0.0]
    token = internal_token(make_key(tmp_path), "survey", "tunggu", "tunggu", lambda: now[0])
    first = token()
    claims = jwt.decode(first.removeprefix("Bearer "), options={"verify_signature": False})
    assert (claims["sub"], claims["tunggu_role"], claims["tunggu_kecamatan"]) == (
        "survey", ["INTERNAL"], ["*"],
    )  # fmt: skip
    now[0] = 1799.0
    assert token() is first
    now[0] = 1801.0
    assert token() is not first


def test_a_missing_key_is_noticed_at_once(tmp_path):
    with pytest.raises(OSError, match="none"):
        internal_token(tmp_path / "none", "survey", "tunggu", "tunggu")
