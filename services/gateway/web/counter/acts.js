// What the officer does. One thing at a time, each at most once: a repetition carries the same id
// (core/api.js), and all but "call next" name the ticket that they are meant for.

import { act, forget, unanswered } from "../core/api.js";
import { claims, drop, token } from "../core/auth.js";
import { $, all, show, text } from "../core/dom.js";
import { t, word } from "../core/i18n.js";
import { ask } from "../core/signin.js";
import { exact } from "../core/time.js";

const RECENT = 120_000; // ms for which what was begun is still what the officer wants

let desk = null; // { code, counter, changed(): Promise, heard(value) }
let busy = "";

export const begin = (one) => { desk = one; };
export const isBusy = () => Boolean(busy);

const root = () => `/v1/kecamatan/${encodeURIComponent(desk.code)}`;
const name = () => `counter ${desk.code} ${desk.counter} ${claims()?.sub ?? ""}`; // another officer's wish is not ours

/** open, close, callNext, recall, start, complete, skip, hold, transfer at this counter. */
export const atCounter = (verb, body = {}) => perform(`${root()}/counters/${encodeURIComponent(desk.counter)}:${verb}`, body);

/** return, checkIn, setLane, cancel for a number on paper. */
export const onPaper = (verb, number, body = {}) => perform(`${root()}/tickets/${encodeURIComponent(number)}:${verb}`, body);

const verbOf = (path) => path.slice(path.lastIndexOf(":") + 1);

async function perform(path, body) {
  if (busy) return false;
  mark(verbOf(path));
  say("");
  try {
    return await sent(path, body);
  } finally {
    mark("");
  }
}

async function sent(path, body) {
  const begun = Date.now();
  const key = token() || (await ask());
  const who = claims().sub;
  let waited = false;
  const onWait = () => { waited = true; say(t("act.waiting")); };
  const answer = await act(name(), path, body, { token: key, onWait });
  if (answer.status === 401) return signedInAgain(path, body, who, begun);
  say("");
  if (answer.ok && !waited) desk.heard(answer.value);
  await desk.changed();
  if (!answer.ok) refused(path, answer);
  return answer.ok;
}

/** The token ended: nothing was done. After signing in the same officer's wish goes on, if fresh. */
async function signedInAgain(path, body, who, begun) {
  drop();
  say(t("act.expired"));
  await ask();
  say("");
  await desk.changed();
  return claims().sub === who && Date.now() - begun < RECENT ? sent(path, body) : false;
}

function refused(path, { status, problem }) {
  if (!status || status >= 500) return say(t("act.unsent"));
  if (problem.reason === "TOO_EARLY" && problem.when) return say(t(`early.${verbOf(path)}`, { time: exact(problem.when) }));
  if (problem.reason === "COUNTER_TAKEN") return say(t("act.taken"), verbOf(path) === "open" ? null : { label: t("act.takeOver"), run: () => atCounter("open") });
  if (problem.reason === "TICKET_CHANGED") return say(t("act.changed"));
  if (status === 403) return say(problem.detail, { label: t("act.other"), run: another });
  return say(problem.detail ?? word(`error.${problem.reason}`, t("error.other")));
}

async function another() {
  drop();
  await ask();
  say("");
}

/** What stands above the desk: why something was refused, and what helps. */
export function say(words, remedy = null) {
  text($("#problem span"), words);
  show($("#problem"), words);
  show($("#remedy"), remedy);
  if (!remedy) return;
  text($("#remedy"), remedy.label);
  $("#remedy").onclick = remedy.run;
}

function mark(verb) {
  busy = verb;
  for (const one of all("#acts button, #paper-acts button, #away-list button")) {
    one.toggleAttribute("aria-busy", false);
    if (busy) one.setAttribute("aria-disabled", "true");
    else one.removeAttribute("aria-disabled");
    if (busy && one.value === busy) one.setAttribute("aria-busy", "true");
  }
}

/** What was sent before the page went away and never answered; an old wish is let go. */
export function resume() {
  const entry = unanswered(name());
  if (!entry || busy) return;
  if (Date.now() - entry.at < RECENT) perform(entry.path, JSON.parse(entry.body));
  else forget(name());
}
