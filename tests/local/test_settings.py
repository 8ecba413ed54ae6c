"""Variables of `make run`: a bad value is one clear line."""

from pathlib import Path

import pytest

from services.chassis.config import ConfigError
from services.local.errors import LocalError
from services.local.settings import read


def test_the_defaults_are_an_office_around_the_clock_on_port_8080_of_this_machine():
    settings = read({})
    assert (settings.port, settings.host, settings.hours) == (8080, "127.0.0.1", "always")
    assert (settings.folder, settings.limits, settings.speed) == (Path(".tunggu"), "on", 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "70000"),
        ("HOURS", "sometimes"),
        ("LIMITS", "maybe"),
        ("SPEED", "fast"),
        ("SPEED", "0"),
        ("SPEED", "-1"),
        ("SPEED", "nan"),
        ("SPEED", "inf"),
        ("COLOUR", "red"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable(name, value):
    with pytest.raises((LocalError, ConfigError)) as error:
        read({f"TUNGGU_{name}": value})
    assert name in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_other_programs_variables_are_not_ours():
    assert read({"HOST": "bright", "PORT": "1"}) == read({})
