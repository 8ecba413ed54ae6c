// Whom the published rule names next at a counter, and why: next(c) of docs/RULES.md, in words'
// reach. Pure; tests/web/test_counter_rule.py holds it against services/queue/policy.py.

const RECALL_GAP = 20_000; // ms

const earliest = (tickets) => tickets.reduce((first, one) => (first && first.ord < one.ord ? first : one), null);
const missing = (ticket, cs) => Math.max(0, ticket.nb - cs[ticket.service]);

/** Everybody who waits for one of the counter's services. */
export function line(day, id) {
  const { services } = day.counters.get(id);
  return [...day.tickets.values()].filter((one) => one.state === "WAITING" && services.includes(one.service));
}

/**
 * { number, why, returned, n, other }, or null when nobody waits.
 *
 * why: order (the longest waiting), priority (the same, and in that lane), regular (the longest
 * waiting; `other` has priority and is due after `n` calls), due (priority's turn; `other` would
 * have been), unripe (came back `n` calls too early, but nobody else waits). returned: has been in
 * the line before.
 */
export const next = (day, id) => choose(line(day, id), day.cs, day.counters.get(id).credit, day.policy.rule.priorityAfter);

function choose(waiting, cs, credit, after) {
  const ripe = waiting.filter((one) => !missing(one, cs));
  const regular = earliest(ripe.filter((one) => one.lane === "R"));
  const priority = earliest(ripe.filter((one) => one.lane === "P"));
  if (regular && priority && priority.ord > regular.ord) {
    return credit >= after ? named(priority, "due", after, regular) : named(regular, "regular", after - credit, priority);
  }
  if (priority) return named(priority, "priority", 0, regular);
  if (regular) return named(regular, "order", 0, null);
  const [soonest] = waiting.sort((a, b) => missing(a, cs) - missing(b, cs) || a.lane.localeCompare(b.lane) || a.ord - b.ord);
  return soonest ? named(soonest, "unripe", missing(soonest, cs), null) : null;
}

const named = (ticket, why, n, other) => ({ number: ticket.number, lane: ticket.lane, service: ticket.service, why, n, other: other?.number ?? null, returned: ticket.returns + ticket.holds > 0 });

/** Those who came back and must let `n` more calls pass: [{ number, n }], soonest first. */
export function later(day, id) {
  return line(day, id).map((one) => ({ number: one.number, n: missing(one, day.cs) })).filter(({ n }) => n).sort((a, b) => a.n - b.n);
}

/** The next `count` numbers in order, if no other counter calls and nobody comes. */
export function upcoming(day, id, count) {
  const { services, credit } = day.counters.get(id);
  const after = day.policy.rule.priorityAfter;
  const cs = { ...day.cs };
  const waiting = line(day, id);
  const found = [];
  for (let due = credit; found.length < count && waiting.length; ) {
    const one = choose([...waiting], cs, due, after);
    found.push(one);
    waiting.splice(waiting.findIndex(({ number }) => number === one.number), 1);
    for (const service of services) cs[service] += 1;
    due = one.lane === "P" ? 0 : Math.min(after, due + 1);
  }
  return found;
}

/** From when (ms) the called ticket may be called again. */
export const recallAt = (ticket) => ticket.lastCall + RECALL_GAP;

/** { n, at }: how many calls are missing before "not here", and from when at the earliest (ms). */
export function skipAt(day, ticket) {
  const { calls, after } = day.policy.rule.skip;
  return { n: Math.max(0, calls - ticket.calls), at: ticket.firstCall + after * 1000 };
}

/** Until when (ms) the ticket may come back; 0 if it may not. */
export function returnBy(day, ticket) {
  const { return: back, hold } = day.policy.rule;
  if (ticket.state === "ON_HOLD") return ticket.since + hold.within * 1000;
  return ticket.state === "NO_SHOW" && ticket.returns < back.times ? ticket.since + back.within * 1000 : 0;
}

/** Whether the rule still lets the ticket be put aside, or moved. */
export const mayHold = (day, ticket) => ticket.holds < day.policy.rule.hold.times;
export const mayTransfer = (day, ticket) => ticket.transfers < day.policy.rule.transfers;
