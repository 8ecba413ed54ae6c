// A day, checked by whoever opens this page: journal and policy are fetched, replayed here, and the
// result is said in plain words. The replay goes in slices, so that the page stays awake.

import { get } from "../core/api.js";
import { $, h, icon, show, text } from "../core/dom.js";
import { start } from "../core/frame.js";
import { count, t, word } from "../core/i18n.js";
import { mine } from "../core/mine.js";
import { clock, day as dateOf, hour, useZone } from "../core/time.js";
import { Unusable, readPolicy } from "../rule/policy.js";
import { Unanswered, fingerprint, journal, policyOf, signs, split } from "./journal.js";
import { Replay } from "./replay.js";
import { since, upTo } from "./since.js";
import { Story } from "./story.js";
import { breachText, questionText, ruleTexts, storyText } from "./words.js";

const [, , code, date] = location.pathname.split("/").map(decodeURIComponent);
const SLICE = 25; // ms of reckoning between two breaths
const MOST = 100; // findings that are shown

let lines = []; // the journal
let octets = new Uint8Array(); // the same as bytes
let policy = null;
let office = null; // as GetKecamatan says
let times = new Map(); // by n: t of the event
let broken = new Map(); // by n: the breaches there
let missed = false; // whether the latest check found nobody to ask

const breath = () => new Promise((on) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => { port1.close(); on(); };
  port2.postMessage(null);
});

/** Takes all lines, a slice at a time. */
async function replayed(seen, progress = () => {}) {
  const replay = new Replay(policy, seen);
  let until = performance.now() + SLICE;
  for (const line of lines) {
    if (!replay.take(line)) break;
    if (performance.now() < until) continue;
    progress(replay.leaves / lines.length);
    await breath();
    until = performance.now() + SLICE;
  }
  return replay;
}

/** Whether a later day has begun at the office: then this one must have been closed. */
async function isOver() {
  const { ok, value } = await get(`/v1/kecamatan/${encodeURIComponent(code)}/board`);
  return ok && value.day > date;
}

async function fetched() {
  octets = await journal(code, date, (n) => text($("#detail"), t("result.read", { n })));
  lines = split(signs(octets));
  const document = await policyOf(code, lines);
  if (!document) throw new Unanswered({ reason: "NO_POLICY" });
  policy = readPolicy(signs(document), await fingerprint(document));
}

async function check() {
  waiting();
  try {
    const asked = isOver();
    await fetched();
    const began = performance.now();
    times = new Map();
    const replay = await replayed((_, event) => times.set(event.n, event.t), (part) => { $("#progress").value = part; });
    const over = await asked;
    const report = replay.report(over);
    draw(report, replay.day);
    upTo(replay.day?.n ?? -1, over || Boolean(replay.day?.closed));
    $("#result").dataset.took = Math.round(performance.now() - began);
    await drawPrint(report);
    await tell($("#number").value || own());
  } catch (error) {
    failed(error);
  } finally {
    $("#result").setAttribute("aria-busy", "false");
  }
}

// The result

function waiting() {
  missed = false;
  upTo(-1);
  $("#result").setAttribute("aria-busy", "true");
  $("#result").dataset.verdict = "";
  $("#seal").replaceChildren(icon("search"));
  text($("#headline"), t("result.reading"));
  text($("#detail"), "");
  $("#progress").removeAttribute("value");
  show($("#progress"), true);
  show($("#again"), false);
}

function verdict(name, headline, detail) {
  $("#result").dataset.verdict = name;
  $("#seal").replaceChildren(icon({ CLEAN: "check", BREACH: "cross" }[name] ?? "warn"));
  text($("#headline"), headline);
  text($("#detail"), detail);
  show($("#progress"), false);
  document.title = `${headline} · ${office?.name ?? code} · Tunggu`;
}

/** What the server refused, what did not arrive, or a policy that is none. */
function failed(error) {
  const problem = error instanceof Unanswered ? error.problem : { reason: error instanceof Unusable ? "UNUSABLE" : "" };
  verdict("CANNOT_JUDGE", t("result.cannot"), problem.detail ?? word(`cannot.${problem.reason}`, word(`error.${problem.reason}`, t("error.other"))));
  show($("#again"), true);
  missed = ["OFFLINE", "UNREACHABLE"].includes(problem.reason) || problem.status >= 500;
  if (!problem.reason) throw error;
}

function draw(report, day) {
  verdict(report.verdict, headline(report, day), detail(report, day));
  text($("#issued"), count(day?.tickets.size ?? 0));
  text($("#calls"), count(report.calls));
  text($("#leaves"), count(report.leaves));
  show($("#counts"), true);
  show($("#again"), !day?.closed);
  broken = new Map();
  for (const found of report.breaches) broken.set(found.event, [...(broken.get(found.event) ?? []), found]);
  list($("#breach-list"), report.breaches, breachText);
  show($("#breaches"), report.breaches.length);
  show($("#breach-more"), report.breaches.length > MOST);
  text($("#breach-more"), t("breaches.more", { n: report.breaches.length - MOST }));
  list($("#question-list"), report.indicators, questionText);
  show($("#questions"), report.indicators.length);
  drawRule();
  show($("#mine"), true);
}

function headline({ verdict: name, calls, breaches }, day) {
  if (name === "CANNOT_JUDGE") return t("result.cannot");
  if (name === "BREACH") return t("result.breach", { n: breaches.length });
  if (!calls) return t("result.none");
  return day.closed ? t("result.clean", { n: calls }) : t("result.soFar", { n: calls });
}

function detail({ verdict: name, notes }, day) {
  if (notes.some((note) => note.code === "CANNOT_JUDGE")) return t("cannot.UNKNOWN", { line: notes[0].line });
  const place = day.closed ? t("result.whole") : t("result.until", { time: clock(day.t) });
  return name === "BREACH" ? `${t("result.see")} ${place}` : place;
}

function list(parent, findings, textOf) {
  parent.replaceChildren(...findings.slice(0, MOST).map((found) => {
    const at = times.get(found.event);
    return h("li", {}, at === undefined ? null : h("small", { class: "figures" }, t("finding.at", { time: clock(at) })), textOf(found));
  }));
}

function drawRule() {
  $("#rule-list").replaceChildren(...ruleTexts(policy, hour).map((one) => h("li", {}, one)));
  text($("#rule-hash"), t("rule.hash", { hash: policy.hash.slice(0, 16) }));
  show($("#rule"), true);
}

// The fingerprint

const groups = (hex) => hex.match(/.{4}/g);
const bare = (typed) => typed.toLowerCase().replace(/[^0-9a-f]/g, "");

async function drawPrint({ leaves }) {
  $("#hash").replaceChildren(...groups(await fingerprint(octets)).flatMap((one) => [h("span", {}, one), " "]));
  text($("#print-how"), t("print.how", { n: leaves }));
  const save = $("#save");
  if (save.href) URL.revokeObjectURL(save.href);
  save.href = URL.createObjectURL(new Blob([octets], { type: "application/x-ndjson" }));
  save.download = `${code}-${date}.ndjson`;
  show($("#print"), true);
}

function compare(event) {
  event.preventDefault();
  const typed = bare($("#other").value);
  if (!typed) return;
  const same = bare($("#hash").textContent) === typed;
  const whole = typed.length === 64;
  $("#same").className = same ? "note" : "note bad";
  $("#same").replaceChildren(icon(same ? "check" : "warn"), h("span", {}, t(same ? "print.same" : whole ? "print.differs" : "print.short")));
  show($("#same"), true);
}

// One number

/** `a17` → `A017` */
function numberOf(typed) {
  const [, letter, digits] = typed.trim().toUpperCase().match(/^([A-Z])[\s-]*0*(\d{1,9})$/) ?? [];
  return letter ? letter + digits.padStart(3, "0") : "";
}

const linked = () => numberOf(location.hash.slice(1));

/** The number in the address, else the last that this phone had on this day. */
function own() {
  const held = Object.values(mine()).filter(({ ticket }) => ticket.kecamatan === code && ticket.serviceDay === date);
  return linked() || held.sort((one, other) => other.at - one.at)[0]?.ticket.number || "";
}

async function tell(typed) {
  if (!typed) return;
  const number = numberOf(typed);
  const story = new Story(number);
  if (number) story.end((await replayed((day, event) => story.see(day, event))).day);
  if (number) $("#number").value = number;
  text($("#said"), !number ? t("mine.unread") : story.lines ? t("mine.of", { k: number }) : t("mine.unknown", { k: number }));
  $("#story").replaceChildren(...(story.lines ?? []).map(drawLine));
}

const serviceName = (s) => office?.services.find((one) => one.code === s)?.name ?? s;

function drawLine(line) {
  const { said, why, passed } = storyText(line, { rule: policy.rule, serviceName, clock });
  const wrong = broken.get(line.n) ?? [];
  return h("li", { class: wrong.length > 0 && "wrong" },
    h("time", { class: "figures" }, clock(line.t)), h("span", { class: "dot" }),
    h("div", {}, h("p", {}, said), wrong.map((one) => h("p", { class: "why bad" }, breachText(one))),
      why && h("p", { class: "why" }, why),
      passed.length > 0 && h("p", { class: "why" }, t("passed.title", { n: passed.length })),
      passed.length > 0 && h("ul", {}, passed.slice(0, MOST).map((one) => h("li", {}, one)))));
}

async function place() {
  text($("#office"), code);
  text($("#date"), Number.isNaN(Date.parse(date)) ? date : dateOf(date));
  const { ok, value } = await get(`/v1/kecamatan/${encodeURIComponent(code)}`);
  if (!ok) return;
  office = value;
  useZone(office.timezone);
  text($("#office"), t("lead.office", { name: office.name }));
}

const frame = await start("verify");
document.title = t("page.title");
$("#ask").addEventListener("submit", (event) => { event.preventDefault(); tell($("#number").value || "?"); });
$("#compare").addEventListener("submit", compare);
$("#again").addEventListener("click", check);
addEventListener("hashchange", () => policy && tell(linked()));
await place();
check();
since(code, date, frame.freshness("board"), () => {
  if (!office) place();
  if (missed) check();
});
