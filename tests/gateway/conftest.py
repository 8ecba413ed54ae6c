"""One gateway with its fake queue a test module, and a client."""

import pytest

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
