"""The way to a printer: a connection, a device, a file, and none."""

import os
import threading
import tty

import pytest

from services.printer.status import PAPER, SILENT, State, has_paper, is_online, is_status
from services.printer.wire import Away, Cut, Way
from tests.printer.stand_in import NO_PAPER, OFFLINE, Printer

LONG = bytes(range(0x20, 0x7F)) * 200


def way(printer="", address=None, answer=20.0, patience=20.0):
    return Way(address, printer, answer, patience)


def to(printer, **more):
    return way(address=printer.address, **more)


def printed(there, data=LONG):
    with there.opened() as wire:
        before = wire.state()
        wire.send(data, there.patience)
        wire.settle(before, there.patience)
    return before


def test_a_printer_in_the_network_says_how_it_is_and_takes_every_byte():
    with Printer() as printer:
        assert printed(to(printer)) == State(online=True, paper=True)
        assert printer.wait(1) == [LONG]


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({"paper": NO_PAPER}, State(online=True, paper=False)),
        ({"online": OFFLINE}, State(online=False, paper=True)),
    ],
)
def test_what_it_lacks_is_heard(told, state):
    with Printer(**told) as printer, to(printer).opened() as wire:
        assert wire.state() == state


def test_one_that_never_answers_is_believed_when_it_takes_everything():
    with Printer(speaks=False) as printer:
        assert printed(to(printer, answer=0.05)) == SILENT
        assert printer.wait(1) == [LONG]


@pytest.mark.parametrize("speaks", [True, False])
def test_one_that_dies_amid_a_slip_is_noticed(speaks):
    with Printer(speaks=speaks, dies_after=1000) as printer:
        with pytest.raises(Cut):
            printed(to(printer, answer=20.0 if speaks else 0.05))
        assert len(printer.wait(1)[0]) > 1000


def test_one_that_runs_out_of_paper_amid_a_slip_is_noticed():
    with Printer() as printer:
        there = to(printer)
        with there.opened() as wire:
            before = wire.state()
            printer.paper = NO_PAPER
            wire.send(LONG, 20)
            with pytest.raises(Cut, match="paper"):
                wire.settle(before, 20)


def test_one_that_takes_no_more_is_given_up_after_a_while():
    inside, outside = os.openpty()
    tty.setraw(outside)
    there = way(os.ttyname(outside), answer=0.05)
    try:
        with there.opened() as wire, pytest.raises(Cut, match="no more"):
            wire.send(LONG * 100, 0.2)
    finally:
        os.close(inside)
        os.close(outside)


def test_nobody_there_is_away():
    with Printer() as printer:
        address = printer.address
    for there in (way(address=address), way("/nowhere/lp0")):
        with pytest.raises(Away), there.opened():
            pass


def test_a_device_is_asked_and_written_to_like_a_connection():
    inside, outside = os.openpty()
    tty.setraw(outside)
    taken = bytearray()

    def serve():
        while not taken.endswith(b"END"):
            data = os.read(inside, 4096)
            while PAPER in data:
                data = data.replace(PAPER, b"", 1)
                os.write(inside, b"\x12")
            taken.extend(data.replace(b"\x10\x04\x01", b""))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    there = way(os.ttyname(outside), answer=0.5)
    with there.opened() as wire:
        before = wire.state()
        wire.send(LONG + b"END", 20)
    thread.join(20)
    assert before == State(online=None, paper=True)
    assert bytes(taken) == LONG + b"END"
    os.close(inside)
    os.close(outside)


def test_a_plain_file_takes_slips_one_behind_the_other(tmp_path):
    file = tmp_path / "paper"
    file.touch()
    assert printed(way(str(file))) == SILENT
    printed(way(str(file)), b"second")
    assert file.read_bytes() == LONG + b"second"


def test_only_a_byte_of_the_right_form_is_a_status():
    good = [byte for byte in range(256) if is_status(byte)]
    assert len(good) == 16
    assert {0x12, 0x16, 0x1A, 0x1E, 0x72, 0x7E} <= set(good)
    assert not {0x00, 0x10, 0x11, 0x13, 0x14, 0x92, 0xFF} & set(good)
    assert has_paper(0x1E)  # near its end
    assert not has_paper(0x72)
    assert not is_online(0x1A)
