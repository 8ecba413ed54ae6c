// What happened to one number, and why: it watches a replay and notes what concerns the number.

import { next, ripe } from "../rule/next.js";
import { channelName } from "./checks.js";

/** Give `story.see` to a Replay, then `end`. `lines` are { e, t, n, passed, … } in the journal's
 * order; null until the number is issued. A call's line says `why`: that of `next`, or BREACH.
 * `passed` are those of its service who came later and were called since the line before while it
 * waited, each { k, c, t, why }; BACK: it had just returned and was not due yet. */
export class Story {
  lines = null;
  #number;
  #passed = [];

  constructor(number) {
    this.#number = number;
  }

  see(day, event) {
    const mine = event.k === this.#number;
    if (event.e === "call" && !mine) this.#seeOther(day, event);
    if (event.e === "day.close") this.#lapse(day, event);
    if (event.e === "issue" && mine) this.lines = [];
    if (mine) this.#note(event, this.#told(day, event));
  }

  /** A number that still waits when the journal ends. */
  end(day) {
    if (day?.tickets.get(this.#number)?.state === "WAITING") this.#note({ e: "waiting", t: day.t, n: day.n });
  }

  #note({ e, t, n, c }, more = {}) {
    this.lines.push({ e, t, n, c, passed: this.#passed, ...more });
    this.#passed = [];
  }

  #told(day, event) {
    const ticket = day.tickets.get(event.k);
    switch (event.e) {
      case "issue": return { s: event.s, l: event.l, channel: channelName(event.ch), ahead: waiting(day, event.s) };
      case "call": return { why: reason(day, event) };
      case "recall": return { calls: ticket.calls + 1 };
      case "noshow": return { calls: ticket.calls };
      case "return": return { after: ticket.state === "NO_SHOW" ? day.policy.rule.returnAfterCalls : 0 };
      case "xfer": return { s: event.s };
      default: return {};
    }
  }

  /** Another is called while this one waits for the same service and came earlier. */
  #seeOther(day, event) {
    const mine = day.tickets.get(this.#number);
    const other = day.tickets.get(event.k);
    if (mine?.state !== "WAITING" || other.service !== mine.service || other.ord < mine.ord) return;
    const why = reason(day, event);
    this.#passed.push({ k: event.k, c: event.c, t: event.t, why: why === "BREACH" || ripe(day, mine) ? why : "BACK" });
  }

  #lapse(day, event) {
    const mine = day.tickets.get(this.#number);
    if (mine && ["WAITING", "CALLED", "SERVING", "ON_HOLD"].includes(mine.state)) this.#note({ ...event, e: "lapsed" });
  }
}

function reason(day, event) {
  const due = next(day, event.c);
  return due?.number === event.k ? due.why : "BREACH";
}

const waiting = (day, service) => day.waiting[service].R.length + day.waiting[service].P.length;
