"""Whom a request counts for, and what of its headers is believed."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.config import ConfigError
from services.gateway.addresses import Addresses, client_of, counted, parse

CALMLY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def asked(peer, *forwarded, name="x-forwarded-for"):
    headers = [(name.encode(), value.encode("latin-1")) for value in forwarded]
    return {"client": peer and (peer, 40000), "headers": headers}


def test_a_client_is_known_by_its_address_and_not_by_its_port():
    assert client_of({"client": ("192.0.2.7", 40000)}) == "192.0.2.7"
    assert client_of({"client": None}) == client_of({}) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7:8080 ", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:cb00:7107]:1", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_ipv6_counts_by_subscriber_and_ipv4_within_it_as_ipv4(text, told):
    assert counted(parse(text)) == told


@pytest.mark.parametrize(
    "text",
    ["", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "[", "[]:80", "1.2.3.4:x", "a" * 99, "٣"],
)
def test_what_is_no_address_is_none(text):
    assert parse(text) is None


def test_without_a_proxy_nothing_that_a_client_writes_is_believed():
    nobody = Addresses()
    for name in ("x-forwarded-for", "forwarded", "x-real-ip"):
        assert nobody.note(asked("198.51.100.1", "203.0.113.7", name=name)) == "198.51.100.1"


def test_a_client_that_is_no_proxy_of_ours_is_not_believed_either():
    addresses = Addresses(["10.0.0.0/8"])
    assert addresses.note(asked("198.51.100.1", "203.0.113.7")) == "198.51.100.1"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
        (["1.1.1.1, 203.0.113.7, 10.1.2.3"], "203.0.113.7"),
        (["1.1.1.1", "203.0.113.7", "10.1.2.3"], "203.0.113.7"),
        (["10.9.9.9, 203.0.113.7,10.1.2.3 , 192.0.2.1"], "203.0.113.7"),
        (["2001:db8::1"], "2001:db8::/64"),
        (["203.0.113.7:1234"], "203.0.113.7"),
        (["1.1.1.1, unknown, 10.1.2.3"], "10.1.2.3"),
        (["1.1.1.1, unknown"], "10.0.0.1"),
        (["10.7.7.7"], "10.7.7.7"),
        ([""], "10.0.0.1"),
        ([], "10.0.0.1"),
        (["9.9.9.9," + "10.1.2.3," * 40 + "10.1.2.3"], "10.1.2.3"),
    ],
)
def test_behind_proxies_it_is_the_nearest_hop_that_is_none(lines, told):
    addresses = Addresses(["10.0.0.0/8", "192.0.2.1"])
    scope = asked("10.0.0.1", *lines)
    assert addresses.note(scope) == told
    assert client_of(scope) == told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("for=203.0.113.7", "203.0.113.7"),
        ('For="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::/64"),
        ("proto=http;by=10.0.0.1; for = 203.0.113.7 ;host=x", "203.0.113.7"),
        ("for=1.1.1.1, for=203.0.113.7, for=10.1.2.3", "203.0.113.7"),
        ("for=1.1.1.1, proto=http", "10.0.0.1"),
        ("for=_secret", "10.0.0.1"),
        ("nofor=203.0.113.7", "10.0.0.1"),
    ],
)
def test_forwarded_is_read_where_it_is_configured(line, told):
    addresses = Addresses(["10.0.0.0/8"], "forwarded")
    assert addresses.note(asked("10.0.0.1", line, name="forwarded")) == told


def test_only_the_configured_header_is_read_for_a_proxy_passes_the_other_on_as_it_came():
    scope = asked("10.0.0.1", "for=1.1.1.1", name="forwarded")
    assert Addresses(["10.0.0.0/8"]).note(scope) == "10.0.0.1"
    scope = asked("10.0.0.1", "1.1.1.1")
    assert Addresses(["10.0.0.0/8"], "forwarded").note(scope) == "10.0.0.1"


def test_a_proxy_on_a_unix_socket_is_believed_if_it_is_configured():
    assert Addresses(["unix"]).note(asked(None, "203.0.113.7")) == "203.0.113.7"
    assert Addresses(["10.0.0.0/8"]).note(asked(None, "203.0.113.7")) == ""


def test_a_proxy_that_speaks_ipv4_within_ipv6_is_known():
    addresses = Addresses(["10.0.0.0/8", "2001:db8::/32"])
    assert addresses.note(asked("::ffff:10.0.0.1", "203.0.113.7")) == "203.0.113.7"
    assert addresses.note(asked("2001:db8::1", "203.0.113.7")) == "203.0.113.7"


@pytest.mark.parametrize("proxy", ["10.0.0.1/8", "proxy.local", "", "300.1.1.1"])
def test_a_proxy_that_is_no_network_stops_the_start(proxy):
    with pytest.raises(ConfigError, match="TUNGGU_TRUSTED_PROXIES"):
        Addresses([proxy])


@CALMLY
@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=40), max_size=4))
def test_whatever_stands_there_it_is_an_address_or_the_proxy(lines):
    for name in ("x-forwarded-for", "forwarded"):
        addresses = Addresses(["10.0.0.0/8"], name)
        found = addresses.note(asked("10.0.0.1", *lines, name=name))
        assert found == "10.0.0.1" or parse(found.removesuffix("/64"))
