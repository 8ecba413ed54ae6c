"""A resource as the queue's file, and which of two has an office."""

import copy

import pytest

from services.controller.desired import Claim, UnreadableError, file_of, owner
from tests.controller.cluster import makassar
from tunggu.queue.v1 import ticket_pb2


def test_a_resource_is_the_file_of_the_same_words():
    resource = makassar()
    file = file_of("makassar", resource["spec"])
    assert (file.kind, file.metadata.name) == ("Kecamatan", "makassar")
    assert file.spec.code == "73.71.03"
    assert [service.code for service in file.spec.services] == [
        service["code"] for service in resource["spec"]["services"]
    ]


def test_channels_may_be_said_in_short_and_in_full():
    spec = makassar()["spec"]
    spec["services"] = [{"code": "A", "name": "x", "channels": ["WEB", "CHANNEL_KIOSK"]}]
    (service,) = file_of("makassar", spec).spec.services
    assert list(service.channels) == [ticket_pb2.CHANNEL_WEB, ticket_pb2.CHANNEL_KIOSK]


def test_the_resource_itself_stays_as_it_is():
    spec = makassar()["spec"]
    before = copy.deepcopy(spec)
    file_of("makassar", spec)
    assert spec == before


@pytest.mark.parametrize(
    ("member", "value", "says"),
    [
        ("counters", "1", "counters"),
        ("services", 7, "services"),
        ("services", ["A"], "services"),
        ("services", [{"code": "A", "channels": ["PIGEON"]}], "PIGEON"),
        ("services", [{"code": "A", "channels": 3}], "channels"),
        ("colour", "red", "colour"),
    ],
)
def test_what_is_no_kecamatan_is_said_to_be_none_and_where(member, value, says):
    with pytest.raises(UnreadableError, match=says):
        file_of("makassar", makassar()["spec"] | {member: value})


def test_the_oldest_resource_has_the_code_and_by_name_among_equals():
    old, new = Claim("2026-11-23T10:00:00Z", "z"), Claim("2026-11-23T10:00:01Z", "a")
    assert owner([new, old]) == "z"
    assert owner([Claim(old.created, "y"), old]) == "y"
    assert owner([]) == ""
