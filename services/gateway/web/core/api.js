// The HTTP API. A question is a `get`; an action is an `act`, which happens at most once however
// often it is sent: its Idempotency-Key is made and written down before the first attempt, and
// only an answer (done, or refused with a reason) takes it off the list. See docs/PAGES.md.

import { language } from "./i18n.js";
import { keep, kept, random } from "./store.js";
import { hear } from "./time.js";

const ATTEMPT = 10_000; // ms for one attempt
const PATIENCE = 45_000; // ms of attempts until the page says that it could not be sent
const FORGET = 12 * 3600_000; // ms after which an unanswered action is no longer the same one
const AGAIN = new Set([502, 503, 504]); // answers that leave the outcome open

const sleep = (ms, signal) => new Promise((wake) => {
  const timer = setTimeout(wake, ms);
  addEventListener("online", wake, { once: true });
  signal?.addEventListener("abort", () => { clearTimeout(timer); wake(); }, { once: true });
});

async function once(method, path, { body, token, headers = {}, signal, keepalive } = {}) {
  const all = { "Accept-Language": language, ...headers };
  if (body !== undefined) all["Content-Type"] = "application/json";
  if (token) all.Authorization = `Bearer ${token}`;
  const limits = AbortSignal.any ? AbortSignal.any([AbortSignal.timeout(ATTEMPT), ...(signal ? [signal] : [])]) : signal;
  const answer = await fetch(path, { method, headers: all, body, signal: limits, keepalive, cache: "no-store", redirect: "error" });
  hear(answer);
  const type = answer.headers.get("content-type") ?? "";
  const value = /[/+]json\b/.test(type) ? await answer.json() : await answer.text(); // NDJSON is text
  return { ok: answer.ok, status: answer.status, value: answer.ok ? value : null, problem: answer.ok ? null : problemOf(answer, value), retryAfter: Number(answer.headers.get("retry-after")) };
}

const problemOf = (answer, value) => (value && value.reason ? value : { reason: "UNREADABLE", status: answer.status });
const unreachable = () => ({ ok: false, status: 0, value: null, problem: { reason: navigator.onLine ? "UNREACHABLE" : "OFFLINE" } });

/** { ok, status, value, problem }; problem.reason is UNREACHABLE or OFFLINE when nobody answered. */
export async function get(path, options = {}) {
  try {
    return await once("GET", path, options);
  } catch {
    return unreachable();
  }
}

/** Says what may be lost and may come twice: one attempt, no key. Answers like `get`. */
export const post = (path, body, options = {}) => tried(path, { ...options, body: JSON.stringify(body) });

const running = new Map(); // by name: an action under way

/**
 * Sends an action until it is answered. `name` says what it is ("take", "counter 1"): under one
 * name there is one action at a time, and the same path and body under it carry the same key even
 * after a reload. `onWait` is told when an attempt failed and another one follows.
 */
export function act(name, path, body = {}, options = {}) {
  if (!running.has(name)) running.set(name, locked(name, path, JSON.stringify(body), options).finally(() => running.delete(name)));
  return running.get(name);
}

/** The action of that name that was never answered, { path, body, at }, or null. */
export function unanswered(name) {
  const entry = kept(`act.${name}`);
  return entry && Date.now() - entry.at < FORGET ? entry : null;
}

export const forget = (name) => keep(`act.${name}`, null);

function locked(name, path, body, options) {
  const work = () => insist(name, path, body, options);
  return navigator.locks ? navigator.locks.request(`tunggu.${name}`, work) : work(); // other tabs too
}

function noted(name, path, body) {
  const last = unanswered(name);
  const entry = last && last.path === path && last.body === body ? last : { path, body, key: random(), at: Date.now() };
  keep(`act.${name}`, entry);
  return entry;
}

async function insist(name, path, body, { onWait = () => {}, patience = PATIENCE, headers = {}, signal, token } = {}) {
  const { key } = noted(name, path, body);
  const until = Date.now() + patience;
  for (let attempt = 0; ; attempt++) {
    const answer = await tried(path, { body, token, signal, headers: { ...headers, "Idempotency-Key": key } });
    if (answer.status && !AGAIN.has(answer.status)) {
      forget(name);
      return answer;
    }
    if (signal?.aborted || Date.now() > until) return answer;
    onWait(answer.problem);
    await sleep(answer.retryAfter * 1000 || Math.min(8000, 700 * 2 ** attempt) * (0.75 + Math.random() / 2), signal);
  }
}

async function tried(path, options) {
  try {
    return await once("POST", path, options);
  } catch {
    return unreachable();
  }
}
