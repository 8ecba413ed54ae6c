// The list of offices. Figures change at once; places change only now and then, and never under
// a hand that moves or types, so that nobody opens another office than the one that they meant.

import { $, all, h, icon, keyed, show, text } from "../core/dom.js";
import { count, t, word } from "../core/i18n.js";
import { wait } from "../core/time.js";
import { matter, pressing, ranked } from "./rank.js";

const REST = 5000; // ms between two changes of places
const HAND = 30_000; // ms without a movement after which nobody is at the list
const MOVE = 450; // ms that a row takes to its new place
let offices = [];
let order = []; // codes, as they stand
let sortedAt = 0;
let waiting = 0;
let beside = "";

export function drawCity(found) {
  offices = found;
  sort();
  totals();
  draw();
}

/** The office that stands beside the list. */
export function chosen(code) {
  beside = code;
  for (const one of all("#offices > li")) mark(one);
}

function mark(element) {
  const link = element.firstElementChild;
  if (element.dataset.key === beside) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
}

// --- places ---------------------------------------------------------------------------------------

const list = $("#offices");
let touchedAt = 0;
for (const kind of ["pointermove", "pointerdown", "focusin", "keydown"]) list.addEventListener(kind, () => { touchedAt = Date.now(); });

/** Whether somebody is at it; a pointer that was left lying on a wall's list is nobody. */
const touched = () => Date.now() - touchedAt < HAND && (list.matches(":hover") || list.contains(document.activeElement));

function sort() {
  const wanted = ranked(offices).map(({ code }) => code);
  const same = wanted.length === order.length && wanted.every((code, i) => code === order[i]);
  const first = !order.length;
  if (same) { show($("#held"), false); return; }
  const known = new Set(order);
  const others = wanted.length !== order.length || wanted.some((code) => !known.has(code));
  const early = Date.now() - sortedAt < REST;
  if (!first && !others && (early || touched())) {
    show($("#held"), touched());
    later();
    return;
  }
  show($("#held"), false);
  order = wanted;
  sortedAt = Date.now();
}

/** Looks again once it has rested. */
function later() {
  waiting ||= setTimeout(() => { waiting = 0; sort(); draw(); }, Math.max(1000, REST - (Date.now() - sortedAt)));
}

function draw() {
  const places = new Map(all("#offices > li").map((one) => [one, one.getBoundingClientRect()]));
  const byCode = new Map(offices.map((one) => [one.code, one]));
  const held = list.contains(document.activeElement) ? document.activeElement : null;
  keyed(list, order.map((code) => byCode.get(code)).filter(Boolean), ({ code }) => code, line, fill);
  if (held && document.activeElement !== held) held.focus({ preventScroll: true }); // a moved row loses it
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) glide(places);
}

/** Rows that changed places are seen to move there. */
function glide(places) {
  for (const [one, before] of places) {
    const after = one.getBoundingClientRect();
    const [x, y] = [before.left - after.left, before.top - after.top];
    if (one.isConnected && (x || y)) one.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }], { duration: MOVE, easing: "ease-in-out" });
  }
}

// --- one row --------------------------------------------------------------------------------------

const figure = (name) => h("span", { class: "figure" }, h("strong", { class: "figures", "data-figure": name }), " ", h("span", { class: "small soft" }));

function line({ code }) {
  const link = h("a", { class: "office", href: `#${code}` },
    h("span", { class: "who" }, h("strong", { class: "name" }), " ", h("span", { class: "why" }, icon("warn"), h("span"))),
    " ", figure("waiting"), " ", figure("wait"), " ", figure("counters"), " ", figure("served"));
  return h("li", {}, link);
}

function fill(element, office) {
  const name = matter(office);
  element.dataset.matter = name;
  element.dataset.pressing = pressing(office);
  text($(".name", element), office.name);
  text($(".why > span", element), why(office, name));
  set(element, "waiting", count(office.waiting), t("row.waiting"));
  set(element, "wait", (office.open && wait(office.forecast)) || "–", t("row.wait"));
  set(element, "counters", office.countersOpen, t("row.counters"));
  set(element, "served", count(office.completedToday), t("row.served"));
  mark(element);
}

function set(element, name, value, label) {
  const strong = $(`[data-figure=${name}]`, element);
  text(strong, value);
  text(strong.nextElementSibling, label);
}

/** In words; a notice is always among them, whatever else is the matter. */
function why(office, name) {
  const notice = office.notice && t("why.notice", { reason: word(`notice.${office.notice}`, office.notice) });
  const own = name === "EMERGENCY" || name === "STOPPED" ? "" : t(`why.${name}`);
  return [own, notice].filter(Boolean).join(" · ");
}

// --- the city -------------------------------------------------------------------------------------

function totals() {
  const sum = (name) => offices.reduce((total, one) => total + one[name], 0);
  const needy = offices.filter((one) => pressing(one) === "act").length;
  text($("#all-waiting"), count(sum("waiting")));
  text($("#all-served"), count(sum("completedToday")));
  text($("#all-counters"), sum("countersOpen"));
  text($("#all-open"), t("city.of", { n: offices.filter((one) => one.open).length, all: offices.length }));
  text($("#said"), needy ? t("city.needy", { n: needy }) : t("city.calm"));
}
