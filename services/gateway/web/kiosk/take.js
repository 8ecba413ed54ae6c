// One number: asked for until it is answered, shown, printed.

import { act, forget, unanswered } from "../core/api.js";
import { drop, token } from "../core/auth.js";
import { $, all, show, text } from "../core/dom.js";
import { language, t, word } from "../core/i18n.js";
import { announce, focus } from "../core/live.js";
import { spelled } from "../core/number.js";
import { ask } from "../core/signin.js";
import { clock, day, wait } from "../core/time.js";
import { forget as forgetPaper, paper } from "./paper.js";

const RECENT = 120_000; // ms for which somebody may still stand there
const SHARP = 4_000; // ms that paper waits for the code

let busy = false;

/** Resolves with the ticket, or null; what went wrong is said. */
export async function take(path, body) {
  if (busy) return null;
  busy = true;
  interrupted(); // what somebody wished long ago is not the next one's number
  mark(body.lane);
  say("");
  const answer = await sent(path, body);
  busy = false;
  mark("");
  if (answer.ok) return answer.value.ticket;
  say(!answer.status || answer.status >= 500 ? t("take.unsent") : answer.problem.detail ?? word(`error.${answer.problem.reason}`, t("error.other")));
  return null;
}

async function sent(path, body) {
  const key = token() || (await ask());
  const answer = await act("kiosk", path, body, { token: key, onWait: () => say(t("take.waiting")) });
  if (answer.status !== 401) return answer;
  drop();
  return sent(path, body); // nothing was taken: the staff sign in, the citizen goes on
}

export function say(words) {
  text($("#problem"), words);
  show($("#problem"), words);
}

function mark(lane) {
  for (const one of all(".ask button")) {
    if (lane) one.setAttribute("aria-disabled", "true");
    else one.removeAttribute("aria-disabled");
    if (lane === one.value) one.setAttribute("aria-busy", "true");
    else one.removeAttribute("aria-busy");
  }
}

/** What a reload interrupted, if whoever wished it may still be there: { path, body } or null. */
export function interrupted() {
  const entry = unanswered("kiosk");
  if (!entry) return null;
  if (Date.now() - entry.at < RECENT) return { path: entry.path, body: JSON.parse(entry.body) };
  forget("kiosk");
  return null;
}

/** Shows the ticket and prints it once the code is there. */
export async function hand(ticket, office) {
  text($("#slip-office"), `Kecamatan ${office.name}`);
  text($("#slip-date"), `${day(ticket.serviceDay)}, ${clock(ticket.issuedAt)}`);
  text($("#number"), ticket.number);
  $("#number").setAttribute("aria-label", spelled(ticket.number, language));
  text($("#slip-service"), office.services.find(({ code }) => code === ticket.service)?.name ?? ticket.service);
  text($("#slip-ahead"), ticket.ahead ? t("taken.ahead", { n: ticket.ahead }) : t("taken.next"));
  text($("#slip-wait"), ticket.forecast ? t("taken.wait", { wait: wait(ticket.forecast) }) : "");
  announce(`${t("taken.title")} ${spelled(ticket.number, language)}. ${$("#slip-ahead").textContent}. ${$("#slip-wait").textContent}`, true);
  focus($("#taken h1"));
  const code = $("#qr");
  code.alt = t("taken.code");
  code.src = `/t/${ticket.id}/qr.svg`;
  await paper(slip(ticket), Promise.race([code.decode().catch(() => {}), new Promise((late) => setTimeout(late, SHARP))]));
}

/** What stands on the screen, for the printing agent. */
function slip({ id, number }) {
  const said = (name) => $(`#slip-${name}`).textContent;
  return {
    ticket: id, number, address: `${location.origin}/t/${id}`, office: said("office"), when: said("date"), lead: t("taken.title"),
    service: said("service"), ahead: said("ahead"), wait: said("wait"), keep: t("taken.keep"), promise: t("app.promise"),
  };
}

/** Whether the ticket still stands on the screen. */
export const shown = ({ number }) => $("#number").textContent === number;

/** Nothing of it stays on the page for whoever comes next. */
export function clear() {
  forgetPaper();
  announce("", true);
  for (const part of all("#number, #slip-ahead, #slip-wait, #slip-service, #slip-date")) text(part, "");
  $("#number").removeAttribute("aria-label");
  $("#qr").removeAttribute("src");
  $("#qr").alt = "";
}
