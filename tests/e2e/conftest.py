"""The towns of the end-to-end tests: one at peace that the files of races share, each of whose
tests has offices of its own, and a city in mapped time for each test that asks for one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.e2e.mapped import City, mapped_city
from tests.e2e.offices import PATIENCE, Way, Ways
from tests.e2e.processes import Town


@pytest.fixture(scope="package")
def calm_town(tmp_path_factory) -> Iterator[Town]:
    """Three replicas and a gateway, started when first asked for."""
    with Town(tmp_path_factory.mktemp("races"), gateway=True) as town:
        asyncio.run(town.start())
        yield town


@pytest_asyncio.fixture
async def ways(calm_town: Town) -> AsyncIterator[Ways]:
    each = [Way.to(calm_town.target(name)) for name in calm_town.replicas]
    async with (
        Way.to(calm_town.target()) as way,
        httpx.AsyncClient(base_url=calm_town.url, trust_env=False, timeout=PATIENCE) as phone,
    ):
        yield Ways(calm_town, way, each, phone)
    for one in each:
        await one.channel.close()


@pytest_asyncio.fixture
async def city(tmp_path: Path) -> AsyncIterator[City]:
    async with mapped_city(tmp_path) as it:
        yield it
