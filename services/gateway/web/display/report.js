// What the display says of itself to the queue: that it runs, what it shows, what it has played.
// Counts are of this page's whole life, so a report that is lost is made up for by the next, and
// one that comes twice counts nothing twice. Whatever becomes of it, the wall does not change.

import { post } from "../core/api.js";
import { token } from "../core/auth.js";
import { random } from "../core/store.js";

const FIRST = 2_000; // ms
const EVERY = 25_000; // ms, give or take a fifth
const REFUSED = 12; // times as long after a refusal, for the next one will be refused, too
const page = random();
const [, , files] = new URL(import.meta.url).pathname.split("/"); // /web/{version}/display/report.js
const films = []; // [{ film, plays, seconds }], by place

/** The office has so many films: those that are never played are told as well. */
export function offered(count) {
  while (films.length < count) films.push({ film: films.length + 1, plays: 0, seconds: 0 });
}

/** A film, counted from 0, was shown to its end. */
export function played(index, seconds) {
  offered(index + 1);
  films[index].plays += 1;
  films[index].seconds += seconds;
}

/** Reports to `path` for as long as the page lives. `state()` → { day, event, live, sound }. */
export async function report(path, state) {
  const send = (more = {}) => {
    const key = navigator.onLine && token();
    return key && post(path, told(state()), { token: key, ...more });
  };
  addEventListener("pagehide", () => send({ keepalive: true }));
  await pause(FIRST, 1);
  for (;;) await pause(EVERY, 0.4, after(await send()));
}

const told = (state) => ({
  page, version: /^\w{1,16}$/.test(files) ? files : "", ...state,
  films: films.map((one) => ({ ...one, seconds: Math.round(one.seconds) })),
});

const after = (answer) => (answer && answer.status >= 400 && answer.status < 500 && answer.status !== 429 ? REFUSED : 1);

/** `ms`, spread by that share, so that displays that began together do not report together. */
const pause = (ms, share, times = 1) => new Promise((wake) => setTimeout(wake, times * ms * (1 + share * (Math.random() - 0.5))));
