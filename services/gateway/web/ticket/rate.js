// Three buttons after service. An answer may be changed for five minutes; the server says if not.

import { act } from "../core/api.js";
import { $, h, icon, show, text } from "../core/dom.js";
import { t, word } from "../core/i18n.js";
import { keep, kept } from "../core/store.js";

const ANSWERS = ["VERY_SATISFIED", "SATISFIED", "NOT_SATISFIED"];
const REASONS = ["WAITING", "OFFICER", "REQUIREMENTS", "COST", "PLACE"];
let drawn = false;

export function rating(ticket, id) {
  show($("#rate"), ticket.state === "COMPLETED");
  if (ticket.state !== "COMPLETED" || drawn) return;
  drawn = true;
  $("#faces").replaceChildren(...ANSWERS.map((answer, i) => face(answer, `smile-${2 - i}`, id)));
  $("#chips").replaceChildren(...REASONS.map(chip));
  $("#send-reasons").addEventListener("click", () => send(id, "NOT_SATISFIED"));
  const before = kept(`rated ${id}`);
  if (before) mark(before);
}

function face(answer, picture, id) {
  const press = () => send(id, answer);
  return h("button", { class: "face", type: "button", value: answer, "aria-pressed": "false", onclick: press }, icon(picture), h("span", {}, t(`rate.${answer}`)));
}

function chip(reason) {
  const turn = ({ currentTarget: one }) => one.setAttribute("aria-pressed", one.getAttribute("aria-pressed") !== "true");
  return h("button", { class: "choice", type: "button", value: reason, "aria-pressed": "false", onclick: turn }, t(`rate.${reason}`));
}

function mark(answer) {
  for (const one of $("#faces").children) one.setAttribute("aria-pressed", one.value === answer);
  show($("#reasons"), answer === "NOT_SATISFIED");
}

async function send(id, answer) {
  mark(answer);
  const reasons = [...$("#chips").children].filter((one) => one.getAttribute("aria-pressed") === "true").map((one) => one.value);
  const body = answer === "NOT_SATISFIED" ? { answer, reasons } : { answer };
  const done = await act(`rate ${id}`, `/v1/tickets/${id}/responses`, body, { onWait: () => say(t("ticket.sending")) });
  if (done.ok) keep(`rated ${id}`, answer);
  const unsent = !done.status || done.status >= 500;
  say(done.ok ? t("rate.thanks") : unsent ? t("ticket.unsent") : done.problem.detail ?? word(`error.${done.problem.reason}`, t("error.other")));
}

function say(words) {
  show($("#thanks"), true);
  text($("#thanks"), words);
}
