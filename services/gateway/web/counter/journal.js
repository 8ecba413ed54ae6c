// The day as it is now: the board says that something happened, the published leaves say what.

import { get } from "../core/api.js";
import { keep, kept } from "../core/store.js";
import { now } from "../core/time.js";
import { apply, freshDay } from "../rule/fold.js";
import { Unknown, parse } from "../rule/leaf.js";
import { policyFrom } from "../rule/policy.js";

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
  one.running = readOn(one).finally(() => { one.running = null; });
  await one.running;
  if (one.again) { one.again = false; await refresh(one); }
}

async function readOn(one) {
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
  else for (const line of lines) if (!(await add(one, line))) return false;
  return true;
}

/** The day's first leaf names the policy by which the day is judged. */
async function add(one, line) {
  const event = read(line);
  if (!one.day) {
    const { ok, value } = await get(`${one.root}/policies/${event.pol}`);
    if (!ok) return false;
    one.day = freshDay(policyFrom(value, event.pol), one.date);
  }
  if (event.n === one.day.n + 1) take(one.day, event);
  one.last = line;
  return true;
}

/** The event of a leaf. Of one that only a newer release than this page knows: when it was. */
function read(line) {
  try {
    return parse(line);
  } catch (error) {
    if (!(error instanceof Unknown)) throw error;
    const { n, t } = JSON.parse(line);
    return { n, t, e: null };
  }
}

const take = (day, event) => (event.e ? apply(day, event) : Object.assign(day, { n: event.n, t: event.t }));

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
