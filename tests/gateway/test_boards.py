"""What a gateway makes of WatchBoard, for the board's watchers and for a ticket's holder."""

import asyncio
import json

import pytest

from services.chassis.errors import Problem
from services.gateway import following
from services.gateway.boards import Board, TicketView
from services.gateway.streams import Fanout
from tunggu.queue.v1.queue_pb2 import Line, WatchBoardResponse
from tunggu.queue.v1.ticket_pb2 import Ticket

DAY = "2026-03-02"
State = Ticket.State


def ticket(number="A002", event=5, state=State.STATE_WAITING, **more):
    return Ticket(number=number, service_day=DAY, service="A", event=event, state=state, **more)


def line(*numbers, waits=True, service="A"):
    seconds = [60 * (i + 1) for i in range(len(numbers))] if waits else []
    return Line(service=service, numbers=numbers, p50_seconds=seconds, p90_seconds=seconds)


def message(event, *, lines=(), tickets=(), snapshot=False, day=DAY):
    return WatchBoardResponse(
        body=b'{"event":%d}' % event,
        service_day=day,
        event=event,
        snapshot=snapshot,
        lines=lines,
        tickets=tickets,
    )


@pytest.fixture
async def board():
    made = Board("73.71.03", lambda _: None, Fanout())
    yield made
    made.feed.end()


def seen(view):
    return json.loads(view.news("").data.split(b"data: ")[1])


async def outcome(ticket_id):
    return f"outcome of {ticket_id}".encode()


def held(**more):
    """What GetTicket answered."""
    return ticket(id="secret", ahead=1, **more)


async def test_the_boards_bytes_are_passed_on_as_they_came(board):
    board.apply(message(7, snapshot=True))
    assert board.feed.frame.data == b'event: board\nid: 2026-03-02/7\ndata: {"event":7}\n\n'


async def test_a_place_is_looked_up_in_the_line(board):
    board.apply(message(1, lines=[line("A001", "A002"), line("B001", waits=False, service="B")]))
    ahead, forecast = board.place("A", "A002")
    assert (ahead, forecast.p50_seconds) == (1, 120)
    assert board.place("B", "B001") == (0, None)
    assert board.place("A", "A009") is None
    assert board.place("C", "A001") is None
    board.apply(message(2, lines=[line("A002")]))
    assert board.place("A", "A002")[0] == 0
    assert board.place("B", "B001") == (0, None)


async def test_a_snapshot_forgets_what_it_does_not_name(board):
    board.apply(message(1, lines=[line("A001")], tickets=[ticket("A001")]))
    board.apply(message(2, snapshot=True))
    assert board.place("A", "A001") is None
    assert board.tickets == {}


async def test_a_ticket_is_kept_by_itself_and_not_with_the_message_it_came_in(board):
    came = message(5, tickets=[ticket(event=5)])
    board.apply(came)
    came.tickets[0].event = 99
    assert board.tickets["A002"].event == 5


async def test_a_holder_sees_its_ticket_move_up_without_an_event_of_its_own(board):
    board.apply(message(5, lines=[line("A001", "A002")], tickets=[ticket()], snapshot=True))
    view = TicketView(board, held(), outcome)
    first = view.news("")
    assert view.news(first.id) is None
    board.apply(message(6, lines=[line("A002")]))
    second = view.news(first.id)
    assert first.id != second.id
    assert first.id.startswith("2026-03-02/5/")
    assert second.id.startswith("2026-03-02/5/")
    assert seen(view)["ahead"] == 0
    assert seen(view)["id"] == "secret"
    assert seen(view)["forecast"] == {"p50Seconds": 60, "p90Seconds": 60}
    assert view.news(second.id) is None


async def test_a_ticket_that_is_newer_than_the_board_is_shown_as_the_queue_gave_it(board):
    board.apply(message(4, lines=[line("A001")], snapshot=True))
    view = TicketView(board, held(), outcome)
    assert seen(view)["ahead"] == 1
    board.apply(message(4, tickets=[ticket(event=4, state=State.STATE_CALLED)]))
    assert seen(view)["state"] == "WAITING"
    board.apply(message(6, tickets=[ticket(event=6, state=State.STATE_CALLED, counter="2")]))
    assert (seen(view)["state"], seen(view)["counter"], seen(view)["ahead"]) == ("CALLED", "2", 0)


async def test_a_waiting_ticket_is_not_shown_before_its_line_is_known(board):
    board.apply(message(5, snapshot=True))
    view = TicketView(board, held(state=State.STATE_SERVING), outcome)
    board.apply(message(6, tickets=[ticket(event=6)]))
    assert seen(view)["state"] == "SERVING"
    board.apply(message(6, lines=[line("A002")]))
    assert seen(view)["state"] == "WAITING"


@pytest.mark.parametrize(
    ("state", "may_return", "final"),
    [
        (State.STATE_WAITING, False, False),
        (State.STATE_CALLED, False, False),
        (State.STATE_SERVING, False, False),
        (State.STATE_ON_HOLD, True, False),
        (State.STATE_NO_SHOW, True, False),
        (State.STATE_NO_SHOW, False, True),
        (State.STATE_COMPLETED, False, True),
        (State.STATE_CANCELLED, False, True),
        (State.STATE_LAPSED, False, True),
    ],
)
async def test_a_ticket_is_over_when_it_has_left_for_good(board, state, may_return, final):
    moved = ticket(event=6, state=state)
    if may_return:
        moved.return_by.GetCurrentTime()
    board.apply(message(5, lines=[line("A001", "A002")], tickets=[ticket()], snapshot=True))
    view = TicketView(board, held(), outcome)
    board.apply(message(6, tickets=[moved]))
    view.news("")
    assert view.over() is final
    if final:
        assert view.last_word() is None


async def test_a_later_day_ends_a_ticket_and_an_earlier_board_does_not(board):
    view = TicketView(board, held(), outcome)
    assert not view.over()
    board.apply(message(99, snapshot=True, day="2026-03-01"))
    assert not view.over()
    board.apply(message(0, snapshot=True, day="2026-03-03"))
    assert view.over()
    assert await view.last_word() == b"outcome of secret"


class Streams:
    """What WatchBoard gives, stream by stream: messages, then an end or a problem."""

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.opened = 0

    def __call__(self, kecamatan):
        self.opened += 1
        return self.play(self.scripts.pop(0) if self.scripts else [None])

    async def play(self, script):
        for step in script:
            if isinstance(step, Problem):
                raise step
            if step is None:
                await asyncio.Event().wait()
            yield step


async def followed(streams):
    board = Board("k", streams, Fanout())
    task = asyncio.create_task(board.run())
    await asyncio.sleep(0.05)
    return board, task


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(following, "BACKOFF", (0.001, 0.002))


async def test_a_stream_that_ends_or_breaks_off_is_opened_again(quick):
    streams = Streams(
        [message(1, snapshot=True)],
        [Problem("SERVICE_UNAVAILABLE")],
        [message(2, snapshot=True), Problem("INTERNAL")],
        [message(3, snapshot=True), None],
    )
    board, task = await followed(streams)
    assert board.feed.frame.id == f"{DAY}/3"
    assert streams.opened == 4
    board.feed.end()
    task.cancel()


@pytest.mark.parametrize("reason", ["KECAMATAN_NOT_FOUND", "INVALID_REQUEST"])
async def test_what_would_fail_again_ends_the_board(quick, reason):
    board, task = await followed(Streams([message(1)], [Problem(reason)]))
    await task
    assert board.feed.failure.reason == reason
