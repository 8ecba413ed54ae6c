// The counter as it is: its ticket, what can be done with it, and what comes next and why.

import { length } from "../core/board.js";
import { $, all, h, keyed, show, text } from "../core/dom.js";
import { language, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { spelled } from "../core/number.js";
import { exact } from "../core/time.js";
import { mayHold, mayTransfer, recallAt, skipAt } from "../rule/limits.js";
import { moment } from "./journal.js";
import { later, reason, upcoming } from "./coming.js";

const OFFERED = {
  CLOSED: ["open"], OPEN: ["callNext", "close"], CALLED: ["start", "recall", "skip"], SERVING: ["complete", "hold", "transfer"],
};
const LONGEST = 12 * 3600_000; // ms: what would be older is another clock's
const AFTER = 5; // numbers shown after the next one

let seen = { day: null, id: "", names: {} };
let told = "";

/** CLOSED, OPEN, CALLED, SERVING; "" while it is not known. */
export function stateOf(day, id) {
  const counter = day?.counters.get(id);
  if (counter?.state !== "OPEN" || day.closed) return "CLOSED";
  return counter.ticket ? day.tickets.get(counter.ticket).state : "OPEN";
}

export const ticketAt = (day, id) => day?.tickets.get(day.counters.get(id)?.ticket) ?? null;

/** Draws everything; `names` are the services' names by code. */
export function draw(day, id, names, board) {
  seen = { day, id, names };
  const focused = document.activeElement?.closest?.("#acts");
  const state = stateOf(day, id);
  stage(state);
  for (const button of all("#acts button")) show(button, offered(state).includes(button.value));
  if (focused && !document.activeElement.checkVisibility?.()) $("#acts button:not([hidden])")?.focus();
  if (day && !day.closed && day.counters.has(id)) coming();
  else nothing();
  lines(board);
  tick();
}

const offered = (state) => (seen.day && !seen.day.counters.has(seen.id) ? [] : OFFERED[state]);
const service = (code) => seen.names[code] ?? code;

function stage(state) {
  const ticket = ticketAt(seen.day, seen.id);
  $("#stage").dataset.state = state;
  text($("#number"), ticket?.number);
  if (ticket) $("#number").setAttribute("aria-label", spelled(ticket.number, language));
  text($("#service"), ticket ? [service(ticket.service), ticket.lane === "P" && t("lane.P"), ticket.present && t("stage.present")].filter(Boolean).join(" · ") : "");
  text($("#headline"), headline(state));
  text($("#limits"), ticket ? limits(ticket) : "");
  show($("#state"), true);
  text($("#state"), t(state === "CLOSED" ? "state.closed" : "state.open"));
  $("#state").className = `chip ${state === "CLOSED" ? "" : "good"}`;
  const said = `${headline(state)} ${ticket?.number ?? ""}`;
  if (told && told !== said) announce(`${headline(state)}. ${ticket ? spelled(ticket.number, language) : ""}`);
  told = said;
}

function headline(state) {
  if (seen.day && !seen.day.counters.has(seen.id)) return t("head.unknown");
  return t(seen.day?.closed ? "head.dayClosed" : `head.${state}`);
}

function limits(ticket) {
  if (ticket.state === "CALLED") return t("limits.called", { calls: seen.day.policy.rule.skipCalls, seconds: seen.day.policy.rule.skipAfter });
  const parts = [!mayHold(seen.day, ticket) && t("limits.hold", { n: ticket.holds }), !mayTransfer(seen.day, ticket) && t("limits.transfer", { n: ticket.transfers })];
  return parts.filter(Boolean).join(" ");
}

// --- what the rule will do ------------------------------------------------------------------------

function coming() {
  const one = reason(seen.day, seen.id);
  show($("#named"), one);
  text($("#why"), one ? why(one) : t("why.nobody"));
  if (one) {
    text($("#next-number"), one.number);
    $("#next-number").setAttribute("aria-label", spelled(one.number, language));
    text($("#next-service"), service(one.service));
    show($("#next-lane"), one.lane === "P");
  }
  keyed($("#later"), later(seen.day, seen.id).slice(0, 3), ({ number }) => number, () => h("li"), (li, item) => text(li, t("why.later", item)));
  const then = one ? upcoming(seen.day, seen.id, AFTER + 1).slice(1) : [];
  show($("#after"), then.length);
  keyed($("#upcoming"), then, ({ number }) => number, ({ number }) => h("li", {}, number), (li, { lane }) => { li.dataset.lane = lane; });
}

function why(one) {
  const key = one.why === "due" && !one.n ? "why.always" : `why.${one.why}`;
  return [t(key, { n: one.n, number: one.other }), one.returned && one.why !== "unripe" && t("why.returned")].filter(Boolean).join(" ");
}

function nothing() {
  for (const part of ["#named", "#after"]) show($(part), false);
  text($("#why"), t(seen.day?.closed ? "head.dayClosed" : "why.nobody"));
  $("#later").replaceChildren();
}

function lines(board) {
  const own = seen.day?.counters.get(seen.id)?.services ?? [];
  const shown = (board?.services ?? []).filter(({ code }) => own.includes(code));
  keyed($("#line"), shown, ({ code }) => code, row, fill);
  const total = (board?.services ?? []).reduce((sum, one) => sum + length(one.waiting), 0);
  text($("#total"), board ? t("line.total", { n: total }) : "");
}

const row = ({ code }) => h("li", {}, h("span", { class: "letter", "aria-hidden": "true" }, code), h("span"), h("span", { class: "figures" }, h("span"), h("span")));

function fill(li, one) {
  const [, name, count] = li.children;
  const priority = length(one.priority);
  text(name, one.name);
  text(count.firstElementChild, t("line.waiting", { n: length(one.waiting) }));
  text(count.lastElementChild, priority ? ` · ${t("line.priority", { n: priority })}` : "");
}

// --- what changes with the clock ------------------------------------------------------------------

/** Once a second: how long ago, and how long until a button is of use. */
export function tick() {
  const ticket = ticketAt(seen.day, seen.id);
  text($("#since"), ticket ? since(ticket) : "");
  if (ticket?.state !== "CALLED") return;
  hint("recall", countdown(recallAt(ticket)));
  const { n, at } = skipAt(seen.day, ticket);
  hint("skip", n ? t("hint.calls", { n }) : countdown(at));
}

function since(ticket) {
  const from = ticket.state === "CALLED" ? ticket.lastCall : ticket.since;
  const passed = moment() - from;
  const said = t(ticket.state === "CALLED" ? "since.called" : "since.serving", { time: exact(from), n: ticket.calls });
  return passed >= 0 && passed < LONGEST ? `${said} · ${age(passed)}` : said;
}

const age = (ms) => `${Math.floor(ms / 60000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;

function countdown(at) {
  const left = Math.ceil((at - moment()) / 1000);
  return left > 0 && left < 3600 ? t("hint.seconds", { n: left }) : "";
}

function hint(verb, words) {
  text($(`#acts button[value="${verb}"] small`), words);
}
