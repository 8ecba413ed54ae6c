"""What TUNGGU_REDIS_URL may say."""

import pytest

from services.chassis.config import ConfigError, load
from services.redis_link.address import Address, Shape, Target, parse
from services.redis_link.config import RedisConfig


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("redis://h", Target(Shape.SINGLE, (Address("h", 6379),))),
        ("redis://h:7000/3", Target(Shape.SINGLE, (Address("h", 7000),), db=3)),
        ("rediss://h", Target(Shape.SINGLE, (Address("h", 6379),), tls={})),
        (
            "rediss://u:p%40ss@[::1]:1/0?ssl_cert_reqs=none",
            Target(
                Shape.SINGLE, (Address("::1", 1),), "", 0, "u", "p@ss", {"ssl_cert_reqs": "none"}
            ),
        ),
        ("redis://:p@h", Target(Shape.SINGLE, (Address("h", 6379),), password="p")),
        ("unix:///a%20b/s?db=2", Target(Shape.SINGLE, (Address(path="/a b/s"),), db=2)),
        (
            "redis+sentinel://a,b:1/tunggu/4",
            Target(Shape.SENTINEL, (Address("a", 26379), Address("b", 1)), "tunggu", 4),
        ),
        (
            "rediss+cluster://u:p@a:1,b",
            Target(Shape.CLUSTER, (Address("a", 1), Address("b", 6379)), "", 0, "u", "p", {}),
        ),
    ],
)
def test_an_address_names_the_servers_their_shape_and_the_login(url, target):
    assert parse(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "h:6379",
        "http://h",
        "redis://",
        "redis://h:port",
        "redis://h/one",
        "redis://h/1/2",
        "redis://h?timeout=3",
        "redis://h?ssl_cert_reqs=none",
        "redis+sentinel://h",
        "redis+cluster://h/1",
        "redis+cluster://a,,b",
        "rediss://h?ssl_ca_certs=/no/such/file",
    ],
)
def test_an_address_that_cannot_be_is_one_clear_line_at_start(url):
    with pytest.raises(ConfigError, match="TUNGGU_REDIS_URL"):
        load(RedisConfig, {"TUNGGU_REDIS_URL": url}).redis()


def test_passwords_come_from_files_and_are_never_shown(tmp_path):
    for name in ("redis", "sentinel"):
        (tmp_path / name).write_text(f"secret of {name}\n")
    settings = load(
        RedisConfig,
        {
            "TUNGGU_REDIS_URL": "redis+sentinel://h/n",
            "TUNGGU_REDIS_PASSWORD_FILE": str(tmp_path / "redis"),
            "TUNGGU_SENTINEL_PASSWORD_FILE": str(tmp_path / "sentinel"),
            "TUNGGU_REDIS_REPLICAS": "1",
        },
    )
    assert settings.redis_password == "secret of redis"
    assert settings.redis_replicas == 1
    assert "secret" not in repr(settings)
    assert "secret" not in repr(parse("redis://:secret@h"))
