"""Who finds a seat, and who gives one up."""

import pytest

from services.gateway.crowd import Crowd, Full


def enter(crowd, client="", resting=False):
    seat = crowd.enter(client)
    seat.abort = lambda: cut.append(seat)
    if resting:
        seat.rest()
    return seat


cut: list[object] = []


@pytest.fixture(autouse=True)
def nobody_was_cut():
    cut.clear()


def test_whoever_has_rested_longest_makes_room():
    crowd = Crowd(3, 9, 0)
    first, second, third = (enter(crowd, resting=True) for _ in range(3))
    first.wake()
    assert not enter(crowd).reserved
    assert cut == [second]
    first.rest()
    enter(crowd)
    assert cut == [second, third]
    assert len(crowd) == 3


def test_when_nobody_rests_a_few_seats_are_left_for_staff_and_then_none():
    crowd = Crowd(2, 9, 1)
    enter(crowd)
    busy = enter(crowd)
    spare = enter(crowd)
    assert spare.reserved
    with pytest.raises(Full, match="full"):
        enter(crowd)
    busy.leave()
    assert enter(crowd).reserved
    spare.leave()
    assert len(crowd) == 2


def test_a_reserved_seat_that_rests_makes_room_too():
    crowd = Crowd(1, 9, 1)
    enter(crowd)
    spare = enter(crowd, resting=True)
    assert enter(crowd).reserved
    assert cut == [spare]


def test_one_client_has_only_so_many_and_others_are_not_concerned():
    crowd = Crowd(10, 2, 0)
    seats = [enter(crowd, "a") for _ in range(2)]
    with pytest.raises(Full, match="address"):
        enter(crowd, "a")
    enter(crowd, "b")
    for _ in range(5):
        enter(crowd)  # a proxy
    seats[0].leave()
    seats[0].leave()
    enter(crowd, "a")
    assert len(crowd) == 8


def test_who_has_left_neither_rests_nor_is_cut_off():
    crowd = Crowd(1, 9, 1)
    gone = enter(crowd, resting=True)
    gone.leave()
    gone.rest()
    assert not crowd.dismiss()
    assert cut == []
    assert len(crowd) == 0
