// The tablet on a counter: it wakes when a ticket has been completed there, asks once, and sleeps.

import { get } from "../core/api.js";
import { drop, token } from "../core/auth.js";
import { $, all, show, text } from "../core/dom.js";
import { start } from "../core/frame.js";
import { SOURCE, language, speak, t, word } from "../core/i18n.js";
import { focus } from "../core/live.js";
import { ask, signedIn } from "../core/signin.js";
import { keep, kept } from "../core/store.js";
import { follow, untilAnswered } from "../core/stream.js";
import { clear, listen, pressed } from "./reasons.js";
import { resume, send } from "./send.js";

const [code, counter] = location.pathname.split("/").slice(2).map(decodeURIComponent);
const root = `/v1/kecamatan/${encodeURIComponent(code)}`;
const at = `${root}/counters/${encodeURIComponent(counter)}`;
const QUIET = 8; // seconds without a touch until the page sleeps
const THANKS = 4;
const FOREIGN = 120; // seconds that an idle page stays in the language that somebody chose
const COUNTS = 10 * 60_000; // ms after completion that an answer counts

const frame = await start("survey");
document.title = t("page.title");
let last = ""; // the counter as the board showed it
let completed = null; // { number, event, day }: what may be rated
let heard = { day: "", event: -1 }; // of the counter: a late answer is left aside
let left = 0; // seconds until the page moves on by itself
let sending = false;

function view(name) {
  for (const one of all("main > .view")) show(one, one.id === name);
  const heading = $(`#${name} h1`);
  if (name !== "idle") focus(heading);
  left = { idle: language === SOURCE ? 0 : FOREIGN, said: THANKS }[name] ?? QUIET;
  keep("asking", name === "ask" || name === "why" ? completed.event : null, sessionStorage);
}

/** `again`: somebody was here, and the next person begins in Indonesian. */
function sleep(again = false) {
  const open = completed && !done(completed);
  show($("#open"), open);
  if (open) text($("#open"), t("idle.open", { number: completed.number }));
  view("idle");
  if (again && language !== SOURCE && !open) speak(SOURCE);
}

const name = (one) => `${code} ${counter} ${one.day} ${one.event}`;
const done = (one) => kept("answered") === name(one);

function question() {
  text($("#number"), completed.number);
  clear();
  view("ask");
}

// --- what is pressed ------------------------------------------------------------------------------

function press(answer) {
  if (sending) return;
  if (answer === "NOT_SATISFIED") view("why");
  else give({ answer });
}

/** Takes the answer, once: whatever is pressed meanwhile is not heard. */
async function give(body) {
  if (sending || !completed) return;
  sending = true;
  const one = completed;
  keep("answered", name(one));
  say(t("said.sending"));
  left = QUIET; // then the page sleeps, and the answer goes on its way
  const answer = await send(name(one), `${at}/responses`, { ...body, ticket: one.number });
  sending = false;
  if (completed === one && !$("#said").hidden) tell(answer);
}

function tell({ ok, status, problem }) {
  if (ok) return say(t("said.thanks"), t("said.counted"));
  if (problem.reason === "ALREADY_ANSWERED") return say(t("said.thanks"), t("said.already"));
  if (!status || status >= 500) return say(t("said.thanks"), t("said.later"));
  return say(t("said.sorry"), problem.detail ?? word(`error.${problem.reason}`, t("error.other")), false);
}

function say(title, more = "", well = true) {
  text($("#said-title"), title);
  text($("#said-more"), more);
  show($("#said-icon"), well);
  view("said");
}

function second() {
  if (!left || --left > 0) return;
  if (!$("#why").hidden) give({ answer: "NOT_SATISFIED", reasons: pressed() }); // it was pressed
  else sleep(true);
}

// --- what happens at the counter ------------------------------------------------------------------

async function board(value) {
  const own = value.counters.find(({ id }) => id === counter);
  const served = value.services.reduce((sum, one) => sum + one.completed, 0); // a quick one leaves no other trace
  const now = `${value.day} ${served} ${JSON.stringify(own)}`;
  if (now === last) return;
  const first = !last;
  last = now;
  const answer = await get(at, { token: token() || (await ask()) });
  if (answer.status === 401) { drop(); last = ""; await ask(); return board(value); }
  if (answer.status === 403 || answer.status === 404) return say(t("said.sorry"), answer.problem.detail, false);
  if (!answer.ok) { last = ""; return; }
  if (answer.value.serviceDay !== heard.day || answer.value.event >= heard.event) look(answer.value, value, first);
}

function look({ lastCompleted: one, serviceDay: day, event, ticket }, { at: now }, first) {
  heard = { day, event };
  const fresh = one && Date.parse(now) - Date.parse(one.completedAt) < COUNTS;
  const known = completed && one && completed.event === one.event && completed.day === day;
  if (known && ticket?.state === "SERVING" && !$("#idle").hidden) completed = null; // somebody else sits here now
  else if (!known) completed = fresh && !(first && ticket?.state === "SERVING") ? { number: one.number, event: one.event, day } : null;
  if (sending || known) return $("#idle").hidden ? undefined : sleep();
  const asking = kept("asking", null, sessionStorage) === completed?.event;
  return completed && !done(completed) && (!first || asking) ? question() : sleep();
}

const names = untilAnswered(async () => {
  const { ok, value } = await get(root);
  if (!ok) return false;
  text($("#office"), `Kecamatan ${value.name}`);
  text($("#counter"), value.counters.find(({ id }) => id === counter)?.name ?? "");
  return true;
});

$("#open").addEventListener("click", question);
for (const one of all(".face")) one.addEventListener("click", () => press(one.value));
listen();
$("#send").addEventListener("click", () => give({ answer: "NOT_SATISFIED", reasons: pressed() }));
addEventListener("pointerdown", () => { if (left && !sending && $("#said").hidden && $("#idle").hidden) left = QUIET; });
setInterval(second, 1000);
await signedIn();
names();
const fresh = frame.freshness("board");
follow({ url: `/v1/streams/kecamatan/${encodeURIComponent(code)}/board`, poll: `${root}/board`, event: "board", always: true,
  data(value) { names(); board(value); },
  state(now) { fresh(now); if (now.live && !sending) resume(); } });
