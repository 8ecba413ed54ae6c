"""Which URLs may be named."""

import pytest

from services.notify.outgoing.addresses import inner
from services.notify.outgoing.destinations import LONGEST, Policy, Refused, first_refused

PUSH = Policy(("fcm.googleapis.com", "*.notify.windows.com"))
ANYWHERE = Policy(("*",))

MALFORMED = r"""
http://fcm.googleapis.com/x
ftp://fcm.googleapis.com/x
//fcm.googleapis.com/x
fcm.googleapis.com/x
https:fcm.googleapis.com/x
https:/fcm.googleapis.com/x
https:///fcm.googleapis.com/x
https://
https://localhost/x
https://redis/x
https://127.0.0.1/x
https://127.1/x
https://2130706433/x
https://0x7f000001/x
https://0x7f.0.0.1/x
https://0177.0.0.1/x
https://1.0x7f/x
https://[::1]/x
https://[::ffff:127.0.0.1]/x
https://[fe80::1%25eth0]/x
https://①②⑦.0.0.1/x
https://１２７.0.0.1/x
https://例え.jp/x
https://user@fcm.googleapis.com/x
https://user:secret@fcm.googleapis.com/x
https://fcm.googleapis.com@evil.example/x
https://evil.example#@fcm.googleapis.com/
https://evil.example\@fcm.googleapis.com/
https://fcm.googleapis.com\.evil.example/
https://fcm%2egoogleapis.com/x
https://fcm.googleapis.com./x
https://fcm..googleapis.com/x
https://-a.example/x
https://a-.example/x
https://a_b.example/x
https://fcm.googleapis.com:/x
https://fcm.googleapis.com:0/x
https://fcm.googleapis.com:65536/x
https://fcm.googleapis.com:443443/x
https://fcm.googleapis.com:+443/x
https://fcm.googleapis.com/a#b
https://fcm.googleapis.com/a\b
https://fcm.googleapis.com/"quoted"
http://127.0.0.1:8080/x
http://127.0.0.2:8080/x
http://localhost:8080/x
""".split()


def why(policy, url):
    with pytest.raises(Refused) as refused:
        policy.destination(url)
    return refused.value.why


@pytest.mark.parametrize("url", MALFORMED)
def test_a_url_that_is_not_plainly_https_to_a_name_is_refused(url):
    assert why(ANYWHERE, url) == "form"


@pytest.mark.parametrize("text", [" {}", "{} ", "{}\n", "{}\tx", "{}\x00", "\n{}", ""])
def test_blanks_and_control_characters_are_refused(text):
    assert why(ANYWHERE, text.format("https://a.example/")) == "form"


def test_a_url_or_a_name_that_is_too_long_is_refused():
    assert why(ANYWHERE, "https://a.example/" + "x" * LONGEST) == "form"
    assert why(ANYWHERE, f"https://{'a' * 64}.example/") == "form"
    assert why(ANYWHERE, f"https://{'a.' * 126}example/") == "form"


@pytest.mark.parametrize(
    "url",
    [
        "https://fcm.googleapis.com/fcm/send/c:APA91_-x",
        "https://sg2p.notify.windows.com/w/?token=a%2f",
        "https://FCM.GoogleAPIs.com/fcm/send/Abc",
        "https://a.b.notify.windows.com/",
        "https://fcm.googleapis.com:443/x",
    ],
)
def test_an_endpoint_of_a_listed_host_is_admitted(url):
    assert PUSH.destination(url).port == 443


def test_only_the_name_is_put_in_lower_case():
    found = PUSH.destination("HTTPS://FCM.googleapis.com/Send?Q=%2F")
    assert found.url == "https://fcm.googleapis.com/Send?Q=%2F"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "xfcm.googleapis.com",
        "fcm.googleapis.com.evil.example",
        "notify.windows.com",
        "xnotify.windows.com",
        "a.fcm.googleapis.com",
    ],
)
def test_a_host_that_is_not_listed_is_refused(host):
    assert why(PUSH, f"https://{host}/x") == "host"


def test_without_hosts_nothing_is_admitted():
    assert why(Policy(), "https://fcm.googleapis.com/x") == "host"


def test_a_port_must_be_listed():
    assert why(PUSH, "https://fcm.googleapis.com:8443/x") == "port"
    assert Policy(("*",), (443, 8443)).destination("https://a.example:8443/x").port == 8443


def test_a_pattern_that_is_none_is_refused_at_start():
    for pattern in (
        "https://a.example",
        "a.*.example",
        "UPPER.example",
        "*example",
        "127.0.0.1",
        "",
    ):
        with pytest.raises(ValueError, match="no name of a host"):
            Policy((pattern,))


def test_plain_loopback_is_for_who_asks_for_it():
    local = Policy((), loopback=True)
    assert local.destination("http://127.0.0.1:8080/x").origin == "http://127.0.0.1:8080"
    for url in (
        "http://127.0.0.2:80/",
        "http://localhost:80/",
        "http://10.0.0.1:80/",
        "http://[::1]:1/",
    ):
        assert why(local, url) == "form"


def test_an_origin_names_the_port_only_where_it_is_unusual():
    assert ANYWHERE.destination("https://a.example:443/x").origin == "https://a.example"
    other = Policy(("*",), (8443,)).destination("https://a.example:8443/x")
    assert other.origin == "https://a.example:8443"


def test_a_name_that_is_inside_and_outside_at_once_is_refused():
    assert first_refused(PUSH, "a.example", ["8.8.8.8", "2600::1"]) is None
    assert first_refused(PUSH, "a.example", ["8.8.8.8", "10.0.0.1"]) == "10.0.0.1"


def test_a_network_of_the_city_is_admitted_beside_the_public_one():
    city = Policy(("*",), networks=inner(["10.20.0.0/16"]))
    assert city.admits("sms.city.example", "10.20.1.1")
    assert not city.admits("sms.city.example", "10.21.1.1")


def test_under_loopback_a_name_may_still_not_lead_there():
    assert Policy(("*",), loopback=True).admits("127.0.0.1", "127.0.0.1")
    assert not Policy(("*",), loopback=True).admits("a.example", "127.0.0.1")
