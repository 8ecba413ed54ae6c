"""A city in mapped time for each test that asks for one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.e2e.mapped import City, mapped_city


@pytest_asyncio.fixture
async def city(tmp_path: Path) -> AsyncIterator[City]:
    async with mapped_city(tmp_path) as it:
        yield it
