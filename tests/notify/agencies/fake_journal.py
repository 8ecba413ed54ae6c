"""An office's journal as WatchEvents gives it, in memory; a test writes it, and rewinds it."""

import asyncio
import hashlib
import json
import re

from services.chassis.errors import Problem

CODE = "73.71.03"
MONDAY, TUESDAY = "2026-03-02", "2026-03-03"


def leaf(day, n, **more):
    return json.dumps({"v": 1, "o": CODE, "d": day, "n": n, **more}, separators=(",", ":")).encode()


def cursor_after(line):
    fields = json.loads(line)
    return f"{fields['d']}.{fields['n']}.{hashlib.sha256(line).hexdigest()[:12]}"


class FakeJournal:
    """`away` makes the next stream break off; `streams` are the cursors that were asked for."""

    def __init__(self):
        self.leaves = []
        self.streams = []
        self.away = None
        self._moved = asyncio.Event()

    def write(self, day, count=1, **more):
        for _ in range(count):
            n = sum(1 for line in self.leaves if json.loads(line)["d"] == day)
            self.leaves.append(leaf(day, n, **more))
        self._moved.set()
        self._moved = asyncio.Event()

    async def offices(self):
        if self.away:
            raise Problem(self.away)
        return [CODE]

    async def office(self, code):
        if code != CODE:
            raise Problem("KECAMATAN_NOT_FOUND", {"kecamatan": code})

    async def newest(self, code):
        if not self.leaves:
            return "", -1
        fields = json.loads(self.leaves[-1])
        return fields["d"], fields["n"]

    async def events(self, code, cursor):
        self.streams.append(cursor)
        at = self._index(cursor)
        while True:
            if self.away:
                raise Problem(self.away)
            moved = self._moved
            while at < len(self.leaves):
                yield self.leaves[at], cursor_after(self.leaves[at])
                at += 1
            await moved.wait()

    def _index(self, cursor):
        places = [(json.loads(line)["d"], json.loads(line)["n"]) for line in self.leaves]
        if cursor == "start":
            return 0
        if found := re.fullmatch(r"(\S+)/(-?\d+)", cursor):
            return sum(1 for place in places if place <= (found[1], int(found[2])))
        cursors = list(map(cursor_after, self.leaves))
        if cursor in cursors:
            return cursors.index(cursor) + 1
        if places and places[0][0] > cursor[:10]:
            raise Problem("EVENTS_EXPIRED", {"earliest": "start"})
        raise Problem("JOURNAL_REWOUND")
