"""The Kecamatan file: what is refused and where, and what it means for a date."""

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.errors import Problem
from services.queue import agenda, kecamatan
from services.queue.policy import parse_policy
from tests.queue.servicing import RULE, SERVICES, at, file_of
from tunggu.queue.v1 import kecamatan_pb2 as pb

RULES = Path(__file__).parent.parent.parent / "docs" / "RULES.md"
CODE = "73.71.03"
MONDAY = "2026-03-02"
MORNING = {"open": "07:30", "close": "12:00"}
AFTERNOON = {"open": "13:00", "close": "15:30"}
FRIDAY = {"open": "08:00", "close": "11:30"}
SHORT = {"open": "08:00", "close": "12:00"}


def hours_of(**parts):
    return json_format.ParseDict(parts, pb.Hours())


def spec_of(**spec):
    return file_of(CODE, **spec).spec


def shown(*times):
    """A display whose film is shown from the first of each two times to the second."""
    pairs = zip(times[::2], times[1::2], strict=True)
    hours = [{"open": opens, "close": closes} for opens, closes in pairs]
    return {"display": {"films": [{"url": "https://films.example/a.mp4", "hours": hours}]}}


def refusal(file, code=CODE):
    with pytest.raises(Problem) as refused:
        kecamatan.validate(code, file)
    assert refused.value.reason == "INVALID_KECAMATAN"
    assert set(refused.value.metadata) == {"field", "why"}
    return refused.value.metadata["field"]


# Hours ------------------------------------------------------------------------------------------

WEEK = {"mon": [MORNING, AFTERNOON], "fri": [FRIDAY]}
RAMADAN = {"name": "Ramadan", "from": "2026-03-01", "to": "2026-03-10", "weekly": {"mon": [SHORT]}}
HOURS = hours_of(
    weekly=WEEK,
    seasons=[RAMADAN],
    exceptions=[
        {"date": "2026-03-09", "closed": True, "reason": "Libur"},
        {"date": "2026-03-04", "hours": [FRIDAY]},
        {"date": "2026-03-22", "hours": [MORNING]},
        {"date": "2026-03-23", "closed": True},
    ],
)


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        ("2026-02-23", [MORNING, AFTERNOON]),  # a Monday of the ordinary week
        ("2026-02-27", [FRIDAY]),
        ("2026-02-28", []),  # a Saturday that the week does not name
        ("2026-03-02", [SHORT]),  # a Monday of the season
        ("2026-03-06", []),  # its Friday: the season replaces the whole week
        ("2026-03-09", []),  # a Monday of the season that an exception closes
        ("2026-03-04", [FRIDAY]),  # a closed Wednesday of the season that an exception opens
        ("2026-03-16", [MORNING, AFTERNOON]),  # after the season
        ("2026-03-22", [MORNING]),  # a Sunday that an exception opens
        ("2026-03-23", []),  # an ordinary Monday that an exception closes
    ],
)
def test_an_exception_beats_a_season_and_a_season_beats_the_week(day, hours):
    assert kecamatan.hours_on(HOURS, day) == tuple((h["open"], h["close"]) for h in hours)


def test_a_season_holds_on_its_first_and_last_day():
    hours = hours_of(weekly={}, seasons=[{**RAMADAN, "from": "2026-03-02", "to": "2026-03-09"}])
    open_on = [
        f"2026-03-{d:02d}" for d in range(1, 32) if kecamatan.hours_on(hours, f"2026-03-{d:02d}")
    ]
    assert open_on == ["2026-03-02", "2026-03-09"]


def test_the_first_of_two_overlapping_seasons_holds():
    other = {"name": "X", "from": "2026-03-01", "to": "2026-03-31", "weekly": {"mon": [FRIDAY]}}
    hours = hours_of(weekly=WEEK, seasons=[RAMADAN, other])
    assert kecamatan.hours_on(hours, MONDAY) == (("08:00", "12:00"),)
    assert kecamatan.hours_on(hours, "2026-03-16") == (("08:00", "11:30"),)


# The policy document ----------------------------------------------------------------------------


def test_the_document_is_the_one_that_the_rules_print():
    spec = spec_of(
        hours={"weekly": {"mon": [{"open": "07:30", "close": "12:00"}]}},
        services=[
            {"code": "A", "name": "A", "quota": {"day": 200, "web": 120}},
            {"code": "B", "name": "B", "channels": ["CHANNEL_KIOSK", "CHANNEL_DESK"]},
        ],
        counters=[{"id": "1", "services": ["B", "A"]}],
        rule={},
    )
    lines = RULES.read_text("utf-8").splitlines()
    printed = next(line for line in lines if line.startswith('`{"code":')).strip("`")
    assert kecamatan.policy_document(spec, MONDAY).decode() == printed


def test_a_file_that_names_nothing_gets_the_defaults_of_the_rule():
    document = json.loads(kecamatan.policy_document(spec_of(rule=None), MONDAY))
    assert document["rule"] == {
        "hold": {"times": 2, "within": 7200},
        "priorityAfter": 2,
        "return": {"afterCalls": 3, "times": 1, "within": 3600},
        "skip": {"after": 90, "calls": 3},
        "transfers": 3,
    }


def test_zero_is_a_value_and_not_a_default():
    rule = {
        "priorityAfter": 0,
        "skip": {"calls": 1, "after": "0s"},
        "return": {"afterCalls": 0, "within": "0s", "times": 0},
        "hold": {"times": 0, "within": "0s"},
        "transfers": 0,
    }
    kecamatan.validate(CODE, file_of(CODE, rule=rule))
    document = json.loads(kecamatan.policy_document(spec_of(rule=rule), MONDAY))
    assert document["rule"]["priorityAfter"] == document["rule"]["transfers"] == 0
    assert document["rule"]["return"] == {"afterCalls": 0, "times": 0, "within": 0}
    assert document["rule"]["hold"] == {"times": 0, "within": 0}
    published = kecamatan.with_defaults(spec_of(rule=rule).rule)
    assert kecamatan.with_defaults(published) == published
    assert (published.transfers, published.hold.within.seconds) == (0, 0)


def test_quota_and_channels_have_defaults_too():
    services = [
        {"code": "A", "name": "A"},
        {"code": "B", "name": "B", "quota": {"day": 7}},
        {
            "code": "C",
            "name": "C",
            "quota": {"day": 0},
            "channels": ["CHANNEL_KIOSK", "CHANNEL_DESK"],
        },
    ]
    document = json.loads(kecamatan.policy_document(spec_of(services=services), MONDAY))
    assert [s["quota"] for s in document["services"]] == [
        {"day": 9999, "web": 9999},
        {"day": 7, "web": 7},
        {"day": 0, "web": 0},
    ]
    assert [s["channels"] for s in document["services"]] == [
        ["DESK", "KIOSK", "WEB", "WHATSAPP"],
        ["DESK", "KIOSK", "WEB", "WHATSAPP"],
        ["DESK", "KIOSK"],
    ]


def test_names_texts_and_cameras_are_no_part_of_the_document():
    plain = kecamatan.policy_document(spec_of(), MONDAY)
    told = spec_of(
        name="Lain",
        address="Jalan",
        display={"runningText": [{"id": "x"}]},
        notify={"thresholds": [5]},
        cameras=[{"id": "hall"}],
        services=[{**service, "name": "Lain", "typicalMinutes": 40} for service in SERVICES],
    )
    assert kecamatan.policy_document(told, MONDAY) == plain


def test_what_is_frozen_are_names_and_first_guesses():
    spec = spec_of(
        services=[{"code": "A", "name": "Adé", "typicalMinutes": 12}, {"code": "B", "name": "B"}]
    )
    assert json.loads(kecamatan.frozen(spec)) == {
        "name": "Makassar",
        "services": {
            "A": {"name": "Adé", "typicalMinutes": 12},
            "B": {"name": "B", "typicalMinutes": 10},
        },
    }


def test_the_bytes_of_an_unchanged_file_are_the_same_and_are_read_back():
    first, second = (kecamatan.dump(file_of(CODE, name="Adé")) for _ in range(2))
    assert first == second
    assert kecamatan.load(first) == file_of(CODE, name="Adé")


# What is refused --------------------------------------------------------------------------------


def test_a_good_file_is_accepted():
    kecamatan.validate(CODE, file_of(CODE))


@pytest.mark.parametrize(
    ("field", "value"),
    [("apiVersion", "v1"), ("kind", "Kelurahan"), ("metadata.name", "Kecamatan Makassar")],
)
def test_the_head_of_a_file_is_checked(field, value):
    file = file_of(CODE)
    if field == "metadata.name":
        file.metadata.name = value
    else:
        setattr(file, "api_version" if field == "apiVersion" else field, value)
    assert refusal(file) == field


def day(*intervals):
    return {"weekly": {"tue": [{"open": o, "close": c} for o, c in intervals]}}


def season(**parts):
    whole = {"name": "X", "from": "2026-03-01", "to": "2026-03-02", "weekly": {}, **parts}
    return {"weekly": {}, "seasons": [whole]}


def service(**parts):
    return [{"code": "A", "name": "A", **parts}]


def counter(**parts):
    return [{"id": "1", "services": ["A"], **parts}]


TUE, SEASON, EXCEPTION = "spec.hours.weekly.tue", "spec.hours.seasons[0]", "spec.hours.exceptions"


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("spec.name", {"name": ""}),
        ("spec.name", {"name": " Makassar"}),
        ("spec.name", {"name": "Maka\nssar"}),
        ("spec.name", {"name": "x" * 65}),
        ("spec.address", {"address": "x" * 257}),
        ("spec.timezone", {"timezone": "Makassar"}),
        ("spec.timezone", {"timezone": "../etc/passwd"}),
        ("spec.hours", {"hours": None}),
        (f"{TUE}[0].open", {"hours": day(("7:30", "12:00"))}),
        (f"{TUE}[0].open", {"hours": day(("24:00", "24:00"))}),
        (f"{TUE}[0].close", {"hours": day(("07:30", "24:01"))}),
        (f"{TUE}[0].close", {"hours": day(("12:00", "12:00"))}),
        (f"{TUE}[1].open", {"hours": day(("07:30", "12:00"), ("11:59", "15:00"))}),
        (f"{SEASON}.from", {"hours": season(**{"from": "2026-2-1"})}),
        (f"{SEASON}.to", {"hours": season(to="2026-02-30")}),
        (f"{SEASON}.to", {"hours": season(to="2026-02-01")}),
        (f"{SEASON}.weekly.sun[0].close", {"hours": season(weekly={"sun": [{"open": "08:00"}]})}),
        (f"{EXCEPTION}[0].date", {"hours": {"exceptions": [{"date": "Natal", "closed": True}]}}),
        (f"{EXCEPTION}[0]", {"hours": {"exceptions": [{"date": "2026-12-25"}]}}),
        (
            f"{EXCEPTION}[0]",
            {"hours": {"exceptions": [{"date": "2026-12-25", "closed": True, "hours": [SHORT]}]}},
        ),
        (EXCEPTION, {"hours": {"exceptions": [{"date": "2026-12-25", "closed": True}] * 2}}),
        ("spec.services", {"services": []}),
        ("spec.services", {"services": service() * 2}),
        ("spec.services[0].code", {"services": service(code="AA")}),
        ("spec.services[0].name", {"services": service(name="")}),
        ("spec.services[0].typicalMinutes", {"services": service(typicalMinutes=481)}),
        ("spec.services[0].typicalMinutes", {"services": service(typicalMinutes=-1)}),
        ("spec.services[0].quota.day", {"services": service(quota={"day": 10000})}),
        ("spec.services[0].quota.day", {"services": service(quota={"day": -1})}),
        ("spec.services[0].quota.web", {"services": service(quota={"day": 5, "web": 6})}),
        ("spec.services[0].channels", {"services": service(channels=["CHANNEL_UNSPECIFIED"])}),
        ("spec.services[0].channels", {"services": service(channels=[9])}),
        ("spec.services[0].channels", {"services": service(channels=["CHANNEL_WEB"] * 2)}),
        ("spec.counters", {"counters": []}),
        ("spec.counters", {"counters": counter() * 2}),
        ("spec.counters", {"counters": [counter(id=str(i))[0] for i in range(100)]}),
        ("spec.counters[0].id", {"counters": counter(id="loket satu")}),
        ("spec.counters[0].id", {"counters": counter(id="123456789")}),
        ("spec.counters[0].id", {"counters": counter(id="-1")}),
        ("spec.counters[0].name", {"counters": counter(name="x" * 65)}),
        ("spec.counters[0].services", {"counters": counter(services=[])}),
        ("spec.counters[0].services", {"counters": counter(services=["Q"])}),
        ("spec.counters[0].services", {"counters": counter(services=["A", "A"])}),
        ("spec.rule.priorityAfter", {"rule": {"priorityAfter": -1}}),
        ("spec.rule.transfers", {"rule": {"transfers": 10000}}),
        ("spec.rule.skip.calls", {"rule": {"skip": {"calls": 0}}}),
        ("spec.rule.skip.calls", {"rule": {"skip": {"calls": 100}}}),
        ("spec.rule.skip.after", {"rule": {"skip": {"after": "86401s"}}}),
        ("spec.rule.skip.after", {"rule": {"skip": {"after": "1.5s"}}}),
        ("spec.rule.return.within", {"rule": {"return": {"within": "-1s"}}}),
        ("spec.rule.return.times", {"rule": {"return": {"times": -1}}}),
        ("spec.rule.hold.within", {"rule": {"hold": {"within": "0.000000001s"}}}),
        ("spec.display.runningText[0].id", {"display": {"runningText": [{"en": "only"}]}}),
        ("spec.display.films[0].url", {"display": {"films": [{"captions": "x"}]}}),
        ("spec.display.films[0].hours[0].open", shown("8:00", "12:00")),
        ("spec.display.films[0].hours[0].close", shown("12:00", "12:00")),
        ("spec.display.films[0].hours[1].open", shown("08:00", "12:00", "11:00", "13:00")),
        ("spec.display.films[0].hours", shown(*["08:00", "12:00"] * 7)),
        ("spec.notify.thresholds", {"notify": {"thresholds": [2, 5]}}),
        ("spec.notify.thresholds", {"notify": {"thresholds": [100]}}),
        ("spec.notify.thresholds", {"notify": {"thresholds": [9, 8, 7, 6, 5, 4]}}),
        ("spec.cameras", {"cameras": [{"id": "hall"}, {"id": "hall"}]}),
    ],
)
def test_a_wrong_part_of_a_file_is_named_by_its_path(field, spec):
    assert refusal(file_of(CODE, **spec)) == field


def test_the_code_must_be_one_and_that_of_the_address():
    assert refusal(file_of("7371.03")) == "spec.code"
    assert refusal(file_of("73.71.04")) == "spec.code"
    kecamatan.validate("73.71.04", file_of("73.71.04"))


def test_the_largest_file_that_is_admitted_is_admitted():
    letters = [chr(c) for c in range(ord("A"), ord("Z") + 1)]
    kecamatan.validate(
        CODE,
        file_of(
            CODE,
            services=[
                {"code": c, "name": c * 64, "quota": {"day": 9999, "web": 9999}} for c in letters
            ],
            counters=[{"id": f"{i:08d}", "services": letters} for i in range(99)],
            rule={**RULE, "skip": {"calls": 99, "after": "86400s"}, "transfers": 9999},
            hours=day(("00:00", "12:00"), ("12:00", "24:00")),
        ),
    )


# Whatever is admitted holds on every date -------------------------------------------------------

ZONES = (
    "Asia/Makassar",
    "Asia/Jakarta",
    "America/New_York",
    "Pacific/Apia",
    "Australia/Lord_Howe",
    "UTC",
)
minutes = st.integers(0, 24 * 60 - 1).map(lambda m: f"{m // 60:02d}:{m % 60:02d}")


@st.composite
def intervals(draw):
    times = sorted(draw(st.lists(minutes, max_size=6, unique=True)))
    pairs = zip(times[::2], times[1::2], strict=False)
    return [{"open": opens, "close": close} for opens, close in pairs]


weeks = st.fixed_dictionaries({}, optional={name: intervals() for name in kecamatan.WEEK})


@settings(max_examples=60, deadline=None, derandomize=True)
@given(weeks, weeks, intervals(), st.sampled_from(ZONES), st.integers(0, 366))
def test_an_admitted_file_means_a_policy_on_every_date(week, seasonal, hours, zone, offset):
    exceptional = {"hours": hours} if hours else {"closed": True}
    first = date(2026, 1, 1) + timedelta(offset)
    file = file_of(
        CODE,
        timezone=zone,
        hours={
            "weekly": week,
            "seasons": [{"from": "2026-02-18", "to": "2026-03-19", "weekly": seasonal}],
            "exceptions": [{"date": "2026-03-08", **exceptional}],
        },
    )
    kecamatan.validate(CODE, file)
    for local in [(first + timedelta(i)).isoformat() for i in range(7)] + ["2026-03-08"]:
        policy = parse_policy(kecamatan.policy_document(file.spec, local))
        assert policy.hours == kecamatan.hours_on(file.spec.hours, local)
        found = agenda.running(local, policy.document, "")
        assert found.start <= found.close_at <= found.end
        assert all(found.start <= a <= b <= found.end for a, b in found.hours)


# The agenda -------------------------------------------------------------------------------------


def coming(moment, always=False, **spec):
    file = kecamatan.dump(file_of(CODE, **spec))
    return agenda.coming(file, "7", at(moment), "salt", always)


def test_an_agenda_is_of_the_local_date():
    found = coming("2026-03-02T23:59", hours={"weekly": WEEK})
    assert (found.day, found.salt, found.generation) == (MONDAY, "salt", "7")
    assert (found.start, found.end) == (at("2026-03-02T00:00"), at("2026-03-03T00:00"))
    assert found.hours == (
        (at("2026-03-02T07:30"), at("2026-03-02T12:00")),
        (at("2026-03-02T13:00"), at("2026-03-02T15:30")),
    )
    assert found.close_at == at("2026-03-02T17:30")
    assert coming("2026-03-03T00:00", hours={"weekly": WEEK}).day == "2026-03-03"
    assert agenda.local_date("UTC", at("2026-03-02T07:59")) == "2026-03-01"


def test_an_agenda_carries_what_is_frozen_when_its_day_opens():
    found = coming("2026-03-02T10:00")
    assert hashlib.sha256(found.document).hexdigest() == found.policy.hash
    assert json.loads(found.names)["name"] == "Makassar"
    running = agenda.running(found.day, found.document, found.salt)
    assert (running.document, running.names, running.generation) == (b"", b"", "")
    assert (running.hours, running.close_at) == (found.hours, found.close_at)


def test_an_always_open_office_is_open_from_midnight_to_midnight():
    found = coming("2026-03-01T10:00", always=True, hours={"weekly": WEEK})
    assert found.hours == ((found.start, found.end),)
    assert found.close_at == found.end
    assert found.hours_text == f"{found.start}-{found.end}"


def test_a_date_without_hours_never_begins():
    found = coming("2026-03-01T10:00", hours={"weekly": WEEK})
    assert (found.hours, found.hours_text, found.close_at) == ((), "", found.start)


def test_a_late_closing_leaves_less_than_two_hours():
    late = {"weekly": {"mon": [{"open": "08:00", "close": "23:00"}]}}
    found = coming("2026-03-02T10:00", hours=late)
    assert found.close_at == found.end
