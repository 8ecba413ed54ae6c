"""Limits on requests, over real HTTP: who is refused, who is not, and what they are told."""

import pytest
from prometheus_client import generate_latest

from tests.gateway.fake_queue import CODE
from tests.gateway.stack import Stack

TICKETS = f"/v1/kecamatan/{CODE}/tickets"
BOARD = f"/v1/kecamatan/{CODE}/board"
SLOW = "0.01"  # tokens a second: within a test none comes back


@pytest.fixture(scope="module")
def limited(staff_key):
    settings = {
        "requests": (SLOW, "5"),
        "takes": (SLOW, "4"),
        "openings": (SLOW, "2"),
        "guesses": (SLOW, "2"),
        "holder_takes": (SLOW, "2"),
        "staff_requests": (SLOW, "6"),
        "trusted_proxies": ("127.0.0.1",),
        "jwks": str(staff_key[0]),
    }
    with Stack(**settings) as running:
        yield running


@pytest.fixture
def client(limited, request):
    """From an address of its own."""
    limited.do(limited.fake.forget())
    limited.serial = getattr(limited, "serial", 0) + 1
    with limited.client(headers={"X-Forwarded-For": f"203.0.113.{limited.serial}"}) as speaking:
        yield speaking


def statuses(answers):
    return [answer.status_code for answer in answers]


def test_requests_beyond_the_burst_are_told_when_to_come_back(client):
    answers = [client.get(BOARD) for _ in range(7)]
    assert statuses(answers) == [200] * 5 + [429] * 2
    refused = answers[-1]
    assert refused.json()["reason"] == "RATE_LIMITED"
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) >= 100
    assert refused.headers["retry-after"] in refused.json()["detail"]
    assert client.get("/").status_code == 429


def test_probes_are_never_refused(client):
    assert {client.get(path).status_code for path in ["/healthz", "/readyz"] * 10} == {200}


def test_numbers_streams_and_other_requests_are_counted_apart(limited, client):
    answers = [client.post(TICKETS, json={"service": "A"}) for _ in range(6)]
    assert statuses(answers) == [201] * 4 + [429] * 2
    assert len(limited.fake.tickets) == 4
    openings = [client.head(f"/v1/streams/kecamatan/{CODE}/board") for _ in range(4)]
    assert statuses(openings) == [200] * 2 + [429] * 2
    assert client.get(BOARD).status_code == 200


def test_another_address_is_not_concerned_and_one_subscribers_ipv6_addresses_are_one(client):
    def ask(address):
        return client.get(BOARD, headers={"X-Forwarded-For": address}).status_code

    assert [ask(f"2001:db8:0:1::{n}") for n in range(7)] == [200] * 5 + [429] * 2
    assert ask("2001:db8:0:2::1") == 200
    assert ask("198.51.100.200") == 200


def test_what_a_client_writes_in_front_of_its_address_changes_nothing(client):
    address = client.headers["X-Forwarded-For"]
    spoofed = [
        client.get(BOARD, headers={"X-Forwarded-For": f"192.0.2.{n}, {address}"}) for n in range(7)
    ]
    assert statuses(spoofed) == [200] * 5 + [429] * 2


def test_a_holders_key_asks_for_so_many_numbers_at_an_office_from_any_address(client):
    def take(n, office=CODE, **holder):
        return client.post(
            f"/v1/kecamatan/{office}/tickets",
            json={"service": "A", **holder},
            headers={"X-Forwarded-For": f"198.51.100.{n}"},
        ).status_code

    assert [take(n, holder="phone-7") for n in range(4)] == [201, 201, 429, 429]
    assert take(5, office="73.71.01", holder="phone-7") == 201
    assert take(6, holder="phone-8") == 201
    assert take(7) == 201


def test_who_names_tickets_that_are_none_may_go_on_with_those_that_are(client):
    mine = client.post(TICKETS, json={"service": "A"}).json()["ticket"]["id"]
    assert client.get(f"/v1/tickets/{mine}").status_code == 200
    guesses = [client.get(f"/v1/tickets/guess-{n}") for n in range(3)]
    assert statuses(guesses) == [404, 404, 429]
    assert client.get(f"/v1/tickets/{mine}").status_code == 200


def test_guessing_through_streams_and_verbs_counts_too(client):
    assert client.get("/v1/streams/tickets/guess-1").status_code == 404
    assert client.post("/v1/tickets/guess-2:cancel").status_code == 404
    assert client.get("/v1/tickets/guess-3").status_code == 429


def test_a_kiosk_is_served_when_its_network_is_over_the_limit(limited, client, staff_key):
    for _ in range(6):
        client.get(BOARD)
    forged = [client.get(BOARD, headers={"Authorization": "Bearer a.b.c"}) for _ in range(2)]
    assert statuses(forged) == [429] * 2
    badge = {"Authorization": f"Bearer {staff_key[1]}"}
    limited.fake.trusted = badge["Authorization"]
    served = [client.get(BOARD, headers=badge) for _ in range(8)]
    assert statuses(served) == [200] * 6 + [429] * 2


def test_refusals_are_counted_by_kind_and_never_by_who_they_met(limited, client):
    for _ in range(7):
        client.get(BOARD)
    page = generate_latest().decode()
    assert 'tunggu_gateway_limited_total{limit="requests"}' in page
    assert "203.0.113" not in page


def test_a_refusal_is_not_logged_line_by_line(client, caplog):
    caplog.set_level("INFO", "services.gateway.access")
    for _ in range(7):
        client.get(BOARD)
    ours = [one for one in caplog.records if one.name == "services.gateway.access"]
    assert [one.fields["status"] for one in ours] == [200] * 5
    assert not [one for one in ours if "203.0.113" in str(vars(one))]


def test_without_limits_nobody_is_refused():
    with Stack(limits="off", requests=(SLOW, "1")) as free, free.client() as client:
        assert {client.get(BOARD).status_code for _ in range(20)} == {200}
