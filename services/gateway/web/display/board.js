// What the board says, as the hall sees it.

import { length } from "../core/board.js";
import { $, h, icon, keyed, show, text } from "../core/dom.js";
import { count, t, word } from "../core/i18n.js";
import { clock } from "../core/time.js";

const OTHERS = 4; // counters beside the big one
const LAST = 5;
const MANY = 6; // services, beyond which their names do not fit the wall

/** Who is at a counter, [{ number, counter, state, event }]: who has yet to come first, then the last called. */
export function serving(board) {
  const called = (number, counter) => board.calls.find((one) => one.number === number && one.counter === counter)?.event ?? -1;
  return board.counters.filter((one) => one.ticket)
    .map(({ id, ticket }) => ({ number: ticket.number, state: ticket.state, counter: id, event: called(ticket.number, id) }))
    .sort((a, b) => (b.state === "CALLED") - (a.state === "CALLED") || b.event - a.event);
}

/** The last calls of those who are not shown as served, each number once. */
export function past(board, shown) {
  const seen = new Set(shown.map((one) => one.number));
  return board.calls.filter((one) => !seen.has(one.number) && seen.add(one.number)).slice(0, LAST);
}

export function draw(board) {
  const now = serving(board);
  const shown = now.slice(0, 1 + OTHERS);
  drawBig(now[0], board.open);
  keyed($("#others"), shown.slice(1), (one) => one.counter, () => place("li"), fill);
  drawWaiting(board);
  const before = board.open || now.length ? past(board, shown) : []; // yesterday's calls are nobody's
  show($("#last-calls"), before.length);
  keyed($("#last"), before, (one) => one.event, ended);
  show($("#notice"), board.notice);
  if (board.notice) text($("#notice span"), t("notice.text", { reason: word(`notice.${board.notice}`, board.notice) }));
}

function drawBig(first, open) {
  const big = $("#big");
  if (!first) {
    big.className = "big empty";
    if (!$(".none", big)) big.replaceChildren(h("p", { class: "none" }));
    text($(".none", big), t(open ? "now.none" : "now.closed"));
    return;
  }
  if (!$(".number", big)) big.replaceChildren(...place("div").children);
  big.classList.remove("empty");
  fill(big, first);
}

const place = (tag) => h(tag, { class: "at" }, h("p", { class: "what" }), h("p", { class: "number" }), h("p", { class: "where" }, h("span", {}, t("now.counter")), " ", h("strong", { class: "number" })));

function fill(element, one) {
  element.dataset.state = one.state;
  element.dataset.long = one.number.length > 4;
  text($(".what", element), t(one.state === "CALLED" ? "now.CALLED" : "now.SERVING"));
  text($(".number", element), one.number);
  text($(".where strong", element), one.counter);
}

function drawWaiting(board) {
  text($("#waiting-all"), count(board.services.reduce((sum, one) => sum + length(one.waiting), 0)));
  $(".waiting").dataset.many = board.services.length > MANY;
  keyed($("#waiting"), board.services, (one) => one.code,
    (one) => h("li", {}, h("span", { class: "letter" }, one.code), h("span", { class: "name" }), h("strong", { class: "figures" })),
    (element, one) => { text($(".name", element), one.name); text($("strong", element), count(length(one.waiting))); });
}

const ended = (one) => h("li", {}, h("strong", { class: "number" }, one.number), h("span", {}, icon("go"), t("last.counter", { counter: one.counter })), h("span", { class: "soft figures" }, clock(one.at)));

/** A new call: the colour fills for six seconds, again at every call. */
export function flash() {
  const big = $("#big");
  big.classList.remove("new");
  void big.offsetWidth; // a class that comes back starts its animation only after a layout
  big.classList.add("new");
}
