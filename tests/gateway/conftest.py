"""One gateway with its fake queue a test module, and a client."""

import pytest

from services.chassis.token import make_key, mint
from tests.gateway.stack import Stack


@pytest.fixture(scope="module")
def stack():
    with Stack(heartbeat=0.2, origins=("https://kota.example",)) as running:
        yield running


@pytest.fixture
def client(stack):
    stack.do(stack.fake.forget())
    with stack.client() as speaking:
        yield speaking


@pytest.fixture(scope="module")
def staff_key(tmp_path_factory):
    """The keys that sign staff tokens, and a kiosk's token."""
    key = make_key(tmp_path_factory.mktemp("keys"))
    return key.with_name("jwks.json"), mint(key, ["KIOSK"], ["73.71.03"])
