"""The page's policy and the Python one on the same days: same states, same calls, same findings.

`tests/queue/test_lua_equals_python.py` holds production to such days too, so all three agree.
"""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from services.queue import commands as verb
from services.queue.fold import apply, fresh_day
from services.queue.journal import Event, encode
from services.queue.model import Channel, Day, Lane, Tally
from services.queue.policy import close_at_ms, day_bounds_ms, hours_ms, next_ticket, parse_policy
from services.queue.verify import as_json, verify
from tests.queue.days import MINUTE, Office, document, random_day
from tests.queue.test_verify import FORGED, busy_day

RUN = """async ([work, value]) => {
  const rule = ["leaf", "zone", "policy", "next", "fold"].map((name) => `rule/${name}`);
  const names = [...rule, "verify/replay", "verify/journal"];
  const modules = await Promise.all(names.map((name) => import(`/web/-/${name}.js`)));
  const m = Object.assign({}, ...modules);
  const hashed = async (text) => m.fingerprint(Uint8Array.from(text, (one) => one.charCodeAt(0)));
  const policy = async (text) => m.readPolicy(text, await hashed(text));
  return (new Function("m", "policy", "value", `return (${work})(value)`))(m, policy, value);
}"""

STATES = """async ({ text, leaves }) => {
  const day = m.freshDay(await policy(text), m.parse(leaves[0]).d);
  const calls = [];
  for (const event of leaves.map(m.parse)) {
    if (event.e === "call") calls.push(m.next(day, event.c)?.number ?? null);
    m.apply(day, event);
  }
  const line = (lane) => Object.fromEntries(Object.entries(day.waiting)
    .map(([s, both]) => [s, both[lane].map(({ ord, number }) => [ord, number])]));
  return {
    calls, flags: [day.opened, day.closed, day.hoursOn, day.officeOn, day.stopWhy],
    sums: [day.cs, day.used, day.web], issued: Object.values(day.issued).map(Number),
    waiting: [line("R"), line("P")], tally: Object.values(m.tallyOf(day)),
    counters: [...day.counters.values()].map((c) =>
      [c.id, c.services, c.credit, c.state, c.ticket]),
    tickets: [...day.tickets.values()].map((k) => [k.number, k.service, k.issuedFor, k.lane,
      k.channel, k.ord, k.since, k.state, k.nb, k.counter, k.calls, k.firstCall, k.lastCall,
      k.holds, k.returns, k.transfers, k.present]),
  };
}"""

REPORT = """async ({ text, leaves, closed }) => {
  let read = null;
  try { read = await policy(text); } catch { return { verdict: "CANNOT_JUDGE" }; }
  const replay = new m.Replay(read);
  for (const leaf of leaves) if (!replay.take(leaf)) break;
  return replay.report(closed);
}"""


@pytest.fixture(scope="module")
def page(browser, town):
    """A blank page of ours that may load modules and, unlike the real ones, make functions."""
    context = browser.new_context(base_url=town.url, bypass_csp=True)
    page = context.new_page()
    page.goto("/")
    yield page
    context.close()


@pytest.fixture
def run(page):
    return lambda work, value: page.evaluate(RUN, [work, value])


# What Python says


def state(text: bytes, events: list[Event]) -> dict[str, Any]:
    """The same facts as STATES."""
    day = fresh_day(parse_policy(text), events[0].d)
    calls = []
    for event in events:
        if event.e == "call":
            calls.append(next_ticket(day, event.c))
        apply(day, event)
    return {"calls": calls, **facts(day)}


def facts(day: Day) -> dict[str, Any]:
    def line(lane: Lane) -> dict[str, Any]:
        return {s: [list(one) for one in both[lane]] for s, both in day.waiting.items()}

    states = [ticket.state.value for ticket in day.tickets.values()]
    told = [states.count(name) for name in ("COMPLETED", "NO_SHOW", "CANCELLED")]
    return {
        "flags": [day.opened, day.closed, day.hours_on, day.office_on, day.stop_why],
        "sums": [day.cs, day.used, day.web],
        "issued": list(day.issued.values()),
        "waiting": [line(Lane.REGULAR), line(Lane.PRIORITY)],
        "tally": [len(states), *told, len(states) - sum(told)],
        "counters": [
            [c.id, list(c.services), c.credit, c.state.value, c.ticket]
            for c in day.counters.values()
        ],
        "tickets": [
            [
                k.number, k.service, k.issued_for, k.lane.value, k.channel.value, k.ord, k.since,
                k.state.value, k.nb, k.counter, k.calls, k.first_call, k.last_call, k.holds,
                k.returns, k.transfers, k.present,
            ]
            for k in day.tickets.values()
        ],
    }  # fmt: skip


def found(report: dict[str, Any]) -> dict[str, Any]:
    """What both verifiers must say alike; the reason of an unreadable line is each one's own."""

    def one(finding: dict[str, Any]) -> list[Any]:
        told = {name: value for name, value in finding["facts"].items() if name != "reason"}
        return [finding["code"], finding.get("event"), finding.get("line", 0), told]

    said = {name: [one(f) for f in report.get(name, [])] for name in ("breaches", "indicators")}
    notes = [f["code"] for f in report.get("notes", []) if f["code"] != "POLICY_UNUSABLE"]
    return {"verdict": report["verdict"], "notes": notes, **said}


def assert_alike(run, leaves: list[bytes], text: bytes, closed: bool, where: object) -> list[str]:
    """Both say the same; the codes that they name."""
    expected = as_json(verify(leaves, text, closed))
    value = {
        "text": text.decode("latin1"),
        "leaves": [leaf.decode("cp1252", "replace") for leaf in leaves],
        "closed": closed,
    }
    assert found(run(REPORT, value)) == found(expected), where
    return [finding["code"] for finding in expected["breaches"]]


# Lawful days


@pytest.mark.parametrize("seed", range(60))
def test_the_page_reaches_the_state_of_python_and_calls_whom_it_would_call(run, seed):
    office = random_day(Random(seed), steps=250, close=seed % 3 > 0).office
    leaves = [leaf.decode() for leaf in office.leaves]
    shown = run(STATES, {"text": office.text.decode(), "leaves": leaves})
    assert shown == state(office.text, office.events), seed
    assert shown["calls"] == [event.k for event in office.events if event.e == "call"]
    assert assert_alike(run, office.leaves, office.text, office.day.closed, seed) == []


# Days that were tampered with


def eventful(rng: Random) -> Office:
    """A random day in which something happened; some have hours that none of its steps meets."""
    while True:
        office = random_day(rng, steps=120, close=rng.random() < 0.7).office
        if len(office.events) > 30:
            return office


def swap(rng: Random, events: list[Event]) -> None:
    at, other = rng.randrange(len(events)), rng.randrange(len(events))
    events[at], events[other] = events[other], events[at]


def swap_what_happened(rng: Random, events: list[Event]) -> None:
    """Two leaves change places, and numbers and times are made to look right."""
    at, other = rng.randrange(1, len(events)), rng.randrange(1, len(events))
    one, two = events[at], events[other]
    events[at], events[other] = replace(two, n=one.n, t=one.t), replace(one, n=two.n, t=two.t)


def drop(rng: Random, events: list[Event]) -> None:
    del events[rng.randrange(len(events))]


def drop_and_number(rng: Random, events: list[Event]) -> None:
    drop(rng, events)
    events[:] = [replace(event, n=n) for n, event in enumerate(events)]


def repeat(rng: Random, events: list[Event]) -> None:
    at = rng.randrange(len(events))
    events.insert(at, events[rng.randrange(len(events))])


def repeat_and_number(rng: Random, events: list[Event]) -> None:
    repeat(rng, events)
    events[:] = [replace(event, n=n) for n, event in enumerate(events)]


def forge(rng: Random, events: list[Event]) -> None:
    """One field of one leaf gets the value that another leaf has there."""
    names = ("t", "k", "c", "s", "services", "l", "ch", "h", "why", "ms", "tally", "d", "by", "pol")
    for _ in range(20):
        name, at, source = rng.choice(names), rng.randrange(len(events)), rng.choice(events)
        had, given = getattr(events[at], name), getattr(source, name)
        if had and given and had != given:
            events[at] = replace(events[at], **{name: given})
            return


def call_another(rng: Random, events: list[Event]) -> None:
    calls = [at for at, event in enumerate(events) if event.e == "call"]
    numbers = [event.k for event in events if event.e == "issue"]
    if calls:
        at = rng.choice(calls)
        events[at] = replace(events[at], k=rng.choice(numbers))


def turn_back(rng: Random, events: list[Event]) -> None:
    at = rng.randrange(len(events))
    back = rng.choice([1, 6000, 3_600_000, 86_400_000])
    events[at] = replace(events[at], t=max(0, events[at].t - back))


def hurry(rng: Random, events: list[Event]) -> None:
    """What waits in the rule (recall, no-show, return) comes too early or too late."""
    at = rng.randrange(len(events))
    by = rng.choice([-15_000, 90_000, 3_700_000])
    events[at:] = [replace(event, t=max(0, event.t + by)) for event in events[at:]]


def false_totals(rng: Random, events: list[Event]) -> None:
    if events[-1].tally:
        events[-1] = replace(events[-1], tally=Tally(*(rng.randint(0, 9) for _ in range(5))))


def other_office(rng: Random, events: list[Event]) -> None:
    at = rng.randrange(len(events))
    there = replace(events[at], o="73.71.04")
    events[at] = rng.choice([there, replace(events[at], d="2026-03-03")])


def change_channel(rng: Random, events: list[Event]) -> None:
    for at, event in enumerate(events):
        if event.e == "issue" and rng.random() < 0.5:
            events[at] = replace(event, ch=rng.choice(list(Channel)), l=rng.choice(list(Lane)))


TAMPERED = [
    swap, swap_what_happened, drop, drop_and_number, repeat, repeat_and_number, forge, call_another,
    turn_back, hurry, false_totals, other_office, change_channel,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
def test_the_page_finds_in_a_changed_day_what_python_finds(run, tamper):
    named: Counter[str] = Counter()
    for seed in range(25):
        rng = Random(seed)
        office = eventful(rng)
        events = list(office.events)
        for _ in range(rng.choice([1, 1, 1, 3])):
            tamper(rng, events)
        leaves = [encode(event) for event in events]
        where = (tamper.__name__, seed)
        named.update(assert_alike(run, leaves, office.text, rng.random() < 0.5, where))
    print(f"{tamper.__name__}: {dict(named)}")
    assert named


@pytest.mark.parametrize("code", FORGED)
def test_the_page_names_each_broken_rule_as_python_does(run, code):
    office = FORGED[code]()
    assert assert_alike(run, office.leaves, office.text, False, code) == [code]


def test_the_page_finds_an_altered_policy(run):
    office = eventful(Random(5))
    others = [random_day(Random(seed), steps=1).office.text for seed in range(100, 115)]
    for text in others:
        codes = assert_alike(run, office.leaves, text, True, text)
        assert codes[0] == "POLICY_DIFFERS"


def mangled(rng: Random, leaf: bytes) -> bytes:
    """Bytes that a careless reader might take for the same leaf, or for none."""
    body = leaf.decode()
    return rng.choice(
        [
            leaf + b"\r", b" " + leaf, leaf.replace(b":", b": ", 1), leaf[:-1], b"", b"null", b"[]",
            b"\xff" + leaf, leaf.replace(b'"v":1', b'"v":1.0'), leaf.replace(b'"v":1', b'"v":2'),
            leaf.replace(b'"v":1', b'"v":2.0'), leaf.replace(b'"v":1', b'"v":true'),
            leaf.replace(b'"v":1,', b'"v":1,"v":1,'), leaf.replace(b'"e":"', b'"e":"x'),
            leaf.replace(b'"e":"', b'"e":"constructor","x":"'), leaf[:-1] + b',"x":1}',
            leaf.replace(b'"n":', b'"n":-'), leaf.replace(b'"n":', b'"n":0'),
            leaf.replace(b'"d":"2026-03-02"', b'"d":"2026-02-30"'), leaf + b" " * 400,
            leaf.replace(b'"o":"73', b'"o":"\\u0037\\u0033'), body.replace("A0", "A1000").encode(),
            leaf.replace(b'"t":', b'"t":9007199254740993'),
            leaf.replace(b'"k":"A', b'"k":"\xc3\x84'),
        ]
    )  # fmt: skip


def test_the_page_takes_no_other_bytes_for_a_leaf_than_python_does(run):
    office = busy_day()
    for seed in range(120):
        rng = Random(seed)
        leaves = list(office.leaves)
        at = rng.randrange(len(leaves))
        leaves[at] = mangled(rng, leaves[at])
        assert_alike(run, leaves, office.text, False, (seed, leaves[at]))


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{}", b"[]", b"null", b" " + document(), document() + b"\n",
        document().replace(b'"priorityAfter":2', b'"priorityAfter":2.0'),
        document().replace(b'"priorityAfter":2', b'"priorityAfter":-1'),
        document().replace(b'"A","B"', b'"B","A"', 1), document(counters={}), document(services=[]),
        document(timezone="Asia/Nowhere"), document(timezone=""), document(counters={"x y": "A"}),
        document(hours=[("12:00", "07:30")]), document(hours=[("07:30", "24:01")]),
        document(hours=[("07:30", "12:00"), ("11:00", "13:00")]),
    ],
)  # fmt: skip
def test_the_page_refuses_the_policies_that_python_refuses(run, text):
    with pytest.raises(ValueError, match=r"\w"):
        parse_policy(text)
    assert_alike(run, busy_day().leaves, text, False, text)


def test_nothing_to_judge_is_not_clean(run):
    assert_alike(run, [], document(), True, "no leaves")


def test_the_page_reckons_the_hours_of_every_date_as_python_does(run):
    """Both turns of the clock included, in the cities of the demo and in two that are odd."""
    days = [str(date(2026, 1, 1) + timedelta(days=n)) for n in range(0, 365, 3)]
    days += ["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04"]
    work = "({ text, days }) => policy(text).then((p) => days.map((d) => m.bounds(p, d)))"
    for zone in ("Asia/Makassar", "Europe/Warsaw", "America/New_York", "Australia/Lord_Howe"):
        hours = [("00:00", "02:15"), ("02:30", "03:00"), ("08:00", "24:00")]
        text = document(hours=hours, timezone=zone)
        policy = parse_policy(text)
        shown = run(work, {"text": text.decode(), "days": days})
        for day, one in zip(days, shown, strict=True):
            assert (one["start"], one["end"]) == day_bounds_ms(policy, day), (zone, day)
            assert [tuple(pair) for pair in one["hours"]] == list(hours_ms(policy, day)), (
                zone,
                day,
            )
            assert one["closeAt"] == close_at_ms(policy, day), (zone, day)


def test_a_questionable_day_raises_the_questions_of_python(run):
    """Bursts, short services, holds and idle counters, as random days rarely have them."""
    raised: Counter[str] = Counter()
    for seed in range(6):
        office = questionable(Random(seed))
        assert_alike(run, office.leaves, office.text, False, seed)
        raised.update(f.code for f in verify(office.leaves, office.text).indicators)
    assert len(raised) >= 6, raised


def questionable(rng: Random) -> Office:
    office = Office(document({"1": "AB", "2": "AB"})).opened("1", "2")
    for _ in range(45):
        office.take("A", channel=Channel.DESK)
    for number in list(office.day.tickets)[-7:]:
        office.do(verb.CancelTicket(number))
    for _ in range(12):
        office.serve("1", 1000)
        office.do(verb.StartTicket("2", office.call("2")))
        number = office.day.counters["2"].ticket or ""
        office.do(verb.CompleteTicket("2", number), rng.choice([5000, 29_999]))
    for _ in range(3):
        office.do(verb.RequeueTicket(office.call("1")))
    for _ in range(3):
        office.do(verb.CloseCounter("2"))
        office.do(verb.SetCounterServices("2", (rng.choice("AB"),)))
        office.do(verb.OpenCounter("2"))
    office.do(verb.CancelTicket(office.take("B", channel=Channel.DESK)), 25 * MINUTE)
    office.serve("1")
    return office
