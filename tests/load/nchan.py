"""nginx with nchan, a fan-out in C to hold ours against: a server of this run's own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.processes import free_ports
from tests.load.machine import children, nginx_binary
from tests.load.wire import Line

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
REMEDY = "no nginx with nchan here: make nginx"

_CONFIG = """
load_module {module};
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 16000; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  nchan_shared_memory_size 128M;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /publish {{
      nchan_publisher;
      nchan_channel_id board;
      nchan_message_buffer_length 1;
    }}
    location = /watch {{
      nchan_subscriber eventsource;
      nchan_channel_id board;
      nchan_subscriber_first_message -1;
    }}
  }}
}}
"""


def installed() -> bool:
    return bool(nginx_binary()) and MODULE.exists()


@dataclass
class Nchan:
    """`port` serves GET /watch; `pids` are the master and its worker."""

    port: int
    pids: list[int]
    _line: Line

    async def publish(self, message: bytes) -> float:
        """To all who watch; when it was sent, monotonic."""
        head = b"POST /publish HTTP/1.1\r\nhost: bench\r\naccept: text/json\r\n"
        whole = head + b"content-length: %d\r\n\r\n" % len(message) + message
        begun = time.monotonic()
        status, _ = await self._line.fetch(whole)
        assert status in (201, 202), status
        return begun


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Nchan]:
    (port,) = free_ports(1)
    config = await asyncio.to_thread(_configured, folder, port)
    command = [nginx_binary(), "-c", str(config), "-p", str(folder), "-e", f"{folder}/error.log"]
    process = subprocess.Popen(command)
    line = Line("127.0.0.1", port)
    try:
        await _answers(line, process)
        yield Nchan(port, [process.pid, *children(process.pid)], line)
    finally:
        line.close()
        process.terminate()
        process.wait()


def _configured(folder: Path, port: int) -> Path:
    folder.mkdir()
    config = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(_CONFIG.format(module=MODULE, user=user, folder=folder, port=port))
    return config


async def _answers(line: Line, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while True:
        assert process.poll() is None, "nginx did not start"
        try:
            await line.fetch(b"GET /publish HTTP/1.1\r\nhost: bench\r\n\r\n")
            return
        except OSError:
            assert time.monotonic() < until, "nginx does not answer"
        await asyncio.sleep(0.05)
