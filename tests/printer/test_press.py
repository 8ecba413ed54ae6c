"""One slip at a time, each copy once."""

import asyncio
import json
import threading

import pytest

from services.chassis.errors import Problem
from services.printer.press import MOST_TICKETS, MOST_WAITING, Press
from services.printer.slip import read
from services.printer.status import State
from services.printer.wire import Way
from tests.printer.slips import ORIGIN, TICKET, wish
from tests.printer.stand_in import NO_PAPER, OFFLINE, Printer


def slip(**changed):
    return read(json.dumps(wish(**changed)).encode(), ORIGIN)


def other(n):
    return f"{TICKET[:14]}{n:022}"


def named(slip):
    return f"{slip.ticket} {slip.copy};".encode() * 100


def press(printer, compose=named, **more):
    return Press(Way(printer.address, "", more.pop("answer", 20.0), 20.0), compose)


async def refused(press, slip):
    with pytest.raises(Problem) as caught:
        await press.print(slip)
    return caught.value.reason


async def test_a_copy_is_printed_once_however_often_it_is_asked_for():
    with Printer() as printer:
        own = press(printer)
        assert await asyncio.gather(*(own.print(slip()) for _ in range(3))) == [1, 1, 1]
        assert await own.print(slip(copy=2)) == 2
        assert await own.print(slip()) == 2
        assert await own.print(slip(ticket=other(1))) == 1
        expected = [named(slip()), named(slip(copy=2)), named(slip(ticket=other(1)))]
        assert printer.wait(3) == expected


async def test_slips_leave_one_after_another():
    running, most = 0, []
    lock = threading.Lock()

    class Slow(Press):
        def _put(self, data):
            nonlocal running
            with lock:
                running += 1
                most.append(running)
            super()._put(data)
            with lock:
                running -= 1

    with Printer() as printer:
        own = Slow(Way(printer.address, "", 20.0, 20.0), named)
        await asyncio.gather(*(own.print(slip(ticket=other(n))) for n in range(MOST_WAITING)))
        assert most == [1] * MOST_WAITING


async def test_who_finds_the_line_full_is_told_and_nothing_of_theirs_is_printed():
    with Printer() as printer:
        own = press(printer)
        waiting = [asyncio.create_task(own.print(slip(ticket=other(n)))) for n in range(4)]
        await asyncio.sleep(0)
        assert await refused(own, slip(ticket=other(9))) == "OVERLOADED"
        await asyncio.gather(*waiting)
        assert len(printer.wait(4)) == 4
        assert await own.print(slip(ticket=other(9))) == 1


async def test_a_printer_that_dies_amid_a_slip_is_an_error_and_no_second_paper():
    with Printer(dies_after=1000) as printer:
        own = press(printer)
        assert await refused(own, slip()) == "PRINT_UNCERTAIN"
        printer.dies_after = None
        assert await refused(own, slip()) == "PRINT_UNCERTAIN"
        assert len(printer.wait(1)) == 1
        assert await own.print(slip(copy=2)) == 2
        assert printer.wait(2)[1] == named(slip(copy=2))


@pytest.mark.parametrize(
    ("told", "reason"), [({"paper": NO_PAPER}, "NO_PAPER"), ({"online": OFFLINE}, "PRINTER_AWAY")]
)
async def test_without_paper_nothing_is_sent_and_the_same_copy_can_be_asked_for_again(told, reason):
    with Printer(**told) as printer:
        own = press(printer)
        assert await refused(own, slip()) == reason
        printer.paper = printer.online = 0x12
        assert await own.print(slip()) == 1
        assert printer.wait(1) == [named(slip())]


async def test_a_printer_that_is_not_there_is_away_and_what_was_last_seen_is_shown():
    with Printer() as printer:
        own = press(printer)
        await own.look()
        assert own.state == State(online=True, paper=True)
    assert await refused(own, slip()) == "PRINTER_AWAY"
    assert own.state is None
    await own.look()
    assert own.state is None


async def test_what_is_remembered_is_bounded(tmp_path):
    file = tmp_path / "paper"
    file.touch()
    own = Press(Way(None, str(file), 1.0, 20.0), lambda slip: b".")
    for n in range(MOST_TICKETS + 1):
        own._copies_of(other(n))[1] = True
    assert len(own._copies) == MOST_TICKETS
    assert await own.print(slip(ticket=other(MOST_TICKETS))) == 1
    assert file.read_bytes() == b""
    assert await own.print(slip(ticket=other(0))) == 1
    assert file.read_bytes() == b"."
