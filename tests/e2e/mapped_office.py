"""An office of a mapped city: its file, its people, and what anyone sees of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from google.protobuf import json_format

from services.queue.verify import split, verify
from tests.e2e.replica import PATIENCE_S, Replica, unless, until
from tunggu.queue.v1 import kecamatan_pb2, queue_pb2, queue_pb2_grpc, ticket_pb2

if TYPE_CHECKING:
    from tests.e2e.mapped import City

MONDAY, TUESDAY = "2026-03-02", "2026-03-03"
MORNING, AFTERNOON = ("07:30", "12:00"), ("13:00", "15:30")

HOLDER = "a-phone-with-its-random-key"
REQUEST = "a-request-id-that-nobody-guesses"
AT_ONCE = {"skip": {"calls": 1, "after": "0s"}}
"""A rule by which an absent citizen may be passed over without waiting."""

ROLES = {
    **dict.fromkeys(("ApplyKecamatan", "DeleteKecamatan"), "ADMIN"),
    **dict.fromkeys(("SetCounterServices", "StopIssuing", "ResumeIssuing"), "SUPERVISOR"),
    **dict.fromkeys(("RequeueTicket", "ListAudit"), "SUPERVISOR"),
    **dict.fromkeys(("OpenCounter", "CloseCounter", "CallNextTicket", "RecallTicket"), "OFFICER"),
    **dict.fromkeys(("StartTicket", "CompleteTicket", "SkipTicket", "HoldTicket"), "OFFICER"),
    **dict.fromkeys(("TransferTicket", "SetTicketLane", "GetCounter"), "OFFICER"),
    **dict.fromkeys(("CancelTicket", "ReturnTicket", "CheckInTicket", "GetTicket"), "OFFICER"),
}
"""Who asks; nobody in particular for the rest, and for a ticket that is named by its id."""


def ms(moment: str, timezone: str = "Asia/Makassar") -> int:
    """Ms UTC of "2026-03-02 07:30", seconds and their fraction if given, in local time."""
    local = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(timezone))
    return round(local.timestamp() * 1000)


def week(*hours: tuple[str, str], **days: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The same hours from Monday to Sunday but for the days that are named."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return {day: intervals(*days.get(day, hours)) for day in names}


def intervals(*hours: tuple[str, str]) -> list[dict[str, str]]:
    return [{"open": opens, "close": closes} for opens, closes in hours]


def office_file(code: str, **spec: Any) -> dict[str, Any]:
    """A Kecamatan file as a mapping. By default two services, two counters, the hours of
    Makassar's offices."""
    plain = {
        "code": code,
        "name": "Makassar",
        "timezone": "Asia/Makassar",
        "hours": {
            "weekly": week(MORNING, AFTERNOON, fri=[("07:30", "11:30"), AFTERNOON], sat=[], sun=[])
        },
        "services": [{"code": "A", "name": "Akta"}, {"code": "B", "name": "Berkas"}],
        "counters": [
            {"id": "1", "name": "Loket 1", "services": ["A", "B"]},
            {"id": "2", "name": "Loket 2", "services": ["A", "B"]},
        ],
    }
    return {
        "apiVersion": "tunggu.makassarkota.go.id/v1alpha1",
        "kind": "Kecamatan",
        "metadata": {"name": f"office-{code.replace('.', '-')}"},
        "spec": {**plain, **spec},
    }


@dataclass
class Office:
    """An office as its people and anyone else see it, through the queue's own API."""

    city: City
    code: str

    async def do(self, verb: str, *, to: Replica | None = None, **fields: Any) -> Any:
        """Any RPC by its name. Problem: it was refused."""
        named = {} if "ticket_id" in fields else {"kecamatan": self.code}
        message = f"{verb}Request"
        package = queue_pb2 if hasattr(queue_pb2, message) else kecamatan_pb2
        request = getattr(package, message)(**named, **fields)
        role = "" if "ticket_id" in fields else ROLES.get(verb, "")
        return await (to or self.city.replicas[0]).ask(verb, request, role)

    async def apply(self, **spec: Any) -> Any:
        file = json_format.ParseDict(office_file(self.code, **spec), kecamatan_pb2.Kecamatan())
        return (await self.do("ApplyKecamatan", file=file)).kecamatan

    # What people do

    async def take(self, service: str = "A", **fields: Any) -> Any:
        return (await self.do("CreateTicket", service=service, **fields)).ticket

    async def issues(self, service: str = "A") -> bool:
        """Whether a number can be taken now. It is taken then; else the office is closed."""
        return await unless(self.take(service), "OFFICE_CLOSED") is not None

    async def open(self, *counters: str) -> None:
        for counter in counters:
            await self.do("OpenCounter", counter=counter)

    async def call(self, counter: str = "1") -> str:
        return str((await self.do("CallNextTicket", counter=counter)).ticket.number)

    async def at(self, counter: str, verb: str, number: str, **fields: Any) -> Any:
        answer = await self.do(f"{verb}Ticket", counter=counter, ticket=number, **fields)
        return answer.ticket

    async def serve(self, counter: str = "1") -> str:
        """Call, start and complete the next; its number."""
        number = await self.call(counter)
        await self.at(counter, "Start", number)
        await self.at(counter, "Complete", number)
        return number

    async def ticket(self, id: str) -> Any:
        return (await self.do("GetTicket", ticket_id=id)).ticket

    # What anyone sees

    async def board_bytes(self, to: Replica | None = None) -> bytes:
        return bytes((await self.do("GetBoard", to=to)).body)

    async def board(self) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(await self.board_bytes())
        return shown

    async def seen(self) -> Any:
        """GetKecamatan, once the queue that is asked has the newest event."""
        await self.followed()
        return (await self.do("GetKecamatan")).office

    async def followed(self) -> None:
        """Waits until the board shows the newest event of the stream."""

        async def shown() -> bool:
            board = await self.board()
            return (board["day"], board["event"]) == self.newest()

        await until(shown, f"the board of {self.code}")

    def newest(self) -> tuple[str, int]:
        """Day and number of the stream's last event, ("", -1) without any."""
        with self.city.look() as redis:
            rows: Any = redis.xrevrange(f"tunggu:{{{self.code}}}:journal", count=1)
        if not rows:
            return "", -1
        day, _, n = rows[0][0].decode().partition("-")
        return f"{day[:4]}-{day[4:6]}-{day[6:]}", int(n)

    def streamed_days(self) -> list[str]:
        """The days that the stream still has."""
        with self.city.look() as redis:
            rows: Any = redis.xrange(f"tunggu:{{{self.code}}}:journal")
        compact = sorted({row[0].decode().partition("-")[0] for row in rows})
        return [f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in compact]

    def wrote_nothing(self) -> bool:
        """Whether the office has no journal, no day, and no trace of a refused caller: only the
        file and who applied it."""
        key = f"tunggu:{{{self.code}}}"
        with self.city.look() as redis:
            names: Any = redis.keys(f"{key}*")
            acted: Any = redis.xrange(f"{key}:audit")
        verbs = {fields[b"v"] for _, fields in acted}
        return set(names) <= {f"{key}:file".encode(), f"{key}:audit".encode()} and verbs == {
            b"ApplyKecamatan"
        }

    async def leaves(self, day: str) -> list[bytes]:
        """The whole day by ListEvents, a page at a time; empty if there was no such day."""
        leaves: list[bytes] = []
        while True:
            asked = self.do("ListEvents", day=day, after=len(leaves) - 1, page_size=50)
            page = await unless(asked, "DAY_NOT_FOUND")
            if page is None or not page.body:
                return leaves
            leaves += split(page.body)

    async def events(self, day: str) -> list[dict[str, Any]]:
        return [json.loads(leaf) for leaf in await self.leaves(day)]

    async def lines(self, day: str, timezone: str = "Asia/Makassar") -> list[str]:
        """The day's journal in words: "07:30 issue.go hours", "07:31:05 call A001 1"."""
        return [_line(event, timezone) for event in await self.events(day)]

    async def tally(self, day: str) -> dict[str, int]:
        last = (await self.events(day))[-1]
        assert last["e"] == "day.close", last
        return dict(last["tally"])

    async def days(self) -> dict[str, list[bytes]]:
        """Every day that is kept, by WatchEvents from the start to the newest event."""
        days: dict[str, list[bytes]] = {}
        end = self.newest()
        service = queue_pb2_grpc.QueueServiceStub(self.city.replicas[0].channel)
        request = queue_pb2.WatchEventsRequest(kecamatan=self.code, cursor="start")
        if end[0]:
            watching = service.WatchEvents(request, timeout=PATIENCE_S)
            async for item in watching:
                days.setdefault(item.day, []).append(item.leaf)
                if (item.day, item.event) == end:
                    break
            watching.cancel()
        return days

    async def verified(self) -> list[str]:
        """The days of the office, each of them clean under the policy that it names, and the same
        by ListEvents as by WatchEvents."""
        days = await self.days()
        for day, leaves in days.items():
            assert leaves == await self.leaves(day)
            digest = json.loads(leaves[0])["pol"]
            document = (await self.do("GetPolicy", hash=digest)).body
            assert hashlib.sha256(document).hexdigest() == digest
            report = verify(leaves, document, closed=day != max(days))
            assert report.verdict == "CLEAN", (self.code, day, report.breaches, report.notes)
        return sorted(days)


def _line(event: dict[str, Any], timezone: str) -> str:
    moment = datetime.fromtimestamp(event["t"] / 1000, ZoneInfo(timezone))
    text = moment.isoformat(timespec="milliseconds")[11:23].removesuffix(".000").removesuffix(":00")
    said = (str(event[name]) for name in ("why", "k", "c", "ms") if name in event)
    return " ".join([text, event["e"], *said])


def state_of(ticket: Any) -> str:
    return str(ticket_pb2.Ticket.State.Name(ticket.state)).removeprefix("STATE_")


def tally(
    issued: int, done: int = 0, noshow: int = 0, cancel: int = 0, lapsed: int = 0
) -> dict[str, int]:
    return {"issued": issued, "done": done, "noshow": noshow, "cancel": cancel, "lapsed": lapsed}
