"""One queue process in mapped time, and how it is asked and waited for."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from services.chassis import token
from services.chassis.errors import Problem, from_rpc_error
from tunggu.queue.v1 import kecamatan_pb2_grpc, queue_pb2_grpc

PATIENCE_S = 60.0
"""Nothing takes nearly as long; what does is broken."""


async def until(true: Any, what: str) -> None:
    """Waits for a condition, an awaitable or a plain one; fails after a minute."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = true()
        if await answer if asyncio.iscoroutine(answer) else answer:
            return
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        await asyncio.sleep(0.01)


async def refusal(asked: Awaitable[Any]) -> str:
    """The reason for which it is refused."""
    try:
        answer = await asked
    except Problem as problem:
        return problem.reason
    raise AssertionError(f"not refused: {answer}")


async def unless(asked: Awaitable[Any], *reasons: str) -> Any:
    """The answer, None if it is refused for one of the reasons."""
    try:
        return await asked
    except Problem as problem:
        if problem.reason not in reasons:
            raise
        return None


@dataclass
class Replica:
    """One queue process and the channel to it."""

    process: subprocess.Popen[bytes]
    channel: grpc.aio.Channel
    socket: Path
    keys: Path

    async def ask(self, verb: str, request: Any, role: str = "") -> Any:
        """The answer, of a process that just starts too. Problem as the server said it."""
        service = queue_pb2_grpc.QueueServiceStub(self.channel)
        stub = service if hasattr(service, verb) else _admin(self.channel)
        call = getattr(stub, verb)(
            request, metadata=self._token(role), timeout=PATIENCE_S, wait_for_ready=True
        )
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error

    def _token(self, role: str) -> list[tuple[str, str]]:
        if not role:
            return []
        text = token.mint(self.keys / token.PRIVATE, [role], ["*"], subject=role.lower())
        return [("authorization", f"Bearer {text}")]

    async def end(self, *, gently: bool = False) -> None:
        """At once; `gently` it finishes the calls that it has begun."""
        (self.process.terminate if gently else self.process.kill)()
        await asyncio.to_thread(self.process.wait)
        await self.channel.close()


def _admin(channel: grpc.aio.Channel) -> Any:
    return kecamatan_pb2_grpc.KecamatanServiceStub(channel)


def environ() -> dict[str, str]:
    """The environment without settings that a person may have exported."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TUNGGU_")}
