import pytest

from services.chassis.errors import Problem
from services.gateway.places import Places
from services.gateway.problems import headers_of, status_of


def refused(places, address):
    with pytest.raises(Problem) as caught:
        places.take(address)
    problem = caught.value
    headers = dict(headers_of(problem, "en"))
    return problem.reason, status_of(problem), int(headers[b"retry-after"])


def test_no_more_streams_are_open_than_there_are_places_in_all():
    places = Places(total=2, by_address=2)
    places.take("192.0.2.1")
    places.take("192.0.2.2")
    reason, status, _ = refused(places, "192.0.2.3")
    assert (reason, status) == ("STREAMS_EXHAUSTED", 503)
    places.leave("192.0.2.1")
    places.take("192.0.2.3")
    assert places.taken == 2


def test_one_address_cannot_take_them_all():
    places = Places(total=10, by_address=1)
    places.take("192.0.2.1")
    reason, status, _ = refused(places, "192.0.2.1")
    assert (reason, status) == ("TOO_MANY_STREAMS", 429)
    places.take("192.0.2.2")
    places.leave("192.0.2.1")
    places.take("192.0.2.1")


def test_those_who_find_no_place_are_not_all_told_the_same_time():
    places = Places(total=0)
    waits = {refused(places, "192.0.2.1")[2] for _ in range(100)}
    assert len(waits) > 5
    assert min(waits) >= 10


def test_an_address_that_has_left_is_not_remembered():
    places = Places()
    places.take("192.0.2.1")
    places.leave("192.0.2.1")
    assert not places._by_address  # it would grow without end
