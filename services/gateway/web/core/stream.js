// A live view of one GET. Server-sent events are read with fetch rather than EventSource, because
// only so are the heartbeat's comments seen: a line that is silently cut is noticed. While there
// is no stream the same GET is polled; while neither answers, the last data and their age stand.

import { now } from "./time.js";
import { get } from "./api.js";

const SILENCE = 40_000; // ms without a byte (a heartbeat comes every 15 s) until the line is dead
const POLL = 5_000; // ms between questions while there is no stream
const HIDDEN = 60_000; // ms after which a page that nobody looks at lets go of its stream
const PATIENCE = 2_500; // ms without an answer before the first data are called late

/**
 * Follows `url` (under /v1/streams/), polls `poll`. `data(value)` gets every new state, in order,
 * and the last one again when a line comes back that has nothing newer: what a page wanted to ask
 * meanwhile, and could not, it asks then.
 * `state({ live, since, gone })`: live = what was last given is the present; since = ms of the
 * server's clock when that was last so (0 = never); gone = the problem that ends it for good.
 */
export function follow({ url, poll, event, data, state, always = false }) {
  const one = { url, poll, event, data, state, always, live: null, since: 0, last: "", over: false, retry: 2000 };
  one.wake = () => {};
  const seen = () => visible(one);
  const back = () => restart(one);
  const cut = () => mark(one, false);
  document.addEventListener("visibilitychange", seen);
  addEventListener("online", back);
  addEventListener("offline", cut);
  const late = setTimeout(() => one.live === null && mark(one, false), PATIENCE);
  const close = () => {
    one.over = true;
    clearTimeout(late);
    document.removeEventListener("visibilitychange", seen);
    removeEventListener("online", back);
    removeEventListener("offline", cut);
    one.abort?.abort();
    one.wake();
  };
  run(one).then(close); // nothing follows: no line that is cut from now on makes it late
  return { restart: back, close };
}

/**
 * Asks what a page asks once, again with every call until it was answered: `work` resolves with
 * whether it was. Called with the data, it is asked as soon as there is a line.
 */
export function untilAnswered(work) {
  let over = false;
  return async () => {
    if (over) return;
    over = true; // under way
    over = await work();
  };
}

/** Whether that brought the line back. */
function mark(one, live) {
  if (one.over) return false;
  if (live) one.since = now();
  if (one.live === live) return false;
  const back = live && one.live === false;
  one.live = live;
  one.state({ live, since: one.since, gone: null });
  return back;
}

function give(one, value) {
  mark(one, true);
  one.data(value);
}

/** What is shown is the present. */
function same(one) {
  if (mark(one, true) && one.value !== undefined) one.data(one.value);
}

function visible(one) {
  clearTimeout(one.hiding);
  if (document.hidden && !one.always) one.hiding = setTimeout(() => { one.asleep = true; one.abort?.abort(); }, HIDDEN);
  else if (one.asleep) { one.asleep = false; restart(one); }
}

function restart(one) {
  one.abort?.abort();
  one.wake();
}

const pause = (one, ms) => new Promise((wake) => {
  const timer = setTimeout(wake, ms);
  one.wake = () => { clearTimeout(timer); wake(); };
});

async function run(one) {
  while (!one.over) {
    const ended = await listen(one);
    if (one.over || ended) return;
    if (one.asleep) await pause(one, 2 ** 30);
    const until = Date.now() + one.retry;
    do {
      await ask(one);
      if (one.over) return;
      await pause(one, Math.min(POLL, Math.max(250, until - Date.now())) * (0.8 + Math.random() * 0.4));
    } while (Date.now() < until);
    one.retry = Math.min(one.retry * 1.6, 15_000);
  }
}

/** One answer by GET: keeps the page fresh where streams do not get through. */
async function ask(one) {
  const { ok, value, problem } = await get(one.poll);
  if (one.over) return;
  if (ok) give(one, value);
  else if (problem.status === 404) finish(one, problem);
  else mark(one, false);
}

function finish(one, problem) {
  one.over = true;
  one.state({ live: false, since: one.since, gone: problem });
}

/** One connection until it ends; true if nothing can follow. */
async function listen(one) {
  one.abort = new AbortController();
  let guard = 0;
  const alive = () => { clearTimeout(guard); guard = setTimeout(() => one.abort.abort(), SILENCE); };
  try {
    alive();
    const headers = { Accept: "text/event-stream", ...(one.last && { "Last-Event-ID": one.last }) };
    const answer = await fetch(one.url, { headers, signal: one.abort.signal, cache: "no-store" });
    if (answer.status === 204) { same(one); return true; }
    if (!answer.ok) return false;
    one.retry = 2000;
    if (one.last) same(one);
    await read(one, answer.body.getReader(), alive);
  } catch {
    // cut, silent or let go: the loop decides
  } finally {
    clearTimeout(guard);
  }
  return false;
}

async function read(one, reader, alive) {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done || one.over) return;
    alive();
    const parts = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = parts.pop();
    for (const part of parts) take(one, part);
  }
}

function take(one, part) {
  const fields = {};
  for (const line of part.split("\n")) {
    const at = line.indexOf(":");
    if (at > 0) fields[line.slice(0, at)] = line.slice(at + 1).trimStart();
  }
  if (fields.id) one.last = fields.id;
  if (fields.retry) one.retry = Number(fields.retry) || one.retry;
  if (fields.event === "stale") mark(one, false);
  else if (fields.event === "fresh") same(one);
  else if (fields.event === one.event) give(one, one.value = JSON.parse(fields.data));
  else if (one.live) one.since = now();
}
