// The tickets that this phone has seen, with the time: what is shown when there is no connection.

import { keep, kept, random } from "./store.js";
import { now } from "./time.js";

const KEPT = 3 * 24 * 3600_000; // ms after which a ticket is forgotten
const OVER = ["COMPLETED", "CANCELLED", "LAPSED"];

/** By id: { ticket, at, office }. */
export function mine() {
  const tickets = kept("tickets", {});
  for (const [id, one] of Object.entries(tickets)) if (!(now() - one.at < KEPT)) delete tickets[id];
  return tickets;
}

export const seen = (id) => mine()[id] ?? null;

/** Notes a ticket as it was just seen, and its office if it is known. */
export function remember(ticket, office) {
  const tickets = mine();
  const { name, address, timezone, services } = office ?? tickets[ticket.id]?.office ?? {};
  const brief = name && { name, address, timezone, services: services.map(({ code, name }) => ({ code, name })) };
  keep("tickets", { ...tickets, [ticket.id]: { ticket, at: now(), office: brief } });
}

/** A ticket that the server does not know is forgotten. */
export function unknown(id) {
  const { [id]: _, ...others } = mine();
  keep("tickets", others);
}

/** Those that may still be called or come back, newest first. */
export function running() {
  return Object.values(mine()).filter(({ ticket }) => !OVER.includes(ticket.state) && (ticket.state !== "NO_SHOW" || ticket.returnBy)).sort((a, b) => b.at - a.at);
}

/** The random key that the server knows this phone by, for one live ticket a service and day. */
export function holder() {
  const key = kept("holder") ?? random();
  keep("holder", key);
  return key;
}
