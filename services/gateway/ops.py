"""What operators ask of a process: is it alive, should it get work, what is it."""

import asyncio
from importlib.metadata import version

import grpc

from services.chassis.errors import Problem
from services.gateway.app import Fixed
from services.gateway.encode import dumped
from services.gateway.exchange import Exchange, Reply

READY_SECONDS = 1.0


def fixed(channel: grpc.aio.Channel, leaving: asyncio.Event) -> dict[bytes, Fixed]:
    """`/healthz` `/readyz` `/version`. Ready: the queue is reached, and we are not leaving."""
    running = version("tunggu")

    async def healthz(_: Exchange) -> Reply:
        return _plain({"status": "ok"})

    async def readyz(_: Exchange) -> Reply:
        if leaving.is_set() or not await reachable(channel):
            raise Problem("SERVICE_UNAVAILABLE")
        return _plain({"status": "ready"})

    async def version_(_: Exchange) -> Reply:
        return _plain({"version": running})

    return {b"/healthz": healthz, b"/readyz": readyz, b"/version": version_}


def _plain(value: dict[str, str]) -> Reply:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    return Reply(200, headers, dumped(value))


async def reachable(channel: grpc.aio.Channel) -> bool:
    """Whether a replica is connected and says that it is ready (the channel asks it)."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            while (state := channel.get_state(True)) is not grpc.ChannelConnectivity.READY:
                await channel.wait_for_state_change(state)
    except TimeoutError:
        return False
    return True
