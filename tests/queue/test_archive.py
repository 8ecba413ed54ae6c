"""Days in the stream and in the archive, read as one journal."""

import gzip
import json

import pytest
import pytest_asyncio

from services.chassis.errors import Problem
from services.queue.archive import Archive, entry_id
from services.queue.keys import Keys

CODE = "73.71.03"
ONE, TWO, THREE = "2026-03-02", "2026-03-03", "2026-03-04"


def leaf(day, n):
    return f'{{"d":"{day}","n":{n}}}'.encode()


def leaves_of(day, count):
    return [leaf(day, n) for n in range(count)]


def record(day):
    return json.dumps({"figures": {"day": day}, "forecast": {"day": day}}).encode()


@pytest_asyncio.fixture
async def archive(redis):
    """Three days in the stream: 5, 3 and 2 events."""
    for day, count in ((ONE, 5), (TWO, 3), (THREE, 2)):
        for n in range(count):
            key = Keys(CODE, "").of("journal")
            await redis.xadd(key, {"l": leaf(day, n)}, id=entry_id(day, n))
    return Archive(redis)


async def days_in_stream(archive):
    return {day for day, _, _ in await archive.follow(CODE, None, 0.1)}


async def test_the_ends_of_the_stream_and_any_event_of_it_are_found(archive):
    assert await archive.oldest(CODE) == (ONE, 0, leaf(ONE, 0))
    assert await archive.newest(CODE) == (THREE, 1, leaf(THREE, 1))
    assert await archive.at(CODE, TWO, 2) == leaf(TWO, 2)
    assert await archive.at(CODE, TWO, 3) is None
    assert await archive.last_before(CODE, THREE) == TWO
    assert await archive.last_before(CODE, ONE) == ""


async def test_an_office_without_a_journal_has_nothing(archive):
    assert await archive.oldest("99.99.99") is None
    assert await archive.newest("99.99.99") is None
    assert await archive.first_day("99.99.99") == ""
    assert await archive.next_day("99.99.99", "") == ""
    with pytest.raises(Problem, match="DAY_NOT_FOUND"):
        await archive.leaves("99.99.99", ONE)


async def test_following_goes_across_days_and_waits_no_longer_than_told(archive):
    following = await archive.follow(CODE, (ONE, 3, leaf(ONE, 3)), 1)
    assert [entry[:2] for entry in following] == [
        (ONE, 4),
        *((TWO, n) for n in range(3)),
        *((THREE, n) for n in range(2)),
    ]
    assert await archive.follow(CODE, (THREE, 1, leaf(THREE, 1)), 0.1) == []


@pytest.mark.parametrize("last", [(THREE, 1, b"another leaf"), (THREE, 2, leaf(THREE, 2))])
async def test_a_journal_that_has_not_what_was_read_from_it_is_not_followed(archive, last):
    assert await archive.follow(CODE, last, 0.1) is None


@pytest.mark.parametrize("kept", [False, True])
async def test_a_day_reads_the_same_from_the_stream_and_from_the_archive(archive, redis, kept):
    if kept:
        await archive.keep(CODE, ONE, leaves_of(ONE, 5), record(ONE))
        await redis.xtrim(Keys(CODE, "").of("journal"), minid=entry_id(TWO, 0), approximate=False)
    assert await archive.all_leaves(CODE, ONE) == leaves_of(ONE, 5)
    assert await archive.leaves(CODE, ONE, 1, 2) == [leaf(ONE, 2), leaf(ONE, 3)]
    for after in (4, 5, 2**31 - 1):
        assert await archive.leaves(CODE, ONE, after) == []
    assert await archive.first_day(CODE) == ONE
    assert await archive.next_day(CODE, "") == ONE
    assert await archive.next_day(CODE, ONE) == TWO
    assert await archive.next_day(CODE, THREE) == ""


async def test_keeping_a_day_drops_older_kept_days_from_the_stream_and_never_itself(archive):
    await archive.keep(CODE, ONE, leaves_of(ONE, 5), record(ONE))
    assert await days_in_stream(archive) == {ONE, TWO, THREE}
    await archive.keep(CODE, TWO, leaves_of(TWO, 3), record(TWO))
    assert await days_in_stream(archive) == {TWO, THREE}
    assert await archive.recorded_days(CODE) == [ONE, TWO]
    found = await archive.records(CODE, [ONE, THREE, TWO])
    assert [entry["figures"]["day"] for entry in found] == [ONE, TWO]
    assert await archive.records(CODE, []) == []


async def test_a_day_that_is_not_kept_is_never_dropped(archive):
    await archive.keep(CODE, TWO, leaves_of(TWO, 3), record(TWO))
    assert await days_in_stream(archive) == {ONE, TWO, THREE}


async def test_keeping_a_day_again_changes_nothing(archive, redis):
    for text in (record(ONE), record("another")):
        await archive.keep(CODE, ONE, leaves_of(ONE, 5), text)
    assert (await archive.records(CODE, [ONE]))[0]["figures"]["day"] == ONE
    key = Keys(CODE, ONE).of_day("archive")
    assert gzip.decompress(await redis.get(key)).splitlines() == leaves_of(ONE, 5)
    assert await redis.ttl(key) > 365 * 86_400


async def test_an_archive_that_differs_from_the_journal_is_not_trusted_and_nothing_dropped(archive):
    await archive.keep(CODE, ONE, leaves_of(ONE, 5), record(ONE))
    await archive.keep(CODE, TWO, leaves_of(TWO, 2), record(TWO))
    with pytest.raises(Problem, match="INTERNAL"):
        await archive.keep(CODE, TWO, leaves_of(TWO, 3), record(TWO))
    assert TWO in await days_in_stream(archive)


async def test_what_was_frozen_is_read_by_day(archive, redis):
    names = {"name": "Makassar", "services": {"A": {"name": "A", "typicalMinutes": 7}}}
    await redis.hset(Keys(CODE, "").of("frozen"), ONE, json.dumps(names))
    assert await archive.frozen(CODE, ONE) == names
    assert await archive.frozen(CODE, TWO) == {"name": CODE, "services": {}}
