"""Which addresses belong to the public internet."""

import pytest

from services.notify.outgoing.addresses import address, inner, is_public

INSIDE = """
0.0.0.0 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.8.8.8 169.254.169.254
168.63.129.16 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1
198.51.100.7 203.0.113.9 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1
100::1 2001::1 2001:0:1:2::3 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1
3fff::1 5f00::1 fc00::1 fd00:ec2::254 fd12:3456::1 fe80::1 febf::1 fec0::1 ff02::1 ff0e::1
""".split()
OUTSIDE = "8.8.8.8 103.4.5.6 172.32.0.1 100.128.0.1 2404:6800:4003::1 2a00:1450::1 2600::1".split()


@pytest.mark.parametrize("text", INSIDE)
def test_an_address_of_the_inside_or_of_nobody_is_not_public(text):
    assert not is_public(address(text))


@pytest.mark.parametrize("text", OUTSIDE)
def test_an_address_of_the_internet_is_public(text):
    assert is_public(address(text))


@pytest.mark.parametrize("text", ["fe80::1%eth0", "2600::1%1", "localhost", "127.1", "", "0x7f.1"])
def test_what_is_not_plainly_an_address_is_none(text):
    assert address(text) is None


def test_a_network_of_the_city_may_be_named():
    assert list(map(str, inner(["10.20.0.0/16", "fd12::/48"]))) == ["10.20.0.0/16", "fd12::/48"]


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.0/8",
        "0.0.0.0/0",
        "169.254.169.254/32",
        "::/0",
        "::1/128",
        "fe80::/64",
        "ff02::/16",
        "64:ff9b::/96",
        "::ffff:0:0/96",
        "fd00:ec2::/64",
        "168.63.129.16/32",
    ],
)
def test_ourselves_our_link_and_metadata_are_never_a_network_of_the_city(text):
    with pytest.raises(ValueError, match="never admitted"):
        inner([text])


@pytest.mark.parametrize("text", ["10.20.0.1/16", "city", ""])
def test_what_is_no_network_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  (the words are Python's)
        inner([text])
