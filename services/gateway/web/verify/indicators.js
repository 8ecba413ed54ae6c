// What an outsider may ask about a lawful day: questions, never breaches. The thresholds are those
// of services/queue/indicators.py; no rule names them.

import { channelName } from "./checks.js";

const MINUTE = 60_000;
const SHORT_SERVICE = 30_000; // ms
const BRIEF_HOLD = 60_000; // ms
const IDLE = 600_000; // ms
const SIGMAS = 3;
const LEAST_TRIALS = 10;
const BURST = { cancel: ["CANCEL_BURST", 5], issue: ["ISSUE_BURST", 20] }; // the fewest of a minute
const SHARES = [ // what is counted at a counter, out of what
  ["SHORT_SERVICES", "short", "done"], ["MANY_HOLDS", "hold", "start"],
  ["MANY_TRANSFERS", "xfer", "start"], ["MANY_NO_SHOWS", "noshow", "call"],
];
const REPEATED = [["SET_CHANGES", "counter.set", 3], ["EMPTY_CALLS", "empty", 2]];

/** Counts a day's events, each given after the fold took it. */
export class Watch {
  #hours;
  #at = new Map(); // by what: counts by counter
  #minutes = new Map(); // by "type CHANNEL": by minute, the n of its events
  #idleFrom = new Map();
  #idle = new Map(); // by counter: the longest stretch, [ms within the hours, n of its first event]
  #held = new Map(); // by number: counter and t of its last hold

  constructor(hours) {
    this.#hours = hours;
  }

  see(day, event) {
    const ticket = day.tickets.get(event.k);
    if (event.c) this.#count(event.e, event.c);
    if (event.e === "done" && ticket.startedAt !== null && event.t - ticket.startedAt < SHORT_SERVICE) this.#count("short", event.c);
    this.#seeEmptyCall(event);
    if (event.e in BURST) this.#seeMinute(`${event.e} ${channelName(ticket.channel)}`, event);
    this.#seeIdle(day, event);
  }

  #count(what, counter) {
    if (!this.#at.has(what)) this.#at.set(what, new Map());
    this.#at.get(what).set(counter, (this.#at.get(what).get(counter) ?? 0) + 1);
  }

  /** A call that served nobody and was undone, by requeue or a brief hold. */
  #seeEmptyCall({ e, k, c, t }) {
    if (e === "requeue") this.#count("empty", c);
    else if (e === "hold") this.#held.set(k, { c, t });
    else if (e === "return" && this.#held.has(k)) {
      const held = this.#held.get(k);
      this.#held.delete(k);
      if (t - held.t < BRIEF_HOLD) this.#count("empty", held.c);
    }
  }

  #seeMinute(kind, { t, n }) {
    if (!this.#minutes.has(kind)) this.#minutes.set(kind, new Map());
    const minutes = this.#minutes.get(kind);
    const minute = Math.floor(t / MINUTE);
    if (!minutes.has(minute)) minutes.set(minute, []);
    minutes.get(minute).push(n);
  }

  #seeIdle(day, event) {
    for (const { id, state, ticket, services } of day.counters.values()) {
      const free = state === "OPEN" && ticket === null;
      if (free && services.some((s) => day.waiting[s].R.length || day.waiting[s].P.length)) {
        if (!this.#idleFrom.has(id)) this.#idleFrom.set(id, [event.t, event.n]);
      } else if (this.#idleFrom.has(id)) this.#endIdle(id, event.t);
    }
  }

  #endIdle(counter, t) {
    const [since, n] = this.#idleFrom.get(counter);
    this.#idleFrom.delete(counter);
    const within = ([opens, closes]) => Math.max(0, Math.min(t, closes) - Math.max(since, opens));
    const length = this.#hours.map(within).reduce((sum, part) => sum + part, 0);
    const [longest, first] = this.#idle.get(counter) ?? [0, 0];
    if (length > longest || (length === longest && n > first)) this.#idle.set(counter, [length, n]);
    else if (!this.#idle.has(counter)) this.#idle.set(counter, [longest, first]);
  }

  /** The questions about the day so far: { code, event, facts }; event is null or an n. */
  questions(day, closeAt) {
    for (const counter of [...this.#idleFrom.keys()]) this.#endIdle(counter, day.t);
    return [...this.#shares(), ...this.#repeats(), ...this.#bursts(), ...this.#idles(), ...closedEarly(day, closeAt)];
  }

  * #shares() {
    for (const [code, what, of] of SHARES) {
      const [counts, trials] = [what, of].map((name) => this.#at.get(name) ?? new Map());
      if (trials.size < 2) continue;
      const share = Math.min(1, total(counts) / total(trials));
      for (const [c, n] of sorted(trials)) {
        const count = counts.get(c) ?? 0;
        const spread = SIGMAS * Math.sqrt(n * share * (1 - share));
        if (n >= LEAST_TRIALS && count > n * share + spread) yield { code, event: null, facts: { c, count, of: n, share: rounded(share * 100) } };
      }
    }
  }

  * #repeats() {
    for (const [code, what, least] of REPEATED) {
      for (const [c, count] of sorted(this.#at.get(what) ?? new Map())) {
        if (count >= least) yield { code, event: null, facts: { c, count } };
      }
    }
  }

  * #bursts() {
    for (const [kind, minutes] of sorted(this.#minutes)) {
      const [e, ch] = kind.split(" ");
      const [code, least] = BURST[e];
      const all = [...minutes.values()];
      const times = [...minutes.keys()].sort((one, other) => one - other);
      const mean = all.reduce((sum, one) => sum + one.length, 0) / (times.at(-1) - times[0] + 1);
      const most = all.reduce((best, one) => (one.length > best.length ? one : best));
      if (most.length >= least && most.length > mean + SIGMAS * Math.sqrt(mean)) yield { code, event: most[0], facts: { ch, count: most.length, mean: rounded(mean) } };
    }
  }

  * #idles() {
    for (const [c, [length, n]] of sorted(this.#idle)) {
      if (length >= IDLE) yield { code: "COUNTER_IDLE", event: n, facts: { c, minutes: Math.floor(length / MINUTE) } };
    }
  }
}

function* closedEarly(day, closeAt) {
  const early = closeAt - day.t;
  if (day.closed && early > 0) yield { code: "CLOSED_EARLY", event: day.n, facts: { minutes: Math.floor(early / MINUTE) } };
}

const total = (counts) => [...counts.values()].reduce((sum, count) => sum + count, 0);
const sorted = (map) => [...map].sort(([one], [other]) => (one < other ? -1 : 1));

/** To the nearest integer, halves to the even one. */
function rounded(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
