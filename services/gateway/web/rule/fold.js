// The fold: a day's state after its next leaf. It trusts the event and judges nothing; its ticket,
// counter and services must exist. docs/RULES.md, "The verbs", says what each event changes.

import { earlier, missing } from "./next.js";

const REMOTE = ["W", "A"]; // the channels that quota.web counts
const LAPSING = ["WAITING", "CALLED", "SERVING", "ON_HOLD"];

/** The date before its first event: counters CLOSED with the policy's sets. `issued` is the count
 * of the last number, a BigInt, because a forged number may have any length. */
export function freshDay(policy, date) {
  const each = (value) => Object.fromEntries([...policy.services.keys()].map((code) => [code, value()]));
  const counters = [...policy.counters].map(([id, { services }]) => [id, {
    id, services, credit: policy.rule.priorityAfter, state: "CLOSED", ticket: null,
  }]);
  return {
    code: policy.code, date, policy, n: -1, t: 0,
    opened: false, closed: false, hoursOn: false, officeOn: true, stopWhy: "",
    waiting: each(() => ({ R: [], P: [] })), // by ord
    cs: each(() => 0), issued: each(() => 0n), used: each(() => 0), web: each(() => 0),
    counters: new Map(counters), tickets: new Map(), holders: new Map(),
  };
}

/** Takes the day to the state after `event`. */
export function apply(day, event) {
  day.n = event.n;
  day.t = event.t;
  EFFECTS[event.e](day, event, day.tickets.get(event.k), day.counters.get(event.c));
}

export const numberOf = (service, count) => service + String(count).padStart(3, "0");

/** The totals of a closed day; on a running one, as if it closed now. */
export function tallyOf(day) {
  const states = [...day.tickets.values()].map((ticket) => ticket.state);
  const ended = (state) => states.filter((one) => one === state).length;
  const [done, noshow, cancel] = ["COMPLETED", "NO_SHOW", "CANCELLED"].map(ended);
  return { issued: states.length, done, noshow, cancel, lapsed: states.length - done - noshow - cancel };
}

/** Takes the ticket out of its line or frees its counter. */
export function leave(day, ticket) {
  if (ticket.state === "WAITING") {
    const line = day.waiting[ticket.service][ticket.lane];
    line.splice(line.indexOf(ticket), 1);
  } else if (ticket.counter && day.counters.get(ticket.counter).ticket === ticket.number) {
    day.counters.get(ticket.counter).ticket = null;
  }
}

function enter(ticket, state, event) {
  ticket.state = state;
  ticket.since = event.t;
}

function join(day, ticket) {
  const line = day.waiting[ticket.service][ticket.lane];
  let at = line.length;
  while (at > 0 && earlier(ticket, line[at - 1])) at -= 1;
  line.splice(at, 0, ticket);
}

function lineUp(day, ticket, event) {
  join(day, ticket);
  ticket.counter = null;
  enter(ticket, "WAITING", event);
}

function atCounter(day, event, ticket, counter, state) {
  leave(day, ticket);
  counter.ticket = ticket.number;
  ticket.counter = counter.id;
  enter(ticket, state, event);
}

function offCounter(day, event, ticket, state) {
  leave(day, ticket);
  ticket.counter = null;
  enter(ticket, state, event);
}

function issuing(day, { why }, on) {
  if (why === "hours") day.hoursOn = on;
  else [day.officeOn, day.stopWhy] = [on, on ? "" : why];
}

function issue(day, event) {
  const ticket = {
    number: event.k, service: event.s, issuedFor: event.s, lane: event.l, channel: event.ch, ord: event.n,
    state: "WAITING", since: event.t, nb: 0, counter: null, calls: 0, firstCall: 0, lastCall: 0,
    holds: 0, returns: 0, transfers: 0, present: false, startedAt: null,
  };
  day.tickets.set(event.k, ticket);
  day.issued[event.s] += 1n;
  day.used[event.s] += 1;
  if (REMOTE.includes(event.ch)) day.web[event.s] += 1;
  if (event.h) day.holders.set(event.h, event.k);
  lineUp(day, ticket, event);
}

function call(day, event, ticket, counter) {
  atCounter(day, event, ticket, counter, "CALLED");
  Object.assign(ticket, { calls: 1, firstCall: event.t, lastCall: event.t });
  count(day, counter, ticket.lane);
}

/** What a call changes for those who wait. */
export function count(day, counter, lane) {
  for (const service of counter.services) day.cs[service] += 1;
  counter.credit = lane === "P" ? 0 : Math.min(day.policy.rule.priorityAfter, counter.credit + 1);
}

function start(day, event, ticket, counter) {
  atCounter(day, event, ticket, counter, "SERVING");
  ticket.startedAt = event.t;
}

function done(day, event, ticket) {
  offCounter(day, event, ticket, "COMPLETED");
  ticket.counter = event.c;
}

function comeBack(day, event, ticket) {
  ticket.nb = day.cs[ticket.service];
  if (ticket.state === "NO_SHOW") {
    ticket.returns += 1;
    ticket.nb += day.policy.rule.returnAfterCalls;
  }
  leave(day, ticket);
  lineUp(day, ticket, event);
}

function transfer(day, event, ticket) {
  offCounter(day, event, ticket, "WAITING");
  ticket.nb = day.cs[event.s] + missing(day, ticket);
  ticket.service = event.s;
  ticket.transfers += 1;
  lineUp(day, ticket, event);
}

function lane(day, event, ticket) {
  const waits = ticket.state === "WAITING";
  if (waits) leave(day, ticket);
  ticket.lane = event.l;
  if (waits) join(day, ticket);
}

function cancel(day, event, ticket) {
  leave(day, ticket);
  enter(ticket, "CANCELLED", event);
  ticket.counter = null;
  day.used[ticket.issuedFor] -= 1;
  if (REMOTE.includes(ticket.channel)) day.web[ticket.issuedFor] -= 1;
}

function close(day, event) {
  for (const ticket of day.tickets.values()) {
    if (!LAPSING.includes(ticket.state)) continue;
    enter(ticket, "LAPSED", event);
    ticket.counter = null;
  }
  for (const counter of day.counters.values()) Object.assign(counter, { state: "CLOSED", ticket: null });
  for (const lines of Object.values(day.waiting)) Object.assign(lines, { R: [], P: [] });
  Object.assign(day, { hoursOn: false, closed: true });
}

const EFFECTS = {
  "day.open": (day) => { day.opened = true; },
  "issue.go": (day, event) => issuing(day, event, true),
  "issue.stop": (day, event) => issuing(day, event, false),
  "counter.open": (day, event, _, counter) => { counter.state = "OPEN"; },
  "counter.close": (day, event, _, counter) => { counter.state = "CLOSED"; },
  "counter.set": (day, event, _, counter) => { counter.services = event.services; },
  "issue": issue,
  "call": call,
  "recall": (day, event, ticket) => { ticket.calls += 1; ticket.lastCall = event.t; },
  "start": start,
  "done": done,
  "noshow": (day, event, ticket) => offCounter(day, event, ticket, "NO_SHOW"),
  "hold": (day, event, ticket) => { offCounter(day, event, ticket, "ON_HOLD"); ticket.holds += 1; },
  "return": comeBack,
  "xfer": transfer,
  "lane": lane,
  "requeue": (day, event, ticket) => { offCounter(day, event, ticket, "WAITING"); lineUp(day, ticket, event); },
  "cancel": cancel,
  "present": (day, event, ticket) => { ticket.present = true; },
  "clock": () => {},
  "day.close": close,
};
