"""Posting: what cannot be made to happen, against real sockets on loopback."""

import asyncio
import socket
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network

import pytest
from aiohttp import web

from services.notify.outgoing.destinations import Policy, Refused
from services.notify.outgoing.posting import LATEST_S, MOST_BODY, Outgoing, Unreachable
from tests.notify.certificate import authority
from tests.notify.outside import outside

LOCAL = Policy(loopback=True)
NAME = "push.example.com"


def leads_to(*addresses):
    """A resolver that says each answer once, the last one for ever."""
    asked = []

    async def resolve(host, port):
        asked.append(host)
        answer = addresses[min(len(asked), len(addresses)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return [answer] if isinstance(answer, str) else answer

    resolve.asked = asked
    return resolve


async def test_what_is_posted_arrives_and_the_answer_comes_back():
    async with (
        outside(lambda _: web.Response(status=202, text="ok")) as world,
        Outgoing(LOCAL) as out,
    ):
        reply = await out.post(f"{world.url}/a%2Fb?c=%41", b"hello", {"TTL": "60"})
    assert (reply.status, reply.body, reply.retry_after) == (202, b"ok", None)
    (seen,) = world.received
    assert (seen.method, seen.path, seen.body) == ("POST", "/a%2Fb?c=%41", b"hello")
    assert seen.headers["TTL"] == "60"
    assert "Cookie" not in seen.headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(status):
    def redirect(_):
        return web.Response(status=status, headers={"Location": f"{world.url}/inside"})

    async with outside(redirect) as world, Outgoing(LOCAL) as out:
        reply = await out.post(f"{world.url}/x", b"", {})
    assert reply.status == status
    assert [seen.path for seen in world.received] == ["/x"]


@pytest.mark.parametrize(
    "found",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "100.64.0.1",
        "224.0.0.1",
        "::1",
        "fd00:ec2::254",
        "fe80::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "ff02::1",
        "0.0.0.0",
    ],
)
async def test_a_listed_name_that_leads_inside_is_refused_at_check_and_at_post(found):
    async with Outgoing(Policy((NAME,)), resolve=leads_to(found)) as out:
        with pytest.raises(Refused, match="address"):
            await out.check(f"https://{NAME}/x")
        with pytest.raises(Refused, match="address"):
            await out.post(f"https://{NAME}/x", b"", {})


async def test_one_address_inside_among_public_ones_is_enough_to_refuse():
    resolve = leads_to(["8.8.8.8", "127.0.0.1"], ["8.8.8.8", "127.0.0.1"])
    async with Outgoing(Policy((NAME,)), resolve=resolve) as out:
        with pytest.raises(Refused, match="address"):
            await out.post(f"https://{NAME}/x", b"", {})


async def test_a_name_that_changes_between_save_and_send_is_refused_at_send():
    async with outside() as world:
        policy = Policy((NAME,), (world.port,))
        resolve = leads_to("8.8.8.8", "127.0.0.1")
        async with Outgoing(policy, resolve=resolve) as out:
            await out.check(f"https://{NAME}:{world.port}/x")
            with pytest.raises(Refused, match="address"):
                await out.post(f"https://{NAME}:{world.port}/x", b"", {})
    assert world.received == []


async def test_a_connection_is_made_to_the_very_addresses_that_were_checked(monkeypatch):
    """A second look-up, by whomever, would find the inside: there is none."""
    connected = []

    async def connect(self, sock, address):
        connected.append(address)
        raise ConnectionRefusedError

    def no_look_up(*_):
        raise AssertionError("looked up again")

    resolve = leads_to("8.8.8.8", "127.0.0.1")
    async with Outgoing(Policy((NAME,)), resolve=resolve) as out:
        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", no_look_up)
        monkeypatch.setattr(type(asyncio.get_running_loop()), "sock_connect", connect)
        with pytest.raises(Unreachable, match="connect"):
            await out.post(f"https://{NAME}/x", b"", {})
    assert connected == [("8.8.8.8", 443)]
    assert resolve.asked == [NAME]


async def test_even_a_resolver_that_is_fooled_gets_no_socket_to_the_inside(monkeypatch):
    async with Outgoing(Policy((NAME,))) as out:

        async def unchecked(host, port):
            return ["127.0.0.1"]

        monkeypatch.setattr(out._resolver, "checked", unchecked)
        with pytest.raises(Refused, match="address"):
            await out.post(f"https://{NAME}/x", b"", {})


async def test_refused_urls_are_refused_before_anything_is_looked_up():
    resolve = leads_to("8.8.8.8")
    async with Outgoing(Policy((NAME,)), resolve=resolve) as out:
        for url in ("http://push.example.com/", "https://127.0.0.1/", "https://evil.example.com/"):
            with pytest.raises(Refused):
                await out.post(url, b"", {})
    assert resolve.asked == []


async def test_https_is_verified_by_name_and_authority(tmp_path):
    ours, theirs = authority(tmp_path / "ours", NAME), authority(tmp_path / "theirs", NAME)
    async with outside(tls=ours.server()) as world:
        policy = Policy(("*",), (world.port,), (ip_network("127.0.0.0/8"),))

        async def status(name, tls):
            async with Outgoing(policy, resolve=leads_to("127.0.0.1"), tls=tls) as out:
                return (await out.post(f"https://{name}:{world.port}/x", b"", {})).status

        assert await status(NAME, ours.client()) == 201
        for name, tls in (
            (NAME, theirs.client()),
            ("other.example.com", ours.client()),
            (NAME, None),
        ):
            with pytest.raises(Unreachable, match="tls"):
                await status(name, tls)


async def test_an_answer_is_read_only_so_far():
    async def endless(_):
        return web.Response(body=b"x" * (MOST_BODY * 50))

    async with outside(endless) as world, Outgoing(LOCAL) as out:
        reply = await out.post(f"{world.url}/x", b"", {})
    assert reply.body == b"x" * MOST_BODY


async def test_a_compressed_answer_is_not_unpacked():
    packed = web.Response(body=b"\x1f\x8b not really", headers={"Content-Encoding": "gzip"})
    async with outside(lambda _: packed) as world, Outgoing(LOCAL) as out:
        assert (await out.post(f"{world.url}/x", b"", {})).body == b"\x1f\x8b not really"


async def test_an_answer_that_does_not_come_in_time_is_a_time_out():
    async def never(_):
        await asyncio.sleep(60)

    async with outside(never) as world, Outgoing(LOCAL, seconds=0.2) as out:
        with pytest.raises(Unreachable, match="timeout"):
            await out.post(f"{world.url}/x", b"", {})


@asynccontextmanager
async def raw(talk):
    """A TCP server that says what `talk` writes, whatever it is asked; its port."""

    async def handle(reader, writer):
        try:
            await talk(writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.sleep(0.1)


async def test_an_answer_that_drips_is_a_time_out_too():
    async def drip(writer):
        for _ in range(40):
            writer.write(b"H")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with raw(drip) as port, Outgoing(LOCAL, seconds=0.3) as out:
        with pytest.raises(Unreachable):
            await out.post(f"http://127.0.0.1:{port}/x", b"", {})


async def test_nobody_there_a_broken_answer_and_an_unknown_name_are_told_apart():
    async def garbage(writer):
        writer.write(b"not http\r\n\r\n")
        await writer.drain()

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with raw(garbage) as port, Outgoing(LOCAL) as out:
            with pytest.raises(Unreachable, match="connect"):
                await out.post(f"http://127.0.0.1:{taken.getsockname()[1]}/x", b"", {})
            with pytest.raises(Unreachable, match="broken"):
                await out.post(f"http://127.0.0.1:{port}/x", b"", {})
    gone = leads_to(socket.gaierror("no such name"))
    async with Outgoing(Policy((NAME,)), resolve=gone) as out:
        with pytest.raises(Unreachable, match="dns"):
            await out.post(f"https://{NAME}/x", b"", {})


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("999999999999", LATEST_S),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("Mon, 01 Jan 2024 00:00:00 GMT", 0),
    ],
)
async def test_retry_after_is_believed_within_reason(header, seconds):
    reply = web.Response(status=429, headers={"Retry-After": header})
    async with outside(lambda _: reply) as world, Outgoing(LOCAL) as out:
        assert (await out.post(f"{world.url}/x", b"", {})).retry_after == seconds


async def test_retry_after_may_be_a_date():
    until = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    reply = web.Response(status=503, headers={"Retry-After": until})
    async with outside(lambda _: reply) as world, Outgoing(LOCAL) as out:
        wait = (await out.post(f"{world.url}/x", b"", {})).retry_after
    assert 3000 < wait <= 3600


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch):
    async with outside() as proxy, outside() as world, Outgoing(LOCAL) as out:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert (await out.post(f"{world.url}/x", b"", {})).status == 201
    assert proxy.received == []
    assert len(world.received) == 1
