"""What the gateway can be told, and what it cannot."""

import pytest

from services.chassis.config import ConfigError
from services.gateway.config import read


def test_the_defaults_are_sound():
    config = read({})
    assert (config.host, config.port, config.queue) == ("127.0.0.1", 8080, "ipv4:127.0.0.1:50051")
    assert config.most_waiting == 4096


def test_origins_are_a_list_with_commas():
    origins = read({"TUNGGU_ORIGINS": "https://a.example, https://b.example"}).origins
    assert origins == ("https://a.example", "https://b.example")


def test_limits_are_lifted_in_development_only():
    off = {"TUNGGU_LIMITS": "off"}
    assert read(off | {"TUNGGU_ENV": "development"}).most_waiting > 10**9
    with pytest.raises(ConfigError, match="needs TUNGGU_ENV=development"):
        read(off)


@pytest.mark.parametrize(
    ("name", "value"),
    [("BATCH_SIZE", "257"), ("BATCH_SIZE", "0"), ("PORT", "65536"), ("PORT", "x"), ("QUE", "x")],
)
def test_what_cannot_be_is_one_line_with_its_name(name, value):
    with pytest.raises(ConfigError, match=f"TUNGGU_{name}") as caught:
        read({f"TUNGGU_{name}": value})
    assert len(str(caught.value).splitlines()) == 1
