"""The token by which the queue knows the survey."""

import jwt
import pytest

from services.chassis.config import ConfigError
from services.chassis.token import make_key
from services.survey.compose import serve
from services.survey.config import SurveyConfig
from services.survey.credential import internal_token


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


async def test_a_key_that_cannot_sign_is_one_clear_line_at_start(tmp_path):
    for name, content in (("none", None), ("text", b"no key")):
        path = tmp_path / name
        if content:
            path.write_bytes(content)
        with pytest.raises(ConfigError, match="TUNGGU_KEY holds no key that can sign"):
            await serve(SurveyConfig(key=str(path)))


def test_a_missing_key_is_noticed_at_once(tmp_path):
    with pytest.raises(OSError, match="none"):
        internal_token(tmp_path / "none", "survey", "tunggu", "tunggu")
