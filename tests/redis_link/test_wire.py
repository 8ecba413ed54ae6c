"""One connection for many callers: whatever happens to one, every reply is its own."""

import asyncio
import contextlib
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as LostError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as LateError

from services.redis_link.redis_policy import CrowdedError, NotConnectedError, problem
from services.redis_link.wire import LANE_MOST, WINDOW, Wire, packed
from tests.redis_link.scripted import scripted


def echo(*texts):
    return [packed(("ECHO", text)) for text in texts]


def bulk(text: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(text), text)


@contextlib.asynccontextmanager
async def wired(server, timeout=5.0):
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_unix_connection(lambda: Wire(timeout), str(server.socket))
    try:
        yield wire
    finally:
        wire.close()
        await wire.lost


async def test_what_is_asked_in_one_turn_of_the_loop_is_one_write(tmp_path):
    async with scripted(tmp_path / "s") as (server, wire):
        written: list[bytes] = []
        write = wire._transport.write
        wire._transport = SimpleNamespace(
            write=lambda data: written.append(data) or write(data), abort=wire._transport.abort
        )
        futures = [wire.send(lane, echo(lane)) for lane in "abcdefgh"]
        await server.heard(8)
        assert len(written) == 1
        server.say(b"".join(bulk(text.encode()) for text in "abcdefgh"))
        assert [await future for future in futures] == [[text.encode()] for text in "abcdefgh"]


async def test_a_reply_that_comes_in_pieces_is_one_reply(tmp_path):
    async with scripted(tmp_path / "s") as (server, wire):
        asked = wire.send("", echo("a", "b"))
        await server.heard(2)
        for byte in b"*2\r\n$3\r\nabc\r\n:7\r\n-ERR no\r\n":
            server.say(bytes([byte]))
            await asyncio.sleep(0.001)
        first, second = await asked
        assert first == [b"abc", 7]
        assert isinstance(second, ResponseError)


async def test_a_caller_who_gives_up_leaves_his_place_empty(tmp_path):
    async with scripted(tmp_path / "s") as (server, wire):
        one, two, three = (wire.send("", echo(text)) for text in "abc")
        await server.heard(3)
        two.cancel()
        server.say(bulk(b"a") + bulk(b"b") + bulk(b"c"))
        assert (await one, await three) == ([b"a"], [b"c"])


async def test_what_nobody_waits_for_any_more_is_not_sent(tmp_path):
    async with scripted(tmp_path / "s") as (server, wire):
        one, two = wire.send("", echo("a")), wire.send("", echo("b"))
        one.cancel()
        assert await server.heard(1) == [b"b"]
        server.say(bulk(b"b"))
        assert await two == [b"b"]


async def test_a_lane_with_many_commands_delays_the_others_by_one_window(tmp_path):
    async with scripted(tmp_path / "s") as (server, wire):
        crowd = wire.send("crowd", echo(*map(str, range(2000))))
        await server.heard(WINDOW)
        single = wire.send("other", echo("me"))
        server.say(bulk(b"x") * WINDOW)
        said = await server.heard(2 * WINDOW)
        assert said.index(b"me") == WINDOW + 1, "at its lane's first turn"
        server.say(bulk(b"x") + bulk(b"me"))
        assert await single == [b"me"]
        assert not crowd.done()


async def test_lanes_take_turns_command_by_command(tmp_path):
    async with scripted(tmp_path / "s") as (server, wire):
        for lane in "abc":
            wire.send(lane, echo(*(f"{lane}{n}" for n in range(3))))
        said = await server.heard(9)
        assert said == [b"a0", b"b0", b"c0", b"a1", b"b1", b"c1", b"a2", b"b2", b"c2"]


async def test_nothing_comes_between_commands_that_are_whole(tmp_path):
    async with scripted(tmp_path / "s") as (server, wire):
        wire.send("a", echo("a1", "a2", "a3"), whole=True)
        wire.send("b", echo("b1"))
        assert await server.heard(4) == [b"a1", b"a2", b"a3", b"b1"]


async def test_a_full_lane_takes_no_more_and_the_others_do(tmp_path):
    async with scripted(tmp_path / "s") as (server, wire):
        wire.send("crowd", echo(*["x"] * (LANE_MOST + WINDOW)))
        await server.heard(WINDOW)
        with pytest.raises(CrowdedError) as refused:
            wire.send("crowd", echo("one more"))
        found = problem(refused.value)
        assert found is not None
        assert found.reason == "OVERLOADED"
        wire.send("other", echo("me"))


async def test_when_the_connection_is_lost_what_was_sent_differs_from_what_was_not(tmp_path):
    async with scripted(tmp_path / "s") as (server, wire):
        asked = wire.send("", echo(*["x"] * (WINDOW + 10)))
        await server.heard(WINDOW)
        server.say(bulk(b"x") * 3 + b"$5\r\nha")
        await asyncio.sleep(0.01)
        server.hang_up()
        replies = await asked
        sent = WINDOW + 3
        assert replies[:3] == [b"x"] * 3
        assert all(type(reply) is LostError for reply in replies[3:sent])
        assert all(isinstance(reply, NotConnectedError) for reply in replies[sent:])
        assert len(replies) == WINDOW + 10
        (late,) = await wire.send("", echo("too late"))
        assert isinstance(late, NotConnectedError)


async def test_an_answer_that_does_not_come_ends_the_connection(tmp_path):
    async with scripted(tmp_path / "s", timeout=0.2) as (_, wire):
        asked = wire.send("", echo(*["x"] * (WINDOW + 1)))
        replies = await asked
        assert all(type(reply) is LateError for reply in replies[:WINDOW])
        assert isinstance(replies[-1], NotConnectedError)
        assert wire.over


async def test_a_slow_server_is_not_given_up_but_neither_waited_for(tmp_path):
    async with scripted(tmp_path / "s", timeout=0.4) as (server, wire):
        crowd = wire.send("crowd", echo(*["x"] * 1000))
        await server.heard(WINDOW)
        said = 0
        while not crowd.done():
            server.say(bulk(b"x"))
            said += 1
            await asyncio.sleep(0.01)
        replies = await crowd
        assert replies[0] == b"x"
        assert type(replies[WINDOW - 1]) is LateError
        assert isinstance(replies[-1], CrowdedError), "not sent"
        last = wire.send("crowd", echo("last"))
        while b"last" not in await server.heard(0):
            server.say(bulk(b"x"))
            said += 1
            await asyncio.sleep(0)
        server.say(bulk(b"x") * (len(server.commands) - 1 - said) + bulk(b"last"))
        assert await last == [b"last"]


@pytest.mark.parametrize("text", [b"hello\r\n", b"+OK\r\n"], ids=["garbage", "nobody asked"])
async def test_what_is_no_answer_ends_the_connection(tmp_path, text):
    async with scripted(tmp_path / "s") as (server, wire):
        server.say(text)
        await wire.lost
        assert wire.over


Orders = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(1, 300),
        st.booleans(),
        st.sampled_from(["stays", "goes at once", "goes a turn later", "goes when written"]),
    ),
    min_size=1,
    max_size=12,
)


@given(orders=Orders)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_reply_is_to_its_own_command_whoever_gives_up_whenever(redis_server, orders):
    async def run():
        async with wired(redis_server) as wire:
            kept = []
            for number, (lane, count, whole, fate) in enumerate(orders):
                texts = [f"{number}/{i}".encode() for i in range(count)]
                asked = wire.send(lane, echo(*texts), whole=whole and count < WINDOW)
                if fate == "stays":
                    kept.append((asked, texts))
                    continue
                if fate != "goes at once":
                    await asyncio.sleep(0 if fate == "goes a turn later" else 0.001)
                asked.cancel()
            for asked, texts in kept:
                assert await asked == texts
            assert await wire.send("a", echo("last")) == [b"last"]

    asyncio.run(run())


async def test_a_huge_pipeline_is_answered_in_order(redis_server):
    async with wired(redis_server) as wire:
        texts = [f"{n}".encode() * (n % 50) for n in range(20_000)]
        asked = wire.send("crowd", echo(*texts))
        others = [await wire.send("other", echo(str(n))) for n in range(50)]
        assert others == [[str(n).encode()] for n in range(50)]
        assert not asked.done()
        assert await asked == texts


async def test_a_killed_server_leaves_nobody_waiting(own_redis):
    async with wired(own_redis) as wire:
        asked = [wire.send(str(n % 7), echo(*map(str, range(500)))) for n in range(40)]
        await asyncio.sleep(0.005)
        own_redis.kill()
        for replies in await asyncio.gather(*asked):
            states = [
                0 if isinstance(reply, bytes) else 2 if isinstance(reply, NotConnectedError) else 1
                for reply in replies
            ]
            assert states == sorted(states), "answered, sent, not sent: in this order"
