// The list of offices, and the numbers that this phone holds.

import { $, h, icon, keyed, show, text } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { running } from "../core/mine.js";
import { keep, kept } from "../core/store.js";
import { wait } from "../core/time.js";

let offices = [];

export function drawCity({ kecamatan }) {
  keep("city", { kecamatan });
  offices = kecamatan;
  draw();
}

const plain = (name) => name.toLowerCase().replace(/[^a-z0-9]/g, "");

function draw() {
  const wish = $("#search").value.trim();
  const last = kept("lastOffice");
  const found = offices.filter(({ name }) => plain(name).includes(plain(wish)));
  found.sort((a, b) => (b.code === last) - (a.code === last) || a.name.localeCompare(b.name, "id"));
  keyed($("#offices"), found, (one) => one.code, line, (element, one) => fill(element, one, one.code === last));
  text($("#none"), found.length || !wish ? "" : t("city.none", { name: wish }));
  show($("#none"), wish && !found.length);
}

function line(office) {
  const link = h("a", { class: "line", href: `#${office.code}` }, h("strong"), h("span", { class: "chip" }), h("span", { class: "small soft figures" }));
  return h("li", {}, link);
}

function fill(element, office, isLast) {
  const [name, chip, more] = element.firstElementChild.children;
  text(name, office.name);
  text(chip, t(office.notice ? "stopped" : office.open ? "open" : "closed"));
  chip.className = `chip ${office.notice ? "bad" : office.open ? "good" : ""}`;
  const parts = [isLast && t("city.last"), office.open && (office.waiting ? t("city.waiting", { n: office.waiting }) : t("city.free")), office.open && office.waiting > 0 && wait(office.forecast)];
  text(more, parts.filter(Boolean).join(" · "));
}

/** Numbers that may still be called, as last seen. */
export function drawMine() {
  const held = running();
  show($("#mine"), held.length);
  keyed($("#tickets"), held, ({ ticket }) => ticket.id, card, fillCard);
}

function card({ ticket }) {
  return h("li", {}, h("a", { class: "line", href: `/t/${ticket.id}` }, h("span", { class: "number" }), h("strong"), h("span", { class: "small soft" }), icon("go")));
}

function fillCard(element, { ticket, office }) {
  const link = element.firstElementChild;
  const [number, state, more] = link.children;
  link.dataset.state = ticket.state;
  text(number, ticket.number);
  text(state, ticket.state === "CALLED" ? t("mine.called", { counter: ticket.counter }) : ticket.state === "WAITING" ? t("mine.ahead", { n: ticket.ahead }) : t(`state.${ticket.state}`));
  text(more, office?.name ? `Kecamatan ${office.name}` : "");
}

$("#search").addEventListener("input", draw);
