// What comes next at a counter and why, in the officer's words' reach: who is called is for
// ../rule/next.js to say. Pure.

import { count, leave } from "../rule/fold.js";
import { earlier, missing, next } from "../rule/next.js";

/**
 * { number, lane, service, why, n, other, returned } of the next one, or null when nobody waits.
 *
 * why: order (the longest waiting), priority (the same, and in that lane), regular (the longest
 * waiting; `other` has priority and is due after `n` calls), due (priority's turn; `other` would
 * have been), unripe (came back `n` calls too early, but nobody else waits). returned: has been in
 * the line before.
 */
export function reason(day, id) {
  const due = next(day, id);
  if (!due) return null;
  const ticket = day.tickets.get(due.number);
  const { number, lane, service, returns, holds } = ticket;
  return { number, lane, service, returned: returns + holds > 0, other: due.other, ...why(day, id, ticket, due) };
}

function why(day, id, ticket, due) {
  const { priorityAfter } = day.policy.rule;
  if (due.why === "NEAREST") return { why: "unripe", n: missing(day, ticket) };
  if (due.why === "PRIORITY") return { why: "due", n: priorityAfter };
  if (ticket.lane === "P") return { why: "priority", n: 0 };
  return due.other ? { why: "regular", n: priorityAfter - day.counters.get(id).credit } : { why: "order", n: 0 };
}

/** Those who came back and must let `n` more calls pass: [{ number, n }], soonest first. */
export function later(day, id) {
  const waiting = day.counters.get(id).services.flatMap((service) => [...day.waiting[service].R, ...day.waiting[service].P]);
  const late = waiting.filter((one) => missing(day, one)).sort((a, b) => missing(day, a) - missing(day, b) || (earlier(a, b) ? -1 : 1));
  return late.map((one) => ({ number: one.number, n: missing(day, one) }));
}

/** The next `most` in order, if no other counter calls and nobody comes: [{ number, lane }]. */
export function upcoming(day, id, most) {
  const ahead = sketch(day, id);
  const found = [];
  for (let due = next(ahead, id); due && found.length < most; due = next(ahead, id)) {
    const ticket = day.tickets.get(due.number);
    found.push({ number: ticket.number, lane: ticket.lane });
    leave(ahead, ticket);
    count(ahead, ahead.counters.get(id), ticket.lane);
  }
  return found;
}

/** A copy of all that `next`, `leave` and `count` read and change. */
function sketch(day, id) {
  const lines = Object.entries(day.waiting).map(([service, { R, P }]) => [service, { R: [...R], P: [...P] }]);
  return { ...day, cs: { ...day.cs }, waiting: Object.fromEntries(lines), counters: new Map([[id, { ...day.counters.get(id) }]]) };
}
