"""Kecamatan resources become offices of the queue: created, changed, refused, drifted, deleted."""

import kmock
import pytest
import redis as sync_redis

from services.chassis.errors import Problem
from tests.controller.cluster import Cluster, controlled, makassar, prepared, surveyed, until
from tests.queue.servicing import ADMIN, BATCHED_ID, call, message_class, start_queue
from tunggu.survey.v1.tally_pb2 import Share, Tally

CODE = "73.71.03"
pytestmark = [
    pytest.mark.kmock(cls=kmock.KubernetesEmulator),
    pytest.mark.filterwarnings("default"),  # those of kopf and kmock are not ours to end
]


@pytest.fixture
def queue(own_redis, tmp_path):
    process = start_queue(tmp_path / "queue", own_redis.url)
    yield process
    process.kill()


@pytest.fixture
async def cluster(kmock) -> Cluster:
    return prepared(kmock)


async def office(queue):
    """The office as the public sees it. Problem KECAMATAN_NOT_FOUND."""
    async with queue.channel() as channel:
        request = message_class("GetKecamatanRequest")(kecamatan=CODE)
        return (await call(channel, "GetKecamatan", request)).office


async def offices(queue):
    async with queue.channel() as channel:
        answer = await call(channel, "ListKecamatan", message_class("ListKecamatanRequest")())
        return {line.code: line.name for line in answer.kecamatan}


async def test_a_new_resource_is_an_office_and_says_so(cluster, queue, tmp_path):
    async with controlled(cluster, queue, tmp_path):
        await cluster.create(makassar())
        ready = await cluster.ready()
        assert ready["reason"] == "Applied"
        assert await offices(queue) == {CODE: "Makassar"}
        status = await cluster.status()
        assert status["observedGeneration"] == ready["observedGeneration"] == 1
        assert (status["waiting"], status["servedToday"], status["satisfaction"]) == (0, 0, "-")
        assert (await cluster.condition("Degraded"))["status"] == "False"


async def test_what_people_answered_is_shown_beside_the_office(cluster, queue, tmp_path):
    tally = Tally(answers=45, enough_answers=True, favourable=Share(count=41))
    async with surveyed(tally) as survey, controlled(cluster, queue, tmp_path, survey):
        await cluster.create(makassar())

        async def shown():
            return (await cluster.status()).get("satisfaction", "-") != "-"

        await until(shown)
        assert (await cluster.status())["satisfaction"] == "91% (n=45)"


async def test_a_resource_that_was_there_before_the_controller_is_applied_too(
    cluster, queue, tmp_path
):
    await cluster.create(makassar())
    async with controlled(cluster, queue, tmp_path):
        await cluster.ready()
    assert await offices(queue) == {CODE: "Makassar"}


async def test_a_changed_resource_changes_the_office(cluster, queue, tmp_path):
    async with controlled(cluster, queue, tmp_path):
        await cluster.create(makassar())
        await cluster.ready()
        await cluster.patch({"spec": {"address": "Jalan Baru 1"}})
        await cluster.seen(2)
        assert (await office(queue)).address == "Jalan Baru 1"


async def test_a_refusal_shows_the_field_and_the_reason_of_the_queue_and_changes_nothing(
    cluster, queue, tmp_path
):
    async with controlled(cluster, queue, tmp_path):
        await cluster.create(makassar())
        await cluster.ready()
        since = (await cluster.condition("Ready"))["lastTransitionTime"]
        await cluster.patch({"spec": {"timezone": "Asia/Atlantis", "address": "Laut"}})
        refused = await cluster.ready("False")
        assert refused["reason"] == "InvalidKecamatan"
        assert refused["message"] == "spec.timezone: must be an IANA time zone"
        assert (await cluster.condition("Degraded"))["status"] == "True"
        assert (await office(queue)).address != "Laut"
        await cluster.patch({"spec": {"timezone": "Asia/Makassar"}})
        mended = await cluster.ready("True")
        assert mended["lastTransitionTime"] >= since
        assert (await office(queue)).address == "Laut"


async def test_what_is_no_kecamatan_is_refused_with_the_place(cluster, queue, tmp_path):
    async with controlled(cluster, queue, tmp_path):
        await cluster.create(makassar(counters="1"))
        refused = await cluster.ready("False")
        assert refused["reason"] == "Unreadable"
        assert "counters" in refused["message"]


async def test_an_office_that_somebody_changed_past_the_resource_is_set_right(
    cluster, queue, tmp_path
):
    async with controlled(cluster, queue, tmp_path):
        await cluster.create(makassar())
        await cluster.ready()
        async with queue.channel() as channel:
            delete = message_class("DeleteKecamatanRequest")(kecamatan=CODE, request_id=BATCHED_ID)
            await call(channel, "DeleteKecamatan", delete, ADMIN.bearer)

        async def back():
            return await offices(queue) == {CODE: "Makassar"}

        await until(back)


async def test_a_redis_that_was_wiped_is_told_again(cluster, queue, tmp_path, own_redis):
    async with controlled(cluster, queue, tmp_path):
        await cluster.create(makassar())
        await cluster.ready()
        sync_redis.Redis(unix_socket_path=str(own_redis.socket)).flushall()

        async def back():
            try:
                return (await office(queue)).name == "Makassar"
            except Problem:
                return False

        await until(back)


async def test_while_the_queue_is_away_nobody_says_that_all_is_well(cluster, own_redis, tmp_path):
    queue = start_queue(tmp_path / "queue", own_redis.url)
    try:
        async with controlled(cluster, queue, tmp_path):
            await cluster.create(makassar())
            await cluster.ready()
            queue.kill()
            unknown = await cluster.ready("Unknown")
            assert unknown["message"] == "The queue did not answer."
            assert (await cluster.condition("Progressing"))["status"] == "True"
            assert (await cluster.status())["satisfaction"] == "-"
            queue = start_queue(tmp_path / "queue", own_redis.url, ADDRESS=queue.address)
            await cluster.ready()
    finally:
        queue.kill()


async def test_a_restarted_controller_goes_on_where_the_last_one_was(cluster, queue, tmp_path):
    async with controlled(cluster, queue, tmp_path):
        await cluster.create(makassar())
        await cluster.ready()
    await cluster.patch({"spec": {"address": "Jalan Baru 2"}})
    async with controlled(cluster, queue, tmp_path):
        await cluster.seen(2)
    assert (await office(queue)).address == "Jalan Baru 2"


async def test_deleting_takes_the_office_off_the_list_and_only_then_lets_go(
    cluster, queue, tmp_path
):
    async with controlled(cluster, queue, tmp_path):
        await cluster.create(makassar())
        await cluster.ready()
        await cluster.guarded()
        await cluster.delete()
        await cluster.gone()
        assert await offices(queue) == {}


async def test_of_two_resources_with_one_code_the_older_has_the_office(cluster, queue, tmp_path):
    async with controlled(cluster, queue, tmp_path):
        await cluster.create(makassar())
        await cluster.ready()
        await cluster.create(makassar("another", name="Bukan Makassar"))
        refused = await cluster.ready("False", "another")
        assert refused["reason"] == "CodeTaken"
        assert "makassar" in refused["message"]
        assert await offices(queue) == {CODE: "Makassar"}
        await cluster.guarded("another")
        await cluster.delete("another")
        await cluster.gone("another")
        assert await offices(queue) == {CODE: "Makassar"}
