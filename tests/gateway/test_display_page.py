"""The display's policy: films of its office may load, and nothing that a file could smuggle in."""

import pytest

from services.gateway.assets import POLICY
from services.gateway.display_page import MOST, guards_for, sources
from tunggu.queue.v1.kecamatan_pb2 import DisplaySpec, Film


def policy(*films):
    return dict(guards_for(DisplaySpec(films=films)))[b"content-security-policy"]


def test_an_office_without_films_has_the_policy_of_every_page(client):
    assert policy() == POLICY
    assert client.get("/display/x").headers["content-security-policy"] == POLICY.decode()
    assert client.get("/display/x").headers["cache-control"] == "no-store"


def test_a_film_and_its_captions_may_load_and_nothing_beside_them():
    film = Film(url="https://films.example/hall/a.mp4?x=1", captions="http://127.0.0.1:81/a.vtt")
    there = b" https://films.example/hall/a.mp4 http://127.0.0.1:81/a.vtt"
    said = policy(film, film)
    assert b"media-src 'self' blob:%s;" % there in said
    assert b"connect-src 'self'%s;" % there in said
    assert said.replace(there, b"").replace(b" blob:", b"") == POLICY


def test_a_film_of_our_own_host_adds_that_it_may_be_kept_and_no_address():
    assert policy(Film(url="/films/a.mp4")).replace(b" blob:", b"") == POLICY


def test_what_would_end_a_header_or_a_directive_does_not():
    found = sources(["https://a.example/x; script-src *,y\r\nset-cookie: z"])
    assert found == [b"https://a.example/x%3B%20script-src%20*%2Cyset-cookie:%20z"]


NOWHERE = [
    *("", "a.mp4", "/films/a.mp4", "//a.b/c", "javascript:alert(1)", "data:video/mp4;base64,AA"),
    *("https://", "https://*/a", "https://a b/c", "https://x;y/a", "https://a:b/c", "https://[::1"),
    *("https://'unsafe-inline'/a", f"https://{'a' * 70}.example/a"),
]


@pytest.mark.parametrize("address", NOWHERE)
def test_what_is_no_full_address_of_the_web_adds_nothing(address):
    assert sources([address]) == []


def test_many_films_are_admitted_by_their_hosts():
    many = [f"https://films.example/{i:0100}.mp4" for i in range(64)]
    assert sources(many) == [b"https://films.example"]
    assert sum(map(len, sources(many[:15]))) <= MOST
