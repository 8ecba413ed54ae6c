import asyncio

import pytest

from services.chassis.errors import Problem
from services.gateway.door import Door


async def test_no_more_than_its_width_pass_a_door_at_one_turn_of_the_loop_in_their_order():
    door, passed, by_turn = Door(3, 5), [], []

    async def come(name):
        await door.passed()
        passed.append(name)

    coming = [asyncio.create_task(come(name)) for name in range(20)]
    while len(passed) < 20:
        before = len(passed)
        await asyncio.sleep(0)
        by_turn.append(len(passed) - before)
    assert passed == list(range(20))
    assert max(by_turn) <= 3
    await asyncio.gather(*coming)


async def test_who_waits_too_long_before_a_door_is_sent_away_and_the_next_still_gets_in():
    door = Door(1, 0.02)
    async with door.inside():
        with pytest.raises(Problem) as caught:
            await door.passed()
        assert caught.value.reason == "OVERLOADED"
    await door.passed()


async def test_who_hangs_up_before_a_door_or_fails_inside_leaves_it_open():
    door = Door(1, 5)
    async with door.inside():
        waiting = asyncio.create_task(door.passed())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    with pytest.raises(ValueError, match="inside"):
        async with door.inside():
            raise ValueError("inside")
    await door.passed()
