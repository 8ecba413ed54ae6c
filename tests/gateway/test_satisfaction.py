"""One office's survey day, followed for all who watch it."""

import asyncio

import pytest

from services.chassis.errors import Problem
from services.gateway.satisfaction import Survey
from services.gateway.streams import Fanout, Timing
from tunggu.survey.v1.survey_pb2 import Satisfaction, WatchSatisfactionResponse

CODE, DAY = "73.71.03", "2026-03-02"


def state(answers):
    shown = Satisfaction(name="Kepuasan Cepat", kecamatan=CODE, to=DAY)
    shown.total.answers = answers
    return WatchSatisfactionResponse(satisfaction=shown)


class FakeSurvey:
    """Streams, one after the other: states, or a Problem that breaks the stream off."""

    def __init__(self, *streams):
        self.streams = list(streams)
        self.asked = []

    async def watch(self, kecamatan):
        self.asked.append(kecamatan)
        for item in self.streams.pop(0) if self.streams else [None]:
            if isinstance(item, Problem):
                raise item
            if item is None:
                await asyncio.Event().wait()
            yield item


@pytest.fixture
def follow():
    """Runs the source of a fake survey's streams."""
    tasks = []

    def start(*streams):
        fake = FakeSurvey(*streams)
        source = Survey(CODE, fake.watch, Fanout(Timing(stale=0.01)))
        tasks.append(asyncio.create_task(source.run()))
        return source, fake

    yield start
    for task in tasks:
        task.cancel()


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def test_each_new_state_is_one_frame_named_by_its_day_and_content(follow):
    source, fake = follow([state(1), state(1), state(2), None])
    seen = []
    while len(seen) < 2:
        await until(lambda: source.feed.frame and source.feed.frame.id not in seen)
        seen.append(source.feed.frame.id)
        if b'"answers":2' in source.feed.frame.data:
            break
    assert fake.asked == [CODE]
    assert all(id.startswith(f"{DAY}/") for id in seen)
    assert source.feed.frame.data.startswith(b"event: satisfaction\nid: 2026-03-02/")


async def test_a_broken_stream_makes_watchers_stale_and_another_one_fresh_again(follow):
    source, _ = follow([state(1), Problem("SERVICE_UNAVAILABLE")], [state(1), None])
    await until(lambda: source.feed.stale)
    await until(lambda: not source.feed.stale)
    assert b'"answers":1' in source.feed.frame.data


async def test_an_unknown_office_ends_it_with_the_surveys_refusal(follow):
    source, _ = follow([Problem("KECAMATAN_NOT_FOUND", {"kecamatan": CODE})])
    await until(lambda: source.feed.ended)
    assert source.feed.failure.reason == "KECAMATAN_NOT_FOUND"
