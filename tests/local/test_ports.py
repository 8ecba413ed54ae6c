"""Free ports, and what a user is told about one that is not."""

import socket

import pytest

from services.local import ports
from services.local.errors import LocalError


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_in_use_is_one_line_naming_it_and_the_variable(taken):
    with pytest.raises(LocalError) as error:
        ports.require_free("127.0.0.1", taken)
    assert str(error.value) == (
        f"port {taken} of 127.0.0.1 is in use: stop what uses it, or choose with PORT={taken + 1}"
    )


def test_a_port_in_use_on_one_address_is_not_free_on_all(taken):
    with pytest.raises(LocalError, match="is in use"):
        ports.require_free("0.0.0.0", taken)


def test_a_free_port_is_admitted_and_left_free():
    (port,) = ports.choose([0])
    ports.require_free("127.0.0.1", port)
    ports.require_free("127.0.0.1", port)


def test_a_host_that_is_not_this_machine_is_one_line_naming_the_variable():
    with pytest.raises(LocalError, match=r"cannot listen on HOST=192\.0\.2\.1: "):
        ports.require_free("192.0.2.1", 0)


def test_a_preferred_port_is_taken_if_free_and_all_differ(taken):
    (free,) = ports.choose([0])
    chosen = ports.choose([free, taken, 0, 0])
    assert chosen[0] == free
    assert taken not in chosen
    assert len(set(chosen)) == 4
    assert {chosen[1], chosen[2], chosen[3]} <= set(ports.APART)


def test_an_ipv6_address_gets_brackets():
    assert ports.address("::1", 8080) == "[::1]:8080"
    assert ports.address("127.0.0.1", 8080) == "127.0.0.1:8080"


def test_a_listener_on_all_addresses_answers_on_this_machine():
    assert [ports.reachable(host) for host in ("0.0.0.0", "::", "10.0.0.7")] == [
        "127.0.0.1",
        "::1",
        "10.0.0.7",
    ]
