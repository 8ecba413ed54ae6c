// What the rule admits and when: recall, no-show, return, hold, transfer. Moments in ms UTC.

const RECALL_GAP = 20_000; // ms

/** From when the called ticket may be called again. */
export const recallAt = (ticket) => ticket.lastCall + RECALL_GAP;

/** { n, at }: how many calls are missing before "not here", and from when at the earliest. */
export function skipAt({ policy: { rule } }, ticket) {
  return { n: Math.max(0, rule.skipCalls - ticket.calls), at: ticket.firstCall + rule.skipAfter * 1000 };
}

/** Whether the rule leaves the ticket another return, hold or transfer. */
export const mayReturn = ({ policy: { rule } }, ticket) => ticket.returns < rule.returnTimes;
export const mayHold = ({ policy: { rule } }, ticket) => ticket.holds < rule.holdTimes;
export const mayTransfer = ({ policy: { rule } }, ticket) => ticket.transfers < rule.transfers;

/** For how many seconds the ticket may stay away; null if it is not away. */
export function away({ policy: { rule } }, ticket) {
  return { NO_SHOW: rule.returnWithin, ON_HOLD: rule.holdWithin }[ticket.state] ?? null;
}

/** Until when the ticket may come back; null if it may not. */
export function returnBy(day, ticket) {
  const within = away(day, ticket);
  if (within === null || (ticket.state === "NO_SHOW" && !mayReturn(day, ticket))) return null;
  return ticket.since + within * 1000;
}

/** Whether the ticket can still be served at `t`: a return or hold that has run out cannot. */
export function isLive(day, ticket, t) {
  const until = returnBy(day, ticket);
  return until === null ? ["WAITING", "CALLED", "SERVING"].includes(ticket.state) : t <= until;
}
