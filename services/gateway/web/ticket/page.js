// One ticket: the gateway has made the page, this keeps it true. What was last seen is kept, with
// its time, for when there is no connection.

import { act, get, unanswered } from "../core/api.js";
import { $, all, show, text } from "../core/dom.js";
import { start } from "../core/frame.js";
import { count, language, t, word } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { remember, seen, unknown } from "../core/mine.js";
import { spelled } from "../core/number.js";
import { follow } from "../core/stream.js";
import { clock, day, useZone, wait } from "../core/time.js";
import { notifying } from "./notify.js";
import { rating } from "./rate.js";

const id = decodeURIComponent(location.pathname.split("/")[2]);
const path = `/v1/tickets/${id}`;
const OVER = ["COMPLETED", "CANCELLED", "LAPSED"];
const OFFERED = { WAITING: ["checkIn", "cancel"], ON_HOLD: ["return", "cancel"], NO_SHOW: ["return", "cancel"] };
const SOON = 600; // seconds of the wait that is as likely as not

let ticket = null;
let told = "";
let placed = false; // whether the office has been asked for

function headline() {
  if (ticket.state === "WAITING" && ticket.forecast && ticket.ahead === 0) return t("ticket.next");
  if (ticket.state === "WAITING" && ticket.forecast?.p50Seconds <= SOON) return t("ticket.soon");
  return t(`ticket.headline.${ticket.state}`, { counter: ticket.counter });
}

function detail() {
  if (ticket.returnBy) return t("ticket.returnUntil", { time: clock(ticket.returnBy) });
  if (["NO_SHOW", "CANCELLED", "LAPSED"].includes(ticket.state)) return t("ticket.returnOver");
  return ticket.present && ticket.state === "WAITING" ? t("ticket.present") : "";
}

function draw() {
  $("#card").dataset.state = ticket.state;
  text($("#number"), ticket.number);
  $("#number").setAttribute("aria-label", t("ticket.spoken", { number: spelled(ticket.number, language) }));
  document.title = `${ticket.number} · ${t(`state.${ticket.state}`)} · Tunggu`;
  text($("#headline"), headline());
  text($("#day"), day(ticket.serviceDay));
  text($("#detail"), detail());
  show($("#detail"), detail());
  show($("#facts"), ticket.state === "WAITING");
  text($("#ahead"), count(ticket.ahead));
  text($("[data-t='ticket.people']"), t("ticket.people", { n: ticket.ahead }));
  text($("#wait"), ticket.forecast ? wait(ticket.forecast) : t("ticket.noForecast"));
  show($("#keep"), true);
  $("#verify").href = `/verify/${ticket.kecamatan}/${ticket.serviceDay}#${ticket.number}`;
  show($("#verify"), true);
  buttons();
  tell();
}

function offers(verb) {
  if (!OFFERED[ticket.state]?.includes(verb) || (verb === "checkIn" && ticket.present)) return false;
  return verb !== "return" || Boolean(ticket.returnBy);
}

function buttons() {
  for (const button of all("#acts button")) show(button, offers(button.value));
  show($("#giveup"), offers("cancel"));
  rating(ticket, id);
  notifying(id, !OVER.includes(ticket.state));
}

/** A called number is said once, loudly; a shorter line is said quietly. */
function tell() {
  const said = `${headline()}. ${ticket.state === "WAITING" ? `${count(ticket.ahead)} ${t("ticket.people", { n: ticket.ahead })}` : ""}`;
  if (told && told !== said) announce(said, ticket.state === "CALLED");
  if (told && told !== said && ticket.state === "CALLED") navigator.vibrate?.([300, 120, 300]);
  told = said;
}

/** Streams leave the id out and answers have it; an older state never replaces a newer one. */
function know(value) {
  if (ticket && value.event < ticket.event) return;
  ticket = { ...value, id };
  remember(ticket);
  draw();
}

/** What an answer says. Its place in the line may be older than the stream's of the same event. */
function answered(value) {
  if (!ticket || value.event > ticket.event) know(value);
}

function problem(value) {
  text($("#problem"), value ? value.detail ?? word(`error.${value.reason}`, t("error.other")) : "");
}

async function press(verb, button) {
  problem(null);
  button.setAttribute("aria-busy", "true");
  const onWait = () => text($("#problem"), t("ticket.sending"));
  const answer = await act(`${verb} ${id}`, `${path}:${verb}`, {}, { onWait });
  button.removeAttribute("aria-busy");
  problem(answer.problem);
  if (answer.ok) answered(answer.value.ticket);
  else if (!answer.status || answer.status >= 500) text($("#problem"), t("ticket.unsent"));
  else refresh();
}

async function refresh() {
  const { ok, value } = await get(path);
  if (ok) answered(value);
}

/** Once a visit, for the names and the time zone, which also an offline phone shows later. */
async function office() {
  const { ok, value } = await get(`/v1/kecamatan/${ticket.kecamatan}`);
  if (!ok) { placed = false; return; }
  remember(ticket, value);
  drawOffice(value);
}

function drawOffice({ name, address, timezone, services }) {
  useZone(timezone);
  text($("#office"), `Kecamatan ${name}`);
  text($("#service"), services.find((one) => one.code === ticket.service)?.name ?? ticket.service);
  text($("#address"), address);
  draw();
}

function gone() {
  unknown(id);
  text($("#headline"), t("ticket.unknown"));
  for (const part of all("#facts, #acts, #keep, #giveup, #notify, #rate")) show(part, false);
}

function resume() {
  for (const verb of ["checkIn", "return", "cancel"]) {
    if (unanswered(`${verb} ${id}`)) press(verb, $(`button[value="${verb}"]`));
  }
}

const frame = await start("ticket", { worker: "/sw.js" });
document.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.submitter && !event.submitter.hasAttribute("aria-busy")) press(event.submitter.value, event.submitter);
});
$("#print").addEventListener("click", () => print());
show($("#print"), true);

const fresh = frame.freshness("ticket");
const last = seen(id);
if (last) { ticket = last.ticket; draw(); }
if (last?.office) drawOffice(last.office);
follow({
  url: `/v1/streams/tickets/${id}`, poll: path, event: "ticket",
  data(value) { know(value); if (!placed) { placed = true; office(); } },
  state(now) { if (now.gone) gone(); fresh(now.since || !last ? now : { ...now, since: last.at }); },
});
resume();
