"""Debian's Firefox ESR without a screen, steered by Marionette, its own remote protocol.

Messages are `<length>:<JSON>`: `[0, id, command, parameters]` there, `[1, id, error, result]` back.
Everything that Firefox would fetch from its maker goes to a proxy that is not there.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

COMMAND = Path("/usr/bin/firefox-esr")
PATIENCE_S = 120
"""For a start on a busy machine."""

PREFERENCES: Mapping[str, Any] = {
    "marionette.port": 0,
    "remote.prefs.recommended": False,  # they switch pushes off
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "app.update.disabledForTesting": True,
    "app.normandy.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.server": "",
    "permissions.default.desktop-notification": 1,
    "dom.push.testing.allowInsecureServerURL": True,
}


class Marionette:
    """One session."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._id = 0

    async def begin(self) -> None:
        await self._message()
        await self._do("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {}}})
        await self._do("WebDriver:SetTimeouts", {"script": PATIENCE_S * 1000})

    async def open(self, url: str) -> None:
        await self._do("WebDriver:Navigate", {"url": url})

    async def run(self, script: str, *arguments: Any) -> Any:
        """What the body of an async function returns, in the page."""
        body = (
            "const done = arguments[arguments.length - 1], given = [...arguments].slice(0, -1);"
            f"(async (...arguments_) => {{ {script} }})(...given)"
            ".then((value) => done({ value }), (error) => done({ error: String(error) }));"
        )
        found = await self._do(
            "WebDriver:ExecuteAsyncScript", {"script": body, "args": list(arguments)}
        )
        assert "error" not in found["value"], found["value"]
        return found["value"].get("value")

    async def _do(self, command: str, parameters: Mapping[str, Any]) -> Any:
        self._id += 1
        text = json.dumps([0, self._id, command, parameters]).encode()
        self._writer.write(b"%d:%s" % (len(text), text))
        await self._writer.drain()
        _, id, error, result = await self._message()
        assert (id, error) == (self._id, None), error
        return result

    async def _message(self) -> Any:
        length = await self._reader.readuntil(b":")
        return json.loads(await self._reader.readexactly(int(length[:-1])))


@asynccontextmanager
async def firefox(profile: Path, preferences: Mapping[str, Any]) -> AsyncIterator[Marionette]:
    """A browser until the block ends; its processes end with it."""
    lines = [
        f"user_pref({json.dumps(name)}, {json.dumps(value)});"
        for name, value in {**PREFERENCES, **preferences}.items()
    ]
    (profile / "user.js").write_text("\n".join(lines))
    command = [COMMAND, "--headless", "--no-remote", "--marionette", "--profile", profile]
    environ = os.environ | {"HOME": str(profile), "MOZ_CRASHREPORTER_DISABLE": "1"}
    with (profile / "log").open("wb") as log:
        process = subprocess.Popen(
            list(map(str, command)), env=environ, stdout=log, stderr=log, start_new_session=True
        )
    try:
        reader, writer = await _connected(profile, process)
        try:
            session = Marionette(reader, writer)
            async with asyncio.timeout(PATIENCE_S):
                await session.begin()
            yield session
        finally:
            writer.close()
    finally:
        _end(process)


async def _connected(
    profile: Path, process: subprocess.Popen[bytes]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    port = profile / "MarionetteActivePort"
    async with asyncio.timeout(PATIENCE_S):
        while True:
            assert process.poll() is None, (profile / "log").read_text()
            try:
                return await asyncio.open_connection("127.0.0.1", int(port.read_text()))
            except (FileNotFoundError, ValueError, ConnectionError):
                await asyncio.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Its whole session: a browser is many processes."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
