"""Many who ask at once ask once."""

import asyncio

import pytest

from services.chassis.errors import Problem
from services.queue_link.kept import Kept


class Asked:
    """Counts how often it is asked; fails while `problem` is set."""

    def __init__(self):
        self.times = 0
        self.problem = None

    async def __call__(self):
        self.times += 1
        await asyncio.sleep(0.01)
        if self.problem:
            raise self.problem
        return self.times


async def test_many_who_ask_at_once_ask_once():
    kept, ask = Kept(60), Asked()
    assert await asyncio.gather(*(kept.get("a", ask) for _ in range(50))) == [1] * 50
    assert await kept.get("b", ask) == 2


async def test_what_is_too_old_or_forgotten_is_asked_anew():
    kept, ask = Kept(0), Asked()
    assert [await kept.get("a", ask), await kept.get("a", ask)] == [1, 2]
    kept = Kept(60)
    await kept.get("a", ask)
    kept.forget("a")
    assert await kept.get("a", ask) == 4


async def test_a_failure_is_not_kept():
    kept, ask = Kept(60), Asked()
    ask.problem = Problem("SERVICE_UNAVAILABLE")
    with pytest.raises(Problem):
        await kept.get("a", ask)
    ask.problem = None
    assert await kept.get("a", ask) == 2


async def test_one_who_goes_away_takes_the_answer_from_nobody():
    kept, ask = Kept(60), Asked()
    first = asyncio.create_task(kept.get("a", ask))
    second = asyncio.create_task(kept.get("a", ask))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1
