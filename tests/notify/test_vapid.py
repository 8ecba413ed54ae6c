"""The key of Web Push: made once, the same for every replica, for ever."""

import asyncio
from dataclasses import replace

from services.notify.config import NotifyConfig
from services.notify.vapid import made, private_key, public_text, with_vapid
from services.redis_link.link import redis_connection

SETTINGS = NotifyConfig(contact="mailto:ops@city.example")


async def test_replicas_that_start_at_once_agree_on_one_key(redis):
    found = await asyncio.gather(*[with_vapid(SETTINGS, redis) for _ in range(20)])
    assert len({settings.vapid for settings in found}) == 1
    assert len(public_text(private_key(found[0].vapid))) == 87


async def test_a_key_survives_the_death_of_redis(own_redis):
    async def key():
        client = redis_connection(own_redis.url)
        try:
            return (await with_vapid(SETTINGS, client)).vapid
        finally:
            await client.aclose()

    first = await key()
    own_redis.kill()
    own_redis.start()
    assert await key() == first


async def test_a_key_that_is_given_is_used_and_not_kept(redis):
    given = replace(SETTINGS, vapid=made())
    assert await with_vapid(given, redis) == given
    assert await redis.dbsize() == 0


async def test_without_web_push_no_key_is_made(redis):
    assert (await with_vapid(NotifyConfig(), redis)).vapid == ""
    assert await redis.dbsize() == 0
