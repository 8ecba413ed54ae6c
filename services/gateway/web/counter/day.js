// A service day as its published leaves make it: as much of it as an officer needs, no more.
// Pure: leaves in, state out. The whole fold is services/queue/fold.py, whose names these are.

/** The date before its first event; `policy` is the published document. */
export function fresh(policy) {
  const counter = ({ id, services }) => [id, { id, services, credit: policy.rule.priorityAfter, open: false, ticket: null, last: null }];
  return {
    policy, n: -1, t: 0, closed: false, tickets: new Map(),
    cs: Object.fromEntries(policy.services.map(({ code }) => [code, 0])),
    counters: new Map(policy.counters.map(counter)),
  };
}

/** Takes the day to the state after its next leaf. */
export function apply(day, leaf) {
  day.n = leaf.n;
  day.t = leaf.t;
  EFFECTS[leaf.e]?.(day, leaf);
}

/** The ticket leaves its counter, if it is at one, for `state`. */
function enter(day, leaf, state) {
  const ticket = day.tickets.get(leaf.k);
  const counter = day.counters.get(ticket.counter);
  if (counter?.ticket === ticket.number) counter.ticket = null;
  Object.assign(ticket, { state, since: leaf.t, counter: null });
  return ticket;
}

function seat(day, leaf, state) {
  const ticket = enter(day, leaf, state);
  ticket.counter = leaf.c;
  day.counters.get(leaf.c).ticket = ticket.number;
  return ticket;
}

function issue(day, { k, s, l, n, t }) {
  day.tickets.set(k, {
    number: k, service: s, lane: l, ord: n, nb: 0, state: "WAITING", since: t, issuedAt: t, counter: null,
    calls: 0, firstCall: 0, lastCall: 0, holds: 0, returns: 0, transfers: 0, present: false,
  });
}

function call(day, leaf) {
  const ticket = seat(day, leaf, "CALLED");
  const counter = day.counters.get(leaf.c);
  Object.assign(ticket, { calls: 1, firstCall: leaf.t, lastCall: leaf.t });
  for (const service of counter.services) day.cs[service] += 1;
  counter.credit = ticket.lane === "P" ? 0 : Math.min(day.policy.rule.priorityAfter, counter.credit + 1);
}

function recall(day, leaf) {
  const ticket = day.tickets.get(leaf.k);
  ticket.calls += 1;
  ticket.lastCall = leaf.t;
}

function done(day, leaf) {
  enter(day, leaf, "COMPLETED");
  day.counters.get(leaf.c).last = leaf.k;
}

function back(day, leaf) {
  const missed = day.tickets.get(leaf.k).state === "NO_SHOW";
  const ticket = enter(day, leaf, "WAITING");
  ticket.returns += missed ? 1 : 0;
  ticket.nb = day.cs[ticket.service] + (missed ? day.policy.rule.return.afterCalls : 0);
}

function transfer(day, leaf) {
  const ticket = enter(day, leaf, "WAITING");
  ticket.nb = day.cs[leaf.s] + Math.max(0, ticket.nb - day.cs[ticket.service]);
  ticket.service = leaf.s;
  ticket.transfers += 1;
}

const LAPSING = ["WAITING", "CALLED", "SERVING", "ON_HOLD"];

function close(day, leaf) {
  for (const ticket of day.tickets.values()) if (LAPSING.includes(ticket.state)) Object.assign(ticket, { state: "LAPSED", since: leaf.t, counter: null });
  for (const counter of day.counters.values()) Object.assign(counter, { open: false, ticket: null });
  day.closed = true;
}

const EFFECTS = {
  issue, call, recall, done, return: back, xfer: transfer,
  "counter.open": (day, { c }) => { day.counters.get(c).open = true; },
  "counter.close": (day, { c }) => { day.counters.get(c).open = false; },
  "counter.set": (day, { c, s }) => { day.counters.get(c).services = s; },
  start: (day, leaf) => seat(day, leaf, "SERVING"),
  noshow: (day, leaf) => enter(day, leaf, "NO_SHOW"),
  hold: (day, leaf) => { enter(day, leaf, "ON_HOLD").holds += 1; },
  requeue: (day, leaf) => enter(day, leaf, "WAITING"),
  cancel: (day, leaf) => enter(day, leaf, "CANCELLED"),
  lane: (day, { k, l }) => { day.tickets.get(k).lane = l; },
  present: (day, { k }) => { day.tickets.get(k).present = true; },
  "day.close": close,
};
