// What the rules say about one event, given the day before it: [code, facts] of every rule that it
// breaks. Codes and facts are those of `python -m services.queue.verify --json`.

import { numberOf, tallyOf } from "../rule/fold.js";
import { away, isLive, mayHold, mayReturn, mayTransfer, recallAt, skipAt } from "../rule/limits.js";
import { next } from "../rule/next.js";

const CLOCK_TOLERANCE = 5000; // ms
const CHANNEL = { W: "WEB", K: "KIOSK", A: "WHATSAPP", D: "DESK" };

export const channelName = (letter) => CHANNEL[letter];
const seconds = (ms) => Math.floor(ms / 1000);

/** What the event names and the day does not have: such an event has no effect. */
export function* unknownNames(day, { e, s, services, c, k }) {
  for (const service of s ? [s, ...services] : services) {
    if (!day.policy.services.has(service)) yield ["SERVICE_UNKNOWN", { s: service }];
  }
  if (c && !day.counters.has(c)) yield ["COUNTER_UNKNOWN", { c }];
  if (k && e !== "issue" && !day.tickets.has(k)) yield ["TICKET_UNKNOWN", { k }];
}

/** All names of the event are known; `inHours`: whether the hours admit issuing at its time. */
export function* brokenRules(day, event, inHours) {
  const check = CHECKS[event.e];
  if (check) yield* check(day, event, { inHours, ticket: day.tickets.get(event.k), counter: day.counters.get(event.c) });
}

// Issuing

function* issue(day, event, { inHours }) {
  const { k, s } = event;
  const expected = numberOf(s, day.issued[s] + 1n);
  if (day.tickets.has(k)) yield ["NUMBER_TWICE", { k }];
  else if (k !== expected) yield ["NUMBER_NOT_NEXT", { k, expected }];
  if (!inHours) yield ["ISSUED_OUTSIDE_HOURS", { k }];
  if (!day.officeOn) yield ["ISSUED_WHILE_STOPPED", { k, why: day.stopWhy }];
  yield* quota(day, event);
  const held = day.tickets.get(day.holders.get(event.h));
  if (held && isLive(day, held, event.t)) yield ["HOLDER_TWICE", { held: held.number }];
}

function* quota(day, { k, s, ch }) {
  const { channels, quotaDay, quotaWeb } = day.policy.services.get(s);
  if (!channels.includes(ch)) yield ["CHANNEL_NOT_ADMITTED", { s, ch: CHANNEL[ch] }];
  const remote = "WA".includes(ch) && day.web[s] >= quotaWeb;
  if (remote || day.used[s] >= quotaDay) yield ["QUOTA_EXCEEDED", { k, s }];
}

function* issueGo(day, { e, why }, { inHours }) {
  const byClock = why === "hours";
  if (byClock && !inHours) yield ["HOURS_UNTRUE", { type: e }];
  if (byClock ? day.hoursOn : day.officeOn) yield ["SWITCH_REPEATED", { type: e }];
  else if (!byClock && why !== day.stopWhy) yield ["RESUME_OTHER_REASON", { found: why, expected: day.stopWhy }];
}

function* issueStop(day, { e, why }, { inHours }) {
  const byClock = why === "hours";
  if (byClock && inHours) yield ["HOURS_UNTRUE", { type: e }];
  if (!(byClock ? day.hoursOn : day.officeOn)) yield ["SWITCH_REPEATED", { type: e }];
}

// Counters

function* mustBeOpen(day, { e, c }, { counter }) {
  if (counter.state === "CLOSED") yield ["COUNTER_NOT_OPEN", { type: e, c }];
}

function* mustBeClosed(day, { e, c }, { counter }) {
  if (counter.state === "OPEN") yield ["COUNTER_NOT_CLOSED", { type: e, c }];
}

function* openAndFree(day, event, at) {
  yield* mustBeOpen(day, event, at);
  if (at.counter.ticket) yield ["COUNTER_BUSY", { type: event.e, c: event.c, held: at.counter.ticket }];
}

function* call(day, event, at) {
  const { c, k } = event;
  yield* openAndFree(day, event, at);
  if (at.ticket.state !== "WAITING") yield illegal(event, at.ticket);
  else if (!at.counter.services.includes(at.ticket.service)) yield ["CALL_NOT_SERVED_HERE", { c, k, s: at.ticket.service }];
  else {
    const expected = next(day, c)?.number ?? "";
    if (expected !== k) yield ["CALL_NOT_NEXT", { c, k, expected }];
  }
}

const illegal = ({ e, k }, { state }) => ["ILLEGAL_MOVE", { type: e, k, state }];

const mustBe = (...states) => function* check(day, event, { ticket }) {
  if (!states.includes(ticket.state)) yield illegal(event, ticket);
};

/** An open counter, its own ticket, in the state from which the event starts. */
const at = (state) => function* check(day, event, { ticket, counter }) {
  yield* mustBeOpen(day, event, { counter });
  if (ticket.state !== state) yield illegal(event, ticket);
  else if (counter.ticket !== event.k) yield ["WRONG_COUNTER", { type: event.e, k: event.k, c: event.c }];
};
const fromCalled = at("CALLED");
const fromServing = at("SERVING");

function* recall(day, event, here) {
  yield* fromCalled(day, event, here);
  const { lastCall } = here.ticket;
  if (event.t < recallAt(here.ticket)) yield ["RECALL_TOO_SOON", { k: event.k, seconds: seconds(event.t - lastCall) }];
}

function* noshow(day, event, here) {
  yield* fromCalled(day, event, here);
  const { skipCalls, skipAfter } = day.policy.rule;
  const { k } = event;
  const { calls, firstCall } = here.ticket;
  const { n, at } = skipAt(day, here.ticket);
  if (n) yield ["NOSHOW_TOO_FEW_CALLS", { k, calls, least: skipCalls }];
  if (event.t < at) yield ["NOSHOW_TOO_SOON", { k, seconds: seconds(event.t - firstCall), least: skipAfter }];
}

function* hold(day, event, here) {
  yield* fromServing(day, event, here);
  if (!mayHold(day, here.ticket)) yield ["HOLD_LIMIT", { k: event.k, most: day.policy.rule.holdTimes }];
}

function* transfer(day, event, here) {
  yield* fromServing(day, event, here);
  if (here.ticket.service === event.s) yield ["SAME_SERVICE", { k: event.k, s: event.s }];
  if (!mayTransfer(day, here.ticket)) yield ["TRANSFER_LIMIT", { k: event.k, most: day.policy.rule.transfers }];
}

function* requeue(day, event, { ticket }) {
  if (ticket.state !== "CALLED") yield illegal(event, ticket);
  else if (ticket.counter !== event.c) yield ["WRONG_COUNTER", { type: event.e, k: event.k, c: event.c }];
}

// Tickets

const mustBeAway = mustBe("NO_SHOW", "ON_HOLD");

function* comeBack(day, event, here) {
  const { ticket } = here;
  yield* mustBeAway(day, event, here);
  if (ticket.state === "NO_SHOW" && !mayReturn(day, ticket)) yield ["RETURN_LIMIT", { k: event.k, most: day.policy.rule.returnTimes }];
  const most = away(day, ticket);
  const gone = event.t - ticket.since;
  if (most !== null && gone > most * 1000) yield ["RETURN_TOO_LATE", { k: event.k, seconds: seconds(gone), most }];
}

const mayCheckIn = mustBe("WAITING", "ON_HOLD");

function* present(day, event, here) {
  yield* mayCheckIn(day, event, here);
  if (here.ticket.present) yield ["PRESENT_TWICE", { k: event.k }];
}

function* lane(day, event, { ticket }) {
  if (event.l !== "P") yield ["LANE_NOT_PRIORITY", { k: event.k }];
  else if (ticket.state !== "WAITING" || ticket.lane === "P") yield illegal(event, ticket);
}

// The day

function* clock(day, { ms }) {
  if (ms <= CLOCK_TOLERANCE) yield ["CLOCK_TOO_SMALL", { ms }];
}

const totals = (tally) => Object.entries(tally).map(([name, count]) => `${name} ${count}`).join(", ");

function* dayClose(day, { tally }) {
  const [found, expected] = [totals(tally), totals(tallyOf(day))];
  if (found !== expected) yield ["TALLY_WRONG", { found, expected }];
}

const CHECKS = {
  "issue": issue, "issue.go": issueGo, "issue.stop": issueStop,
  "counter.open": mustBeClosed, "counter.close": openAndFree, "counter.set": mustBeClosed,
  "call": call, "recall": recall, "start": fromCalled, "done": fromServing, "noshow": noshow,
  "hold": hold, "return": comeBack, "xfer": transfer, "lane": lane, "requeue": requeue,
  "cancel": mustBe("WAITING", "ON_HOLD", "NO_SHOW"), "present": present,
  "clock": clock, "day.close": dayClose,
};
