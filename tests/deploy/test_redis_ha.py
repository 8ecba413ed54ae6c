"""The scripts of redis-ha with real processes: who starts as what, also after a power cut."""

import shutil

import pytest

from tests.deploy.members import members
from tests.redis_link.shapes import until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def shape(tmp_path):
    with members(tmp_path) as shape:
        yield shape


def start(*chosen):
    for member in chosen:
        member.start()


def test_the_last_primary_is_the_primary_whoever_dies_and_when_all_start_again(shape):
    start(*shape.all)
    until(shape.whole)
    first = shape.named()
    assert first is shape.servers[0]
    first.client.set("ticket", "A001")
    assert first.client.wait(2, 5000) == 2

    first.kill()
    until(lambda: shape.named() is not first)
    second = shape.named()
    until(lambda: second.client.info("replication")["role"] == "master")
    until(lambda: second.client.info("replication")["min_slaves_good_slaves"] == 1)
    assert second.client.get("ticket") == b"A001"
    second.client.set("ticket", "A002")

    start(first)
    until(shape.whole)
    assert shape.named() is second
    assert first.client.info("replication")["role"] == "slave"
    assert second.client.wait(2, 5000) == 2

    for member in shape.all:
        member.kill()
    start(*shape.all)
    until(shape.whole)
    assert shape.named() is second
    assert {server.client.get("ticket") for server in shape.servers} == {b"A002"}


def test_without_a_sentinel_only_the_first_member_starts_and_only_on_an_empty_disk(shape):
    first, second, _ = shape.servers
    start(second)
    until(lambda: "most Sentinels do not answer" in second.log)
    start(first)
    until(first.client.ping)
    first.kill()
    assert list((first.folder / "data").iterdir())
    start(first)
    until(lambda: "most Sentinels do not answer" in first.log)
    assert "Ready to accept connections" not in second.log


def test_a_sentinel_that_lost_its_disk_makes_nobody_primary(shape):
    """It knows nothing but the first member, which was replaced and has less."""
    start(*shape.all)
    until(shape.whole)
    first = shape.named()
    first.kill()
    until(lambda: shape.named() is not first)
    second = shape.named()
    until(lambda: second.client.info("replication")["min_slaves_good_slaves"] == 1)
    second.client.set("ticket", "A002")
    for member in shape.all:
        member.kill()
    forgetful, *others = shape.sentinels
    shutil.rmtree(forgetful.folder / "data")

    start(forgetful)
    until(forgetful.client.ping)
    start(first)
    until(lambda: "most Sentinels do not answer, or differ" in first.log)
    start(*others, *(server for server in shape.servers if server is not first))
    until(shape.whole)
    assert shape.named() is second
    assert {server.client.get("ticket") for server in shape.servers} == {b"A002"}
