"""What the survey refuses to start with."""

import pytest

from services.chassis.config import ConfigError
from services.survey.compose import serve
from services.survey.config import SurveyConfig


async def test_a_key_that_cannot_sign_is_one_clear_line_at_start(tmp_path):
    for name, content in (("none", None), ("text", b"no key")):
        path = tmp_path / name
        if content:
            path.write_bytes(content)
        with pytest.raises(ConfigError, match="TUNGGU_KEY cannot sign"):
            await serve(SurveyConfig(key=str(path)))
