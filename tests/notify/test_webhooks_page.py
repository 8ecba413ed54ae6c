"""docs/WEBHOOKS.md: its example verifies what we send, and its words are those that there are."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from services.notify import signing
from services.notify.agencies.model import State
from services.notify.config import NotifyConfig

PAGE = (Path(__file__).parents[2] / "docs" / "WEBHOOKS.md").read_text("utf-8")
CHANNELS = (Path(__file__).parents[2] / "docs" / "CHANNELS.md").read_text("utf-8")
SOURCES = Path(__file__).parents[2] / "services" / "notify"


@pytest.fixture(scope="module")
def genuine():
    """The function of the page, as whoever copies it has it."""
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(example, names)
    return names["genuine"]


def signed(secret, body, **more):
    return signing.headers(signing.secret_bytes(secret), "msg_1", body, **more)


def test_the_pages_example_believes_what_we_sign(genuine):
    secret = signing.new_secret()
    assert genuine(secret, signed(secret, b'{"a":1}'), b'{"a":1}')


def test_the_pages_example_believes_nothing_else(genuine):
    secret = signing.new_secret()
    headers = signed(secret, b"{}")
    assert not genuine(signing.new_secret(), headers, b"{}")
    assert not genuine(secret, headers, b"{ }")
    assert not genuine(secret, headers | {"webhook-id": "msg_2"}, b"{}")
    assert not genuine(secret, signed(secret, b"{}", now=1_700_000_000), b"{}")


def test_the_pages_name_every_state_and_every_word_of_an_outcome():
    text = "".join(path.read_text("utf-8") for path in (SOURCES / "channels").glob("*.py"))
    words = set(re.findall(r'(?:gone|retry|refused)\("([A-Z_]+)"', text))
    words |= set(re.findall(r': "([A-Z_]+)"[,}]', text))
    assert words
    assert {word for word in words if f"`{word}`" not in CHANNELS} == set()
    assert all(f"`{state.value}`" in PAGE for state in State)


def test_the_pages_name_only_settings_that_there_are():
    named = set(re.findall(r"TUNGGU_[A-Z_]+", PAGE + CHANNELS))
    known = {"TUNGGU_" + item.name.upper() for item in fields(NotifyConfig)}
    assert {name.removesuffix("_FILE") for name in named} <= known
