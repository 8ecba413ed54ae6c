// The replay of a day: leaf by leaf against the policy, collecting what breaks a rule. It goes on
// after a breach wherever the state allows: an event whose names are known takes effect even if
// the rules forbid it, so that one breach is not told as many. No input makes it throw.

import { apply, freshDay } from "../rule/fold.js";
import { Malformed, Unknown, parse } from "../rule/leaf.js";
import { bounds } from "../rule/zone.js";
import { brokenRules, unknownNames } from "./checks.js";
import { Watch } from "./indicators.js";

const BEFORE_HOURS = ["day.open", "clock", "day.close"]; // what may stand before issue.go `hours`

export class Replay {
  day = null;
  times = null; // bounds() of the date
  leaves = 0; // lines taken
  calls = 0; // that took effect
  breaches = []; // { code, event, line, facts }, event = n of the leaf, in the journal's order
  notes = [];
  #judging = true;
  #expected = 0; // the n that the next leaf must have
  #lastT = 0;
  #watch = null;
  #policy;
  #seen;

  /** `seen(day, event)` is told of each event that takes effect, before it does. */
  constructor(policy, seen = () => {}) {
    this.#policy = policy;
    this.#seen = seen;
  }

  /** Takes the next line, a string of one character a byte, without its line end. False: it can
   * no longer judge. */
  take(line) {
    this.leaves += 1;
    try {
      this.#judge(parse(line));
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#unreadable(error);
    }
    return this.#judging;
  }

  #unreadable(error) {
    if (error instanceof Unknown) {
      this.#judging = false;
      this.notes.push({ code: "CANNOT_JUDGE", event: null, line: this.leaves, facts: {} });
    } else {
      this.#found("NOT_CANONICAL", this.#expected, { reason: error.message });
      this.#expected += 1;
    }
  }

  #found(code, event, facts = {}) {
    this.breaches.push({ code, event, line: this.leaves, facts });
  }

  #judge(event) {
    if (!this.day) this.#begin(event);
    this.#checkHead(event);
    if (this.#checkPlace(event)) this.#checkRules(event);
    this.#expected = event.n + 1;
    this.#lastT = event.t;
  }

  #begin(event) {
    this.day = freshDay(this.#policy, event.d);
    this.times = bounds(this.#policy, event.d);
    this.#watch = new Watch(this.times.hours);
    if (event.e !== "day.open") this.#found("OPEN_MISSING", event.n);
  }

  #checkHead({ n, o, d, t, e }) {
    const { code, date, closed } = this.day;
    if (n !== this.#expected) this.#found("EVENT_GAP", n, { expected: this.#expected });
    if (o !== code) this.#found("WRONG_OFFICE", n, { found: o, expected: code });
    if (d !== date) this.#found("WRONG_DATE", n, { found: d, expected: date });
    if (t < this.#lastT) this.#found("TIME_BACKWARD", n, { back: this.#lastT - t });
    const late = t >= this.times.closeAt && e !== "day.close" && !closed;
    if (late || t < this.times.start) this.#found("OUTSIDE_DAY", n, { type: e });
  }

  /** Whether the event stands where it can have an effect. */
  #checkPlace({ e, n, pol }) {
    if (this.day.closed) this.#found("AFTER_CLOSE", n, { type: e });
    else if (e === "day.open") {
      if (this.day.opened) this.#found("OPEN_TWICE", n);
      if (pol !== this.#policy.hash) this.#found("POLICY_DIFFERS", n, { found: pol, expected: this.#policy.hash });
    }
    return !this.day.closed;
  }

  #checkRules(event) {
    const { day } = this;
    const inHours = this.times.hours.some(([opens, closes]) => opens <= event.t && event.t < closes);
    if (day.hoursOn !== inHours && !BEFORE_HOURS.includes(event.e) && event.why !== "hours") {
      this.#found("HOURS_NOT_WRITTEN", event.n);
      day.hoursOn = inHours;
    }
    const unknown = [...unknownNames(day, event)];
    for (const [code, facts] of unknown.length ? unknown : brokenRules(day, event, inHours)) this.#found(code, event.n, facts);
    if (!unknown.length && !(event.e === "issue" && day.tickets.has(event.k))) this.#effect(event);
  }

  #effect(event) {
    this.#seen(this.day, event);
    apply(this.day, event);
    if (event.e === "call") this.calls += 1;
    // After a number out of turn the count goes on from it, so that it is found once.
    if (event.e === "issue" && event.k[0] === event.s) this.day.issued[event.s] = BigInt(event.k.slice(1));
    this.#watch.see(this.day, event);
  }

  /** The verdict and all findings; to be asked once. `closed`: the day is known to be over, so that
   * a missing day.close is a breach; without it such a day is judged so far. */
  report(closed) {
    if (!this.leaves) this.notes.push({ code: "NO_EVENTS", event: null, line: 0, facts: {} });
    else if (this.#judging && !this.day?.closed) this.#endOpen(closed);
    const indicators = this.day ? this.#watch.questions(this.day, this.times.closeAt) : [];
    const { leaves, calls, breaches, notes } = this;
    return { verdict: this.#verdict(), leaves, calls, breaches, indicators, notes };
  }

  #endOpen(closed) {
    const last = this.#expected - 1;
    if (closed) this.#found("CLOSE_MISSING", last);
    else this.notes.push({ code: "DAY_OPEN", event: last, line: 0, facts: {} });
  }

  #verdict() {
    if (this.breaches.length) return "BREACH";
    return this.#judging && this.leaves ? "CLEAN" : "CANNOT_JUDGE";
  }
}
