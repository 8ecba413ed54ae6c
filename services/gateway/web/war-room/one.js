// The office beside the list: its services, counters and last calls, as its board says.

import { forNext, length } from "../core/board.js";
import { $, h, keyed, show, text } from "../core/dom.js";
import { t, word } from "../core/i18n.js";
import { clock, wait } from "../core/time.js";

export function begin(code, summary) {
  text($("#one-name"), code);
  text($("#one-at"), "");
  for (const part of ["services", "counters", "calls"]) $(`#one-${part}`).replaceChildren();
  $("#one-dashboard").href = `/dashboard/${encodeURIComponent(code)}`;
  drawSummary(summary);
}

export function drawSummary(office) {
  if (!office) return;
  text($("#one-name"), `Kecamatan ${office.name}`);
  const chip = $("#one-state");
  text(chip, office.notice ? t("why.notice", { reason: word(`notice.${office.notice}`, office.notice) }) : t(office.open ? "one.open" : "one.closed"));
  chip.className = `chip ${office.notice ? "bad" : office.open ? "good" : ""}`;
}

export function drawBoard(board) {
  text($("#one-at"), board.event < 0 ? "" : t("one.at", { time: clock(board.at) }));
  keyed($("#one-services"), board.services, ({ code }) => code, line, (element, one) => fill(element, `${one.code} · ${one.name}`, queue(one, board.open)));
  keyed($("#one-counters"), board.counters, ({ id }) => id, line, (element, one) => fill(element, t("one.counter", { id: one.id, services: one.services.join(" ") }), counter(one)));
  const calls = board.calls.slice(0, 5);
  keyed($("#one-calls"), calls, ({ event }) => event, line, (element, one) => fill(element, one.number, t("one.call", { counter: one.counter, time: clock(one.at) })));
  show($("#one-none"), !calls.length);
}

const line = () => h("li", {}, h("span"), " ", h("span", { class: "figures" }));

function fill(element, name, value) {
  const [first, second] = element.children;
  text(first, name);
  text(second, value);
}

function queue(service, open) {
  const n = length(service.waiting);
  return [t("one.waiting", { n }), open && wait(forNext(service))].filter(Boolean).join(" · ");
}

function counter({ state, ticket }) {
  if (ticket) return `${ticket.number} · ${t(`state.${ticket.state}`)}`;
  return t(state === "OPEN" ? "one.free" : "one.shut");
}
