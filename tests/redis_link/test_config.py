"""Where Redis is and what time it is, as each process is told."""

import pytest

from services.chassis.config import ConfigError, load
from services.queue.config import QueueConfig
from services.redis_link.config import RedisConfig
from services.survey.config import SurveyConfig

DEVELOPMENT = {"TUNGGU_ENV": "development"}


@pytest.mark.parametrize("kind", [RedisConfig, QueueConfig, SurveyConfig])
def test_a_mapped_clock_is_for_development_only(kind):
    mapped = {"TUNGGU_CLOCK": "1,2,300"}
    with pytest.raises(ConfigError, match="TUNGGU_CLOCK is for TUNGGU_ENV=development only"):
        load(kind, mapped)
    assert load(kind, DEVELOPMENT | mapped).domain_clock().text == "1,2,300.0"


def test_whatever_is_for_development_only_is_named_at_once():
    with pytest.raises(ConfigError, match="TUNGGU_CLOCK and TUNGGU_HOURS"):
        load(QueueConfig, {"TUNGGU_CLOCK": "1,2,3", "TUNGGU_HOURS": "always"})
    assert load(QueueConfig, DEVELOPMENT | {"TUNGGU_HOURS": "always"}).always_open


def test_without_a_mapping_the_clock_is_redis_own():
    clock = load(RedisConfig, {}).domain_clock()
    assert clock.text == ""
    assert clock.read(1_456_000_000_000) == 1_456_000_000_000


def test_a_mapped_clock_counts_from_its_start_with_its_speed():
    clock = load(RedisConfig, DEVELOPMENT | {"TUNGGU_CLOCK": "1000,50000,60"}).domain_clock()
    assert [clock.read(now) for now in (1000, 1001, 2000)] == [50_000, 50_060, 110_000]


@pytest.mark.parametrize("text", ["1,2", "a,b,c", "1,2,-1", "1,2,nan", "1,2,3,4"])
def test_a_clock_that_cannot_be_is_one_clear_line(text):
    with pytest.raises(ConfigError, match="epoch,start,speed"):
        load(RedisConfig, DEVELOPMENT | {"TUNGGU_CLOCK": text}).domain_clock()
