"""Many watchers in a process of their own, each as a browser's EventSource is.

`python -m tests.gateway.crowd PORT PATH:COUNT …`. Each follows its stream, remembers the last
id, and comes back when it was told to, whatever ended the stream. A line on standard input is
answered with the state of all as JSON; the end of the input is theirs.
"""

import asyncio
import json
import sys
from collections import Counter


class Source(asyncio.Protocol):
    """One watcher, over all its connections."""

    def __init__(self, port, path):
        self.port, self.path = port, path
        self.id = ""
        self.retry = 1000
        self.open = False
        self.waits = []  # ms that it was told
        self.begun = self.frames = self.refused = 0

    async def connect(self):
        try:
            await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self.port)
        except OSError:
            self.come_back()

    def come_back(self):
        loop = asyncio.get_running_loop()
        loop.call_later(self.retry / 1000, lambda: keep(self.connect()))

    def connection_made(self, transport):
        self.heard = b""
        last = f"last-event-id: {self.id}\r\n" if self.id else ""
        transport.write(f"GET {self.path} HTTP/1.1\r\nhost: x\r\n{last}\r\n".encode())

    def data_received(self, data):
        self.heard += data
        if not self.open and b"\r\n\r\n" in self.heard:
            head, _, self.heard = self.heard.partition(b"\r\n\r\n")
            if head.split()[1] == b"200":
                self.open = True
                self.begun += 1
            else:
                self.refused += 1
        while self.open and b"\n\n" in self.heard:
            event, _, self.heard = self.heard.partition(b"\n\n")
            self.take(dict(line.split(b": ", 1) for line in event.split(b"\n")))

    def take(self, event):
        if b"retry" in event:
            self.retry = int(event[b"retry"])
            self.waits.append(self.retry)
        if b"id" in event:
            self.id = event[b"id"].decode()
            self.frames += 1

    def connection_lost(self, exc):
        self.open = False
        self.come_back()


running: set[asyncio.Task[None]] = set()


def keep(work):
    task = asyncio.ensure_future(work)
    running.add(task)
    task.add_done_callback(running.discard)


def told(sources):
    return {
        "open": sum(one.open for one in sources),
        "begun": sum(one.begun for one in sources),
        "frames": sum(one.frames for one in sources),
        "refused": sum(one.refused for one in sources),
        "retries": sum(len(one.waits) for one in sources),
        "waits": len({wait for one in sources for wait in one.waits}),
        "ids": Counter(one.id for one in sources),
    }


async def main(port, *groups):
    sources = []
    for group in groups:
        path, _, count = group.rpartition(":")
        sources += [Source(int(port), path) for _ in range(int(count))]
    for source in sources:
        keep(source.connect())
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(told(sources)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
