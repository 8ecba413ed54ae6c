// Who is next: docs/RULES.md, "next(c)".

/** Whether a ticket came before another. A forged journal may give two the same ord. */
export const earlier = (one, other) => before([one.ord, one.number], [other.ord, other.number]);

/** The number that the counter must call now and why; null when nobody waits for its set.
 * Whys: EARLIEST of those who may be called; PRIORITY, before an earlier ordinary number because
 * enough of those were called; NEAREST, when none may be called yet. `other` is the number of the
 * other lane that might be called instead, or null. */
export function next(day, counterId) {
  const { services, credit } = day.counters.get(counterId);
  const [regular, priority] = ["R", "P"].map((lane) => ripeHead(day, services, lane));
  const named = (one, why, other) => ({ number: one.number, why, other: other?.number ?? null });
  if (!regular && !priority) return nearest(day, services);
  if (!priority) return named(regular, "EARLIEST", null);
  if (!regular || earlier(priority, regular)) return named(priority, "EARLIEST", regular);
  if (credit >= day.policy.rule.priorityAfter) return named(priority, "PRIORITY", regular);
  return named(regular, "EARLIEST", priority);
}

/** How many calls of its service must pass before a ticket may be called; 0 if it may. */
export const missing = (day, ticket) => Math.max(0, ticket.nb - day.cs[ticket.service]);
export const ripe = (day, ticket) => missing(day, ticket) === 0;

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
    const place = [missing(day, ticket), ticket.lane === "R" ? 1 : 0, ticket.ord, ticket.number];
    if (!best || before(place, best.place)) best = { place, number: ticket.number };
  }
  return best && { number: best.number, why: "NEAREST", other: null };
}

function before(one, other) {
  const at = one.findIndex((value, i) => value !== other[i]);
  return at >= 0 && one[at] < other[at];
}

