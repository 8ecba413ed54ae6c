// Who is next: docs/RULES.md, "next(c)".

/** Whether a ticket came before another. A forged journal may give two the same ord. */
export const earlier = (one, other) => before([one.ord, one.number], [other.ord, other.number]);

/** The number that the counter must call now and why; null when nobody waits for its set.
 * Whys: EARLIEST of those who may be called; PRIORITY, before an earlier ordinary number because
 * enough of those were called; NEAREST, when none may be called yet. */
export function next(day, counterId) {
  const { services, credit } = day.counters.get(counterId);
  const [regular, priority] = ["R", "P"].map((lane) => ripeHead(day, services, lane));
  if (!regular || !priority) {
    const only = regular ?? priority;
    return only ? { number: only.number, why: "EARLIEST" } : nearest(day, services);
  }
  if (earlier(priority, regular)) return { number: priority.number, why: "EARLIEST" };
  if (credit >= day.policy.rule.priorityAfter) return { number: priority.number, why: "PRIORITY" };
  return { number: regular.number, why: "EARLIEST" };
}

export const ripe = (day, ticket) => ticket.nb <= day.cs[ticket.service];

function ripeHead(day, services, lane) {
  let head = null;
  for (const service of services) {
    const first = day.waiting[service][lane].find((ticket) => ripe(day, ticket));
    if (first && (!head || earlier(first, head))) head = first;
  }
  return head;
}

function nearest(day, services) {
  let best = null;
  for (const ticket of services.flatMap((service) => [...day.waiting[service].P, ...day.waiting[service].R])) {
    const place = [ticket.nb - day.cs[ticket.service], ticket.lane === "R" ? 1 : 0, ticket.ord, ticket.number];
    if (!best || before(place, best.place)) best = { place, number: ticket.number };
  }
  return best && { number: best.number, why: "NEAREST" };
}

function before(one, other) {
  const at = one.findIndex((value, i) => value !== other[i]);
  return at >= 0 && one[at] < other[at];
}

/** Whether the ticket can still be served at `t`: a return or hold that has run out cannot. */
export function isLive({ policy: { rule } }, ticket, t) {
  if (ticket.state === "NO_SHOW") return ticket.returns < rule.returnTimes && t <= ticket.since + rule.returnWithin * 1000;
  if (ticket.state === "ON_HOLD") return t <= ticket.since + rule.holdWithin * 1000;
  return ["WAITING", "CALLED", "SERVING"].includes(ticket.state);
}
