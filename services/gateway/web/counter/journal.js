// The day as it is now: the board says that something happened, the published leaves say what.

import { get } from "../core/api.js";
import { keep, kept } from "../core/store.js";
import { now } from "../core/time.js";
import { apply, fresh } from "./day.js";

const NOTICED = 5_000; // ms: a smaller difference of the clocks is the way of the answer

/** `changed(day)` is given the day after every step; null while there is none. */
export function journal(code, changed) {
  return { root: `/v1/kecamatan/${encodeURIComponent(code)}`, changed, date: "", day: null, last: "", running: null, again: false };
}

/** Brings the journal up to what a board knows; a board that is behind is left aside. */
export function know(one, board) {
  if (board.day !== one.date) Object.assign(one, { date: board.day, day: null });
  if (!board.day) return one.changed(null);
  return (one.day?.n ?? -1) < board.event ? refresh(one) : undefined;
}

/** Reads on from the last leaf; one reading at a time, and one more if asked meanwhile. */
export async function refresh(one) {
  if (one.running) { one.again = true; return one.running; }
  one.running = read(one).finally(() => { one.running = null; });
  await one.running;
  if (one.again) { one.again = false; await refresh(one); }
}

async function read(one) {
  const { date } = one;
  for (let more = Boolean(date); more; ) {
    const { ok, value } = await get(`${one.root}/days/${date}/events?after=${one.day ? one.day.n - 1 : -1}`);
    if (!ok || date !== one.date) return;
    const before = one.day?.n;
    if (!(await grow(one, value.split("\n").filter(Boolean)))) return;
    more = one.day?.n !== before;
  }
  one.changed(one.day);
}

/** The first line repeats the last leaf. If it is another, the journal was rewound: begin again. */
async function grow(one, lines) {
  if (one.day && lines[0] !== one.last) one.day = null;
  else for (const line of lines) if (!(await add(one, JSON.parse(line), line))) return false;
  return true;
}

/** The day's first leaf names the policy by which the day is judged. */
async function add(one, leaf, line) {
  if (!one.day) {
    const { ok, value } = await get(`${one.root}/policies/${leaf.pol}`);
    if (!ok) return false;
    one.day = fresh(value);
  }
  if (leaf.n === one.day.n + 1) apply(one.day, leaf);
  one.last = line;
  return true;
}

// --- the office's clock -----------------------------------------------------------------------
// In production it is the server's. A demonstration runs another day at another pace: then what
// was just done tells the time.

let offset = kept("pace", 0, sessionStorage);

export const moment = () => now() + offset;

/** An action was answered just now, and its leaf is stamped `t`. */
export function heard(t) {
  const ahead = t - now();
  offset = Math.abs(ahead) < NOTICED ? 0 : ahead;
  keep("pace", offset || null, sessionStorage);
}
