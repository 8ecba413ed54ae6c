// Taking one number: sent until it is answered, and never twice for the same wish.

import { act, get, unanswered } from "../core/api.js";
import { $, show, text } from "../core/dom.js";
import { t, word } from "../core/i18n.js";
import { holder, remember } from "../core/mine.js";

let wish = null; // { office, service }

export function drawTake(office, service, possible) {
  if (wish?.service !== service.code || wish?.office !== office.code) say("");
  wish = { office: office.code, service: service.code };
  const button = $("#go");
  if (button.hasAttribute("aria-busy")) return;
  button.disabled = !possible;
  text(button, possible ? t("take.go") : t("take.closed"));
}

function say(words) {
  text($("#problem"), words);
  show($("#problem"), words);
}

async function take(path, body) {
  const button = $("#go");
  button.setAttribute("aria-busy", "true");
  text(button, t("take.sending"));
  say("");
  const options = { headers: { "Tunggu-Holder": holder() }, onWait: () => say(t("take.waiting")) };
  await done(await act("take", path, body, options));
  button.removeAttribute("aria-busy");
  text(button, t("take.go"));
}

async function done({ ok, status, value, problem }) {
  if (ok) return open(value.ticket);
  if (problem.ticketId) return found(problem.ticketId); // this phone has one already
  return say(!status || status >= 500 ? t("take.unsent") : problem.detail ?? word(`error.${problem.reason}`, t("error.other")));
}

async function found(id) {
  const { ok, value } = await get(`/v1/tickets/${id}`);
  if (ok) open(value);
  else location.assign(`/t/${id}`);
}

function open(ticket) {
  remember(ticket);
  location.assign(`/t/${ticket.id}`);
}

/** A wish that was sent before the page went away, and never answered. */
export function resume() {
  const entry = unanswered("take");
  if (entry) take(entry.path, JSON.parse(entry.body));
}

$("#take").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!wish || $("#go").hasAttribute("aria-busy")) return;
  const lane = $("#priority").checked ? "PRIORITY" : "REGULAR";
  take(`/v1/kecamatan/${encodeURIComponent(wish.office)}/tickets`, { service: wish.service, lane });
});
