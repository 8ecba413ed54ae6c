"""Turns are fair, bounded, and none is ever lost."""

import asyncio
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.errors import Problem
from services.chassis.turns import Turns


class Work:
    """Pieces that run until they are let go; `begun` in the order of their turns."""

    def __init__(self, turns):
        self.turns = turns
        self.begun = []
        self.running = Counter()
        self.let = {}

    def ask(self, key, name=""):
        self.let[key + name] = asyncio.Event()
        return asyncio.create_task(self._run(key, key + name))

    async def _run(self, key, name):
        async with self.turns.turn(key):
            self.begun.append(name)
            self.running[key] += 1
            try:
                await self.let[name].wait()
            finally:
                self.running[key] -= 1

    async def end(self, name):
        self.let[name].set()
        await settled()


async def settled():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_key_runs_no_more_than_its_share_and_the_others_go_at_once():
    work = Work(Turns(running=4, each=2, waiting=9, patience=60))
    tasks = [work.ask("a", str(i)) for i in range(5)] + [work.ask("b"), work.ask("c")]
    await settled()
    assert work.begun == ["a0", "a1", "b", "c"]
    for task in tasks:
        task.cancel()


async def test_lines_take_turns():
    work = Work(Turns(running=1, each=1, waiting=99, patience=60))
    tasks = [work.ask("a", str(i)) for i in range(4)]
    await settled()
    tasks += [work.ask("b", str(i)) for i in range(2)] + [work.ask("c")]
    await settled()
    for name in ("a0", "a1", "b0", "c", "a2", "b1", "a3"):
        assert work.begun[-1] == name
        await work.end(name)
    await asyncio.gather(*tasks)


async def test_beyond_the_bound_the_last_of_the_longest_line_is_refused():
    work = Work(Turns(running=1, each=1, waiting=3, patience=60))
    tasks = {name: work.ask(name[0], name[1:]) for name in ("a", "b1", "b2", "c1", "c2")}
    await settled()
    assert [name for name, task in tasks.items() if task.done()] == ["b2"]
    with pytest.raises(Problem, match="OVERLOADED"):
        await tasks["b2"]
    for name in ("a", "b1", "c1", "c2"):
        await work.end(name)
        await tasks[name]


async def test_who_gives_up_waiting_or_is_cancelled_in_the_moment_of_its_turn_takes_none():
    work = Work(Turns(running=1, each=1, waiting=9, patience=60))
    first, second, third = work.ask("a", "0"), work.ask("a", "1"), work.ask("a", "2")
    await settled()
    second.cancel()
    await settled()
    work.let["a0"].set()
    await asyncio.sleep(0)
    third.cancel()  # its turn has come, it has not run yet
    await asyncio.gather(first, second, third, return_exceptions=True)
    fourth = work.ask("a", "3")
    await settled()
    assert work.begun == ["a0", "a3"]
    await work.end("a3")
    await fourth


async def test_one_that_is_cancelled_and_has_not_said_so_is_passed_over_and_shed_like_any_other():
    work = Work(Turns(running=1, each=1, waiting=2, patience=60))
    first, second, third = work.ask("a", "0"), work.ask("a", "1"), work.ask("b")
    await settled()
    second.cancel()
    work.let["a0"].set()
    await settled()
    assert work.begun == ["a0", "b"]
    fourth, fifth = work.ask("a", "2"), work.ask("a", "3")
    await settled()
    fifth.cancel()
    sixth = work.ask("a", "4")
    await settled()
    await work.end("b")
    await work.end("a2")
    await work.end("a4")
    await asyncio.gather(first, third, fourth, sixth)
    assert second.cancelled()
    assert fifth.cancelled()


async def test_patience_ends():
    turns = Turns(running=1, each=1, waiting=9, patience=0.01)
    async with turns.turn("a"):
        with pytest.raises(Problem, match="OVERLOADED"):
            async with turns.turn("b"):
                pytest.fail("its turn has not come")
    async with turns.turn("b"):
        pass


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=60))
def test_whatever_comes_ends_or_gives_up_nothing_is_lost_and_no_bound_is_passed(steps):
    asyncio.run(life(steps))


async def life(steps):
    turns = Turns(running=3, each=2, waiting=6, patience=60)
    work, tasks = Work(turns), {}
    for i, (key, action) in enumerate(steps):
        if action == "x" or not tasks:
            tasks[f"{key}{i}"] = work.ask(key, str(i))
        else:
            name = sorted(tasks)[i % len(tasks)]
            if action == "y":
                work.let[name].set()
            else:
                tasks[name].cancel()
        if i % 3 == 0:
            await asyncio.sleep(0)
        assert sum(work.running.values()) <= 3
        assert max(work.running.values(), default=0) <= 2
    for name, task in tasks.items():
        work.let[name].set()
        with suppress(Problem, asyncio.CancelledError):
            await task
    assert (turns._free, turns._waiting, turns._running, turns._lines) == (3, 0, {}, {})
