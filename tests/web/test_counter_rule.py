"""The console's picture of the day and of the rule, held against the queue's own on random days."""

from copy import deepcopy
from random import Random

import pytest

from services.queue import commands as verb
from services.queue.fold import apply, fresh_day
from services.queue.journal import Event
from services.queue.model import RECALL_GAP_MS, Lane, State
from services.queue.policy import is_live, next_ticket
from services.queue.verbs import skip_at_ms
from tests.queue.days import Office, document, random_day, rule_entry

SEEN = 5  # numbers that the console shows ahead

REPLAY = """async ({ policy, leaves, seen }) => {
  const names = ["rule/fold", "rule/leaf", "rule/limits", "rule/policy", "counter/coming"];
  const modules = await Promise.all(names.map((name) => import(`/web/-/${name}.js`)));
  const rule = Object.assign({}, ...modules);
  const day = rule.freshDay(rule.policyFrom(JSON.parse(policy), ""), JSON.parse(leaves[0]).d);
  const counters = [...day.counters.keys()];
  const steps = leaves.map((leaf) => {
    rule.apply(day, rule.parse(leaf));
    return counters.map((id) => rule.reason(day, id)?.number ?? null);
  });
  return {
    steps,
    upcoming: counters.map((id) => rule.upcoming(day, id, seen).map((one) => one.number)),
    next: counters.map((id) => rule.reason(day, id)),
    later: counters.map((id) => rule.later(day, id)),
    counters: [...day.counters.values()], cs: day.cs,
    tickets: [...day.tickets.values()].map((one) => ({
      ...one, returnBy: rule.returnBy(day, one), recallAt: rule.recallAt(one),
      skipAt: rule.skipAt(day, one), mayHold: rule.mayHold(day, one),
      mayTransfer: rule.mayTransfer(day, one) })),
  };
}"""


@pytest.fixture(scope="module")
def replayed(browser, town):
    """What the console makes of an office's day."""
    page = browser.new_context(base_url=town.url).new_page()
    page.goto("/")

    def run(office):
        leaves = [leaf.decode() for leaf in office.leaves]
        told = {"policy": office.policy.document.decode(), "leaves": leaves, "seen": SEEN}
        return page.evaluate(REPLAY, told)

    yield run
    page.context.close()


def called_by(day, counter, count):
    """Whom the reference calls there one after the other, nobody else doing anything."""
    day = deepcopy(day)
    numbers = []
    while len(numbers) < count and (number := next_ticket(day, counter)):
        apply(day, Event(day.code, day.day, day.n + 1, day.t, "call", k=number, c=counter))
        day.counters[counter].ticket = None
        numbers.append(number)
    return numbers


@pytest.mark.parametrize("seed", range(24))
def test_the_console_names_whom_the_policy_names_after_every_event(replayed, seed):
    office = random_day(Random(seed), 200, close=seed % 4 == 0).office
    day = fresh_day(office.policy, office.date)
    expected = []
    for event in office.events:
        apply(day, event)
        expected.append([next_ticket(day, counter) for counter in day.counters])
    seen = replayed(office)
    assert seen["steps"] == expected
    assert seen["upcoming"] == [called_by(day, counter, SEEN) for counter in day.counters]


@pytest.mark.parametrize("seed", range(100, 112))
def test_what_the_console_knows_of_a_ticket_is_what_the_queue_knows(replayed, seed):
    office = random_day(Random(seed), 250, close=False).office
    day, seen = office.day, replayed(office)
    assert seen["cs"] == day.cs
    for shown in seen["counters"]:
        counter = day.counters[shown["id"]]
        assert (shown["ticket"], shown["credit"]) == (counter.ticket, counter.credit)
        assert tuple(shown["services"]) == counter.services
        assert shown["state"] == counter.state
    for shown in seen["tickets"]:
        ticket = day.tickets[shown["number"]]
        for name, own in {"firstCall": "first_call", "lastCall": "last_call"}.items():
            assert shown[name] == getattr(ticket, own)
        for name in ("service", "lane", "state", "ord", "nb", "calls", "holds", "returns", "since"):
            assert shown[name] == getattr(ticket, name), (name, ticket)
        assert (shown["transfers"], shown["present"]) == (ticket.transfers, ticket.present)


@pytest.mark.parametrize("seed", range(200, 206))
def test_what_the_console_says_is_possible_is_what_the_rule_admits(replayed, seed):
    office = random_day(Random(seed), 250, close=False).office
    day, rule = office.day, office.policy.rule
    for shown in replayed(office)["tickets"]:
        ticket = day.tickets[shown["number"]]
        until = shown["returnBy"]
        if ticket.state in (State.NO_SHOW, State.ON_HOLD):
            assert is_live(day, ticket, until or ticket.since) == (until is not None)
            assert not is_live(day, ticket, (until or ticket.since) + 1)
        else:
            assert until is None
        assert shown["mayHold"] == (ticket.holds < rule.hold_times)
        assert shown["mayTransfer"] == (ticket.transfers < rule.transfers)
        if ticket.state is State.CALLED:
            missing, at = shown["skipAt"]["n"], shown["skipAt"]["at"]
            last = ticket.last_call
            assert shown["recallAt"] == last + RECALL_GAP_MS
            assert missing == max(0, rule.skip_calls - ticket.calls)
            assert missing or at == skip_at_ms(day, ticket, last)


# --- why --------------------------------------------------------------------------------------


def first(replayed, office, counter=0):
    one = replayed(office)["next"][counter]
    return one and (one["number"], one["why"], one["n"], one["other"], one["returned"])


def test_the_reasons_are_told_apart(replayed):
    office = Office(document(rule=rule_entry(priority_after=2))).opened("1")
    assert first(replayed, office) is None
    for lane in "RRRRP":
        office.take("A", Lane(lane))
    assert first(replayed, office) == ("A005", "due", 2, "A001", False)
    office.serve()
    office.take("A", Lane.PRIORITY)
    assert first(replayed, office) == ("A001", "regular", 2, "A006", False)
    office.serve()
    assert first(replayed, office) == ("A002", "regular", 1, "A006", False)
    office.serve()
    assert first(replayed, office) == ("A006", "due", 2, "A003", False)
    office.serve()
    assert first(replayed, office) == ("A003", "order", 0, None, False)


def test_a_priority_number_that_came_first_needs_no_other_reason(replayed):
    office = Office().opened("1")
    office.take("A", Lane.PRIORITY)
    office.take("A")
    assert first(replayed, office) == ("A001", "priority", 0, "A002", False)


def test_who_returned_waits_as_many_calls_as_the_rule_says_unless_nobody_else_waits(replayed):
    office = Office().opened("1")
    numbers = [office.take("A") for _ in range(2)]
    office.call()
    office.skip("1", numbers[0])
    office.do(verb.ReturnTicket(numbers[0]))
    assert first(replayed, office) == ("A002", "order", 0, None, False)
    assert replayed(office)["later"][0] == [{"number": "A001", "n": 3}]
    office.serve()
    assert first(replayed, office) == ("A001", "unripe", 2, None, True)
