// The officer's console: the board says when, the journal says what, the rule says who is next.

import { get } from "../core/api.js";
import { claims, remaining } from "../core/auth.js";
import { $, all, h, text } from "../core/dom.js";
import { start } from "../core/frame.js";
import { t } from "../core/i18n.js";
import { ask, signedIn } from "../core/signin.js";
import { keep, kept } from "../core/store.js";
import { follow, untilAnswered } from "../core/stream.js";
import { clock, useZone } from "../core/time.js";
import { mayHold, mayTransfer } from "../rule/limits.js";
import { atCounter, begin, isBusy, resume, say } from "./acts.js";
import { draw, tick, ticketAt } from "./desk.js";
import { heard, journal, know, refresh } from "./journal.js";
import { drawPaper, listen } from "./paper.js";

const [code, counter] = location.pathname.split("/").slice(2).map(decodeURIComponent);
const SOON = 10 * 60_000; // ms before the token's end that the page speaks of it

const frame = await start("counter");
let office = null;
let board = null;
let day = null;

const names = () => Object.fromEntries((board?.services ?? []).map((one) => [one.code, one.name]));
const leaves = journal(code, (now) => { day = now; redraw(); });

function redraw() {
  if (!board) return;
  draw(day, counter, names(), board);
  drawPaper(day, names());
}

const drawOffice = untilAnswered(async () => {
  const { ok, value, status } = await get(`/v1/kecamatan/${encodeURIComponent(code)}`);
  if (status === 404) text($("#headline"), t("head.unknown"));
  if (!ok) return false;
  office = value;
  useZone(office.timezone);
  text($("#name"), office.counters.find(({ id }) => id === counter)?.name ?? t("page.counter", { counter }));
  text($("#office"), `Kecamatan ${office.name}`);
  document.title = `${$("#name").textContent} · Tunggu`;
  redraw();
  return true;
});

// --- what is pressed ------------------------------------------------------------------------------

/** What an action stamps tells the office's time. */
function stamped({ ticket }) {
  const at = ticket && (ticket.closedAt ?? ticket.startedAt ?? ticket.calledAt);
  if (at && ["CALLED", "SERVING", "COMPLETED"].includes(ticket.state)) heard(Date.parse(at));
}

function press(verb) {
  const ticket = ticketAt(day, counter);
  const body = ticket ? { ticket: ticket.number } : {};
  if (isBusy()) return undefined;
  if (verb === "hold" && !mayHold(day, ticket)) return say(t("limits.hold", { n: ticket.holds }));
  if (verb === "transfer") return mayTransfer(day, ticket) ? transfer(ticket) : say(t("limits.transfer", { n: ticket.transfers }));
  return atCounter(verb, body);
}

/** Asks where to; the ticket is the one that was at the counter when it was asked. */
function transfer(ticket) {
  const dialog = $("#transfer");
  const others = board.services.filter((one) => one.code !== ticket.service);
  const row = (one) => h("button", { class: "button plain wide", value: one.code }, `${one.code} · ${one.name}`);
  $("#transfer-services").replaceChildren(...others.map(row));
  dialog.returnValue = "";
  dialog.showModal();
  dialog.addEventListener("close", () => { if (dialog.returnValue) atCounter("transfer", { ticket: ticket.number, service: dialog.returnValue }); }, { once: true });
}

function dress(button) {
  const { key } = button.dataset;
  button.append(" ", h("kbd", { "aria-hidden": "true" }, key.toUpperCase()), h("small"));
  button.addEventListener("click", () => press(button.value));
}

/** Letters alone, never repeated by a held key, never while something is typed. */
function shortcut(event) {
  const writing = event.target.closest?.("input:not([type=checkbox]), textarea, select") || $("dialog[open]");
  if (!$("#keys").checked || writing || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key.toLowerCase();
  const button = all(`#acts button[data-key="${CSS.escape(key)}"]`).find((one) => !one.hidden);
  if (key !== "n" && !button) return;
  event.preventDefault();
  if (button) button.click();
  else $("#paper-number").focus();
}

function shortcuts() {
  const box = $("#keys");
  box.checked = kept("keys", true);
  const told = () => {
    document.documentElement.dataset.keys = box.checked ? "on" : "off";
    for (const one of all("[data-key]")) one.toggleAttribute("aria-keyshortcuts", false);
    if (box.checked) for (const one of all("[data-key]")) one.setAttribute("aria-keyshortcuts", one.dataset.key.toUpperCase());
  };
  box.addEventListener("change", () => { keep("keys", box.checked); told(); });
  addEventListener("keydown", shortcut);
  told();
}

/** Says in time that the token ends, so that nobody signs in before a waiting citizen. */
function expiry() {
  const left = remaining();
  if (claims() && left < SOON && $("#problem").hidden) say(t("act.ending", { time: clock(Date.now() + left) }), { label: t("signin.go"), run: async () => { await ask(); say(""); } });
}

for (const button of all("#acts button")) dress(button);
listen();
shortcuts();
await signedIn();
begin({ code, counter, heard: stamped, changed: () => refresh(leaves) });
drawOffice();
const fresh = frame.freshness("board");
follow({
  url: `/v1/streams/kecamatan/${encodeURIComponent(code)}/board`, poll: `/v1/kecamatan/${encodeURIComponent(code)}/board`, event: "board", always: true,
  async data(value) { board = value; drawOffice(); await know(leaves, value); redraw(); },
  state(now) { fresh(now); if (now.live) resume(); if (now.gone) text($("#headline"), t("head.unknown")); },
});
setInterval(tick, 1000);
setInterval(expiry, 30_000);
