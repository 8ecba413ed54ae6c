"""The Kecamatan resource: what the API server checks is what the queue checks."""

import copy
import json

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.errors import Problem
from services.local.office_file import read
from services.queue import kecamatan
from tests.deploy import crd
from tests.deploy.rendered import ROOT
from tunggu.queue.v1 import kecamatan_pb2 as pb

FILES = sorted((ROOT / "kecamatan").glob("*.yaml"))
BEYOND = ("spec.timezone",)
"""What the queue alone can judge: whether the time zone exists."""
SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: "string",
    FieldDescriptor.CPPTYPE_INT32: "integer",
    FieldDescriptor.CPPTYPE_BOOL: "boolean",
    FieldDescriptor.CPPTYPE_ENUM: "string",
}


def makassar():
    (office,) = read(ROOT / "kecamatan" / "makassar.yaml")
    return office


def queue_refuses(item):
    """The field, or None. What is no message at all is refused at its root."""
    item = copy.deepcopy(item)
    services = item["spec"].get("services")
    for service in services if isinstance(services, list) else ():
        if isinstance(service, dict) and isinstance(service.get("channels"), list):
            # The long names of the proto; those who speak JSON write the short ones.
            service["channels"] = [f"CHANNEL_{name}" for name in service["channels"]]
    try:
        file = json_format.Parse(json.dumps(item), pb.Kecamatan())
        kecamatan.validate(item["spec"].get("code", ""), file)
    except json_format.ParseError:
        return "file"
    except Problem as problem:
        return problem.metadata["field"]
    return None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_files_of_makassar_are_taken(path):
    for office in read(path):
        assert crd.refusals(office) == []


def test_the_schema_has_the_fields_of_the_message_and_no_others():
    _compare(crd.schema()["properties"]["spec"], pb.KecamatanSpec.DESCRIPTOR, "spec")


def _compare(node, message, path):
    fields = {field.json_name: field for field in message.fields}
    assert set(node["properties"]) == set(fields), path
    for name, field in fields.items():
        below = node["properties"][name]
        if field.is_repeated:
            assert below["type"] == "array", f"{path}.{name}"
            assert below["maxItems"], f"{path}.{name} has no bound"
            below = below["items"]
        if field.message_type is None:
            assert below["type"] == SCALARS[field.cpp_type], f"{path}.{name}"
        elif field.message_type.full_name == "google.protobuf.Duration":
            assert below["type"] == "string"
        else:
            _compare(below, field.message_type, f"{path}.{name}")


def film(opens, closes):
    return {"url": "https://films.example/a.mp4", "hours": [{"open": opens, "close": closes}]}


CHANGES = {
    "an unknown service at a counter": (
        lambda s: s["counters"][0]["services"].append("Z"), True),
    "no services at a counter": (lambda s: s["counters"][0].update(services=[]), True),
    "the same service twice at a counter": (
        lambda s: s["counters"][0].update(services=["A", "A"]), True),
    "two counters of one id": (lambda s: s["counters"][1].update(id="1"), True),
    "a counter's id with a space": (lambda s: s["counters"][1].update(id="1 a"), True),
    "two services of one letter": (lambda s: s["services"][1].update(code="A"), True),
    "a service of two letters": (lambda s: s["services"][1].update(code="AB"), True),
    "a service without a name": (lambda s: s["services"][1].pop("name"), True),
    "no services": (lambda s: s.update(services=[]), True),
    "no counters": (lambda s: s.update(counters=[]), True),
    "no hours": (lambda s: s.pop("hours"), True),
    "hours of no day": (lambda s: s["hours"].pop("weekly"), False),
    "an hour of 25": (lambda s: s["hours"]["weekly"]["mon"][0].update(open="25:00"), True),
    "an opening at 24:00": (lambda s: s["hours"]["weekly"]["mon"][0].update(open="24:00"), True),
    "a closing at 24:00": (lambda s: s["hours"]["weekly"]["mon"][1].update(close="24:00"), False),
    "a closing before the opening": (
        lambda s: s["hours"]["weekly"]["mon"][0].update(close="06:00"), True),
    "hours out of order": (lambda s: s["hours"]["weekly"]["mon"].reverse(), True),
    "hours that overlap": (
        lambda s: s["hours"]["weekly"]["mon"][1].update(open="11:00"), True),
    "seven times a day": (
        lambda s: s["hours"]["weekly"].update(
            mon=[{"open": f"0{n}:00", "close": f"0{n}:30"} for n in range(7)]), True),
    "a season that ends before it begins": (
        lambda s: s["hours"]["seasons"][0].update(to="2027-01-01"), True),
    "a season of no date": (lambda s: s["hours"]["seasons"][0].update(to="soon"), True),
    "a 30th of February": (
        lambda s: s["hours"]["exceptions"][0].update(date="2027-02-30"), True),
    "a date twice": (lambda s: s["hours"]["exceptions"].append(
        {"date": "2026-12-25", "closed": True}), True),
    "closed with hours": (lambda s: s["hours"]["exceptions"][0].update(
        hours=[{"open": "08:00", "close": "09:00"}]), True),
    "neither closed nor hours": (
        lambda s: s["hours"]["exceptions"][0].update(closed=False), True),
    "more by phone than in all": (
        lambda s: s["services"][0].update(quota={"day": 5, "web": 6}), True),
    "all by phone": (lambda s: s["services"][0].update(quota={"day": 5, "web": 5}), False),
    "a quota by phone alone": (lambda s: s["services"][0].update(quota={"web": 5}), True),
    "no quota": (lambda s: s["services"][0].pop("quota"), False),
    "a quota of 10,000": (lambda s: s["services"][0].update(quota={"day": 10_000}), True),
    "a channel that does not exist": (
        lambda s: s["services"][0].update(channels=["PIGEON"]), True),
    "a channel twice": (lambda s: s["services"][0].update(channels=["WEB", "WEB"]), True),
    "two channels": (lambda s: s["services"][0].update(channels=["DESK", "KIOSK"]), False),
    "minutes below none": (lambda s: s["services"][0].update(typicalMinutes=-1), True),
    "a rule of one part": (lambda s: s.update(rule={"transfers": 0}), False),
    "an unknown rule": (lambda s: s["rule"].update(vip=1), True),
    "no calls before a skip": (lambda s: s["rule"]["skip"].update(calls=0), True),
    "a duration without its unit": (lambda s: s["rule"]["skip"].update(after="90"), True),
    "a duration in minutes": (lambda s: s["rule"]["skip"].update(after="2m"), True),
    "a duration of more than a day": (
        lambda s: s["rule"]["return"].update(within="86401s"), True),
    "a duration of a day": (lambda s: s["rule"]["return"].update(within="86400s"), False),
    "thresholds that rise": (lambda s: s.update(notify={"thresholds": [2, 5]}), True),
    "a threshold twice": (lambda s: s.update(notify={"thresholds": [5, 5]}), True),
    "six thresholds": (lambda s: s.update(notify={"thresholds": [9, 8, 7, 6, 5, 4]}), True),
    "five thresholds": (lambda s: s.update(notify={"thresholds": [99, 8, 7, 6, 1]}), False),
    "a running text in English alone": (
        lambda s: s["display"].update(runningText=[{"en": "Hello"}]), True),
    "a film without an address": (
        lambda s: s["display"].update(films=[{"title": "Banjir"}]), True),
    "a film's hours": (lambda s: s["display"].update(films=[film("08:00", "12:00")]), False),
    "a film at no hour": (lambda s: s["display"].update(films=[film("8", "12:00")]), True),
    "a film that ends before it begins": (
        lambda s: s["display"].update(films=[film("12:00", "08:00")]), True),
    "two cameras of one id": (
        lambda s: s.update(cameras=[{"id": "hall"}, {"id": "hall"}]), True),
    "a camera without an id": (lambda s: s.update(cameras=[{"name": "hall"}]), True),
    "33 requirements": (
        lambda s: s["services"][0]["standard"].update(requirements=["KTP"] * 33), True),
    "a text of 1,025 characters": (
        lambda s: s["services"][0]["standard"].update(cost="x" * 1025), True),
    "a name with a line break": (lambda s: s.update(name="Makas\nsar"), True),
    "a name with a blank before it": (lambda s: s.update(name=" Makassar"), True),
    "a name of one letter": (lambda s: s.update(name="M"), False),
    "a code of another form": (lambda s: s.update(code="737103"), True),
    "a field that does not exist": (lambda s: s.update(colour="red"), True),
    "a text where a list should be": (lambda s: s.update(counters="1"), True),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_api_server_and_queue_say_the_same_of(name):
    item = makassar()
    change, refused = CHANGES[name]
    change(item["spec"])
    assert bool(crd.refusals(item)) == refused
    assert bool(queue_refuses(item)) == refused


def _places(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _places(below, (*path, key))
    if isinstance(value, list):
        for i, below in enumerate(value):
            yield from _places(below, (*path, i))


PLACES = [path for path in _places(makassar()["spec"]) if path]
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 10_001), st.text("aA1:.-s \n", max_size=9),
    st.sampled_from(
        ["24:00", "08:15", "2027-02-28", "B", "60s", "73.71.04", [], {}, ["A"], "x" * 1025]
    ),
)  # fmt: skip


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=3))
def test_what_the_api_server_takes_the_queue_takes(changes):
    item = makassar()
    for path, value in changes:
        where = item["spec"]
        try:
            for step in path[:-1]:
                where = where[step]
            where[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    if not crd.refusals(item):
        assert queue_refuses(item) in (None, *BEYOND)


def test_the_code_of_an_office_does_not_change():
    old, new = makassar(), makassar()
    new["spec"]["code"] = "73.71.04"
    assert crd.refusals(new, old) == [".spec.code: the code of an office does not change"]
    renamed = copy.deepcopy(old)
    renamed["spec"]["name"] = "Makassar Baru"
    assert crd.refusals(renamed, old) == []


def test_every_text_list_and_rule_is_bounded_for_the_api_server():
    """It refuses rules whose cost it cannot reckon."""

    def unbounded(node, path):
        if node.get("type") == "array" and "maxItems" not in node and ".status" not in path:
            yield path
        if node.get("type") == "string" and not ({"maxLength", "enum", "format"} & set(node)):
            yield path
        for name, below in node.get("properties", {}).items():
            yield from unbounded(below, f"{path}.{name}")
        if "items" in node:
            yield from unbounded(node["items"], f"{path}[]")

    spec = crd.schema()["properties"]["spec"]
    assert list(unbounded(spec, "spec")) == []
    text = crd.FILE.read_text()
    assert "messageExpression" not in text
