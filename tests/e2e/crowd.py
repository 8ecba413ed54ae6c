"""A crowd at one office, as a process of its own: `python -m tests.e2e.crowd PORT OFFICE COUNT`.

Each of its connections takes numbers and looks them up as fast as it is answered, until stdin
ends; then it prints how often each reason came, as JSON. The first line is printed once everybody
has been answered once.
"""

import asyncio
import json
import sys
from collections import Counter

import uvloop

from tests.e2e.offices import new_id


class Phone:
    """One connection that asks one thing after another; httpx would cost more than the queue."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def __aenter__(self) -> "Phone":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def ask(self, method: str, path: str, body: bytes = b"") -> dict:
        """The answer's JSON: what was asked for, or a problem."""
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        head += f"idempotency-key: {new_id()}\r\ncontent-length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        reply = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(reply.partition("content-length: ")[2].partition("\r\n")[0])
        answer: dict = json.loads(await self.reader.readexactly(length))
        return answer

    async def take(self, office: str, service: str = "A") -> dict:
        body = json.dumps({"service": service}).encode()
        return await self.ask("POST", f"/v1/kecamatan/{office}/tickets", body)

    async def look(self, id: str) -> dict:
        return await self.ask("GET", f"/v1/tickets/{id}")


async def person(port: int, office: str, service: str, seen: Counter[str]) -> None:
    async with Phone(port) as phone:
        while True:
            answer = await phone.take(office, service)
            seen[answer.get("reason", "OK")] += 1
            if "ticket" in answer:
                answer = await phone.look(answer["ticket"]["id"])
                seen[answer.get("reason", "OK")] += 1


async def crowd(port: int, office: str, count: int) -> None:
    seen: Counter[str] = Counter()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(person(port, office, "ABC"[i % 3], seen)) for i in range(count)]
        while seen.total() < count:
            await asyncio.sleep(0.01)
        print("there", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    uvloop.run(crowd(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
