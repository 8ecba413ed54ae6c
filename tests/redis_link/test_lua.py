"""Lua scripts from files, on a real Redis."""

import pytest
from redis.exceptions import NoScriptError, ResponseError

from services.redis_link.link import redis_connection
from services.redis_link.lua import Scripts

ADD = """
-- KEYS[1] sum  a number
-- ARGV[1] more  what is added
local sum, more = KEYS[1], ARGV[1]
if more == 'boom' then return redis.error_reply('BOOM') end
return double(redis.call('INCRBY', sum, more))
"""
PRELUDE = "local function double(n) return 2 * n end\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "lua"
    folder.mkdir()
    (folder / "_prelude.lua").write_text(PRELUDE)
    (folder / "add.lua").write_text(ADD)
    return folder


@pytest.fixture
async def redis(redis_server):
    async with redis_connection(redis_server.url) as redis:
        await redis.flushall()
        await redis.script_flush()
        yield redis


def test_each_file_is_a_script_by_its_name_with_the_prelude_before_it(folder):
    scripts = Scripts.load(folder)
    assert list(scripts.by_name) == ["add"]
    assert scripts["add"].source == PRELUDE + ADD


def test_another_source_is_another_hash_so_two_releases_never_mix(folder):
    before = Scripts.load(folder)["add"].sha
    (folder / "_prelude.lua").write_text(PRELUDE.replace("2", "3"))
    assert Scripts.load(folder)["add"].sha != before


def test_a_folder_without_scripts_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no Lua scripts"):
        Scripts.load(tmp_path)


async def test_a_server_that_does_not_know_the_script_is_taught_it(folder, redis):
    scripts = Scripts.load(folder)
    assert await scripts.run(redis, "add", ["sum"], [4]) == 8
    await redis.script_flush()
    assert await scripts.run(redis, "add", ["sum"], [1]) == 10


async def test_the_hash_is_the_one_that_redis_computes(folder, redis):
    script = Scripts.load(folder)["add"]
    assert await redis.script_load(script.source) == script.sha


async def test_a_script_error_is_raised_by_run(folder, redis):
    with pytest.raises(ResponseError, match="BOOM"):
        await Scripts.load(folder).run(redis, "add", ["sum"], ["boom"])


async def test_many_calls_give_a_result_or_an_error_each_in_order(folder, redis):
    calls = [(["sum"], [1]), (["sum"], ["boom"]), (["sum"], [2]), (["sum"], ["x"])]
    results = await Scripts.load(folder).run_many(redis, "add", calls)
    assert (results[0], results[2]) == (2, 6)
    assert isinstance(results[1], ResponseError)
    assert isinstance(results[3], ResponseError)
    assert not any(isinstance(result, NoScriptError) for result in results)


async def test_many_calls_take_one_round_trip_once_the_script_is_known(folder, redis):
    scripts = Scripts.load(folder)
    await scripts.run(redis, "add", ["sum"], [1])
    await redis.config_resetstat()
    await scripts.run_many(redis, "add", [(["sum"], [1])] * 50)
    calls = await redis.info("commandstats")
    assert calls["cmdstat_evalsha"]["calls"] == 50
    assert "cmdstat_multi" not in calls
