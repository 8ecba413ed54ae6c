"""What the agent can be told; what it cannot be told is one line."""

import pytest

from services.chassis.config import ConfigError
from services.printer.config import read

GOOD = {"TUNGGU_PRINTER": "tcp://192.0.2.9", "TUNGGU_ORIGINS": "https://antrean.example"}


def test_a_printer_is_an_address_or_a_device():
    assert read(GOOD).address == ("192.0.2.9", 9100)
    assert read(GOOD | {"TUNGGU_PRINTER": "tcp://[::1]:9101"}).address == ("::1", 9101)
    assert read(GOOD | {"TUNGGU_PRINTER": "/dev/usb/lp0"}).address is None


WRONG = [
    ("PRINTER", ""), ("PRINTER", "lp0"), ("PRINTER", "usb://x"), ("PRINTER", "tcp://"),
    ("PRINTER", "tcp://x:y"), ("PRINTER", "tcp://x/y"), ("ORIGINS", ""), ("ORIGINS", "*"),
    ("ORIGINS", "https://a.example/"), ("ORIGINS", "a.example"), ("ORIGINS", "null"),
    ("ORIGINS", "https://A.example"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_anything_else_is_refused_by_its_name(name, value):
    with pytest.raises(ConfigError, match=f"TUNGGU_{name} must be"):
        read(GOOD | {f"TUNGGU_{name}": value})
