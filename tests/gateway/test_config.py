"""What the gateway can be told, and what it cannot."""

import pytest

from services.chassis.config import ConfigError
from services.gateway.admission import Limit
from services.gateway.config import read
from services.gateway.limits import Rate


def test_the_defaults_are_sound():
    config = read({})
    assert (config.host, config.port, config.queue) == ("127.0.0.1", 8080, "ipv4:127.0.0.1:50051")
    assert config.most_waiting == 4096


def test_origins_are_a_list_with_commas():
    origins = read({"TUNGGU_ORIGINS": "https://a.example, https://b.example"}).origins
    assert origins == ("https://a.example", "https://b.example")


def test_limits_are_lifted_in_development_only():
    off = {"TUNGGU_LIMITS": "off"}
    free = read(off | {"TUNGGU_ENV": "development"})
    assert free.most_waiting > 10**9
    assert free.rates == {}
    with pytest.raises(ConfigError, match="needs TUNGGU_ENV=development"):
        read(off)


def test_a_limit_is_how_many_a_second_and_how_many_at_once():
    rates = read({"TUNGGU_TAKES": "0.5, 30"}).rates
    assert rates[Limit.TAKES] == Rate(0.5, 30)
    assert rates.keys() == set(Limit)


@pytest.mark.parametrize("value", ["", "1", "1,2,3", "x,1", "1,x", "0,1", "1,0", "-1,1", "nan,1"])
def test_a_limit_that_cannot_be_is_one_line_with_its_name(value):
    with pytest.raises(ConfigError, match=r"TUNGGU_HOLDER_TAKES .* as 50,2000") as caught:
        read({"TUNGGU_HOLDER_TAKES": value})
    assert len(str(caught.value).splitlines()) == 1


def test_a_trusted_proxy_that_is_no_network_is_told_at_the_start():
    with pytest.raises(ConfigError, match="TUNGGU_TRUSTED_PROXIES"):
        read({"TUNGGU_TRUSTED_PROXIES": "10.0.0.0/8,proxy"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("BATCH_SIZE", "257"), ("BATCH_SIZE", "0"), ("PORT", "65536"), ("PORT", "x"), ("QUE", "x")],
)
def test_what_cannot_be_is_one_line_with_its_name(name, value):
    with pytest.raises(ConfigError, match=f"TUNGGU_{name}") as caught:
        read({f"TUNGGU_{name}": value})
    assert len(str(caught.value).splitlines()) == 1
