// People with paper: a number typed in, and those who may still come back.

import { $, all, h, keyed, show, text } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { clock } from "../core/time.js";
import { returnBy } from "../rule/limits.js";
import { isBusy, onPaper } from "./acts.js";

const SHOWN = 6; // of those who may return
const AT_COUNTER = ["CALLED", "SERVING"];
const BODIES = { setLane: { lane: "PRIORITY" } };

let day = null;
let names = {};

export function drawPaper(now, services) {
  day = now;
  names = services;
  typed();
  const back = away();
  show($("#away"), back.length);
  keyed($("#away-list"), back.slice(0, SHOWN), ({ number }) => number, row, fill);
}

const mayComeBack = (one) => (returnBy(day, one) ?? -1) >= day.t;

/** Those passed over or put aside whose time has not run out by the day's own clock. */
function away() {
  if (!day || day.closed) return [];
  return [...day.tickets.values()].filter(mayComeBack).sort((a, b) => returnBy(day, a) - returnBy(day, b));
}

const row = ({ number }) => h("li", {}, h("strong", { class: "figures" }, number), h("span"), h("button", { class: "button plain", type: "button", value: "return", "aria-label": t("away.returnOf", { number }), onclick: () => onPaper("return", number) }, t("away.return")));

function fill(li, one) {
  text(li.children[1], t("away.until", { state: t(`state.${one.state}`), time: clock(returnBy(day, one)) }));
}

/** `a 12` is A012. */
const wanted = () => {
  const [, letter, digits] = $("#paper-number").value.toUpperCase().replace(/[\s.-]/g, "").match(/^([A-Z])0*(\d{1,6})$/) ?? [];
  return letter ? letter + digits.padStart(3, "0") : "";
};

function offers(one, verb) {
  if (verb === "return") return mayComeBack(one);
  if (verb === "checkIn") return ["WAITING", "ON_HOLD"].includes(one.state) && !one.present;
  if (verb === "setLane") return one.state === "WAITING" && one.lane === "R";
  return ["WAITING", "ON_HOLD", "NO_SHOW"].includes(one.state);
}

function typed() {
  const number = wanted();
  const one = day?.tickets.get(number) ?? null;
  text($("#paper-said"), number ? about(one, number) : "");
  for (const button of all("#paper-acts button")) show(button, one && !day.closed && offers(one, button.value));
}

function about(one, number) {
  if (!one) return t("paper.unknown", { number });
  const parts = [one.number, names[one.service] ?? one.service, t(`state.${one.state}`), one.lane === "P" && t("lane.P"), one.present && t("stage.present"), AT_COUNTER.includes(one.state) && t("paper.at", { counter: one.counter })];
  if (["NO_SHOW", "ON_HOLD"].includes(one.state)) parts.push(mayComeBack(one) ? t("paper.until", { time: clock(returnBy(day, one)) }) : t("paper.over"));
  return parts.filter(Boolean).join(" · ");
}

async function press({ currentTarget: { value: verb } }) {
  const number = wanted();
  if (isBusy() || !number || (verb === "cancel" && !(await sure(number)))) return;
  if (await onPaper(verb, number, BODIES[verb])) $("#paper-number").focus();
}

function sure(number) {
  const dialog = $("#sure");
  text($("#sure-title"), t("sure.title", { number }));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true }));
}

export function listen() {
  $("#paper-number").addEventListener("input", typed);
  for (const button of all("#paper-acts button")) button.addEventListener("click", press);
  $("#paper").addEventListener("submit", (event) => {
    event.preventDefault();
    $("#paper-acts button:not([hidden])")?.focus(); // Enter leads to what can be done, and does nothing yet
  });
}
