// Stopping and resuming issuing: asked twice, sent once, and the reason is read by everybody.

import { act, unanswered } from "../core/api.js";
import { drop, token } from "../core/auth.js";
import { $, all, h, show, text } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { ask } from "../core/signin.js";
import { said } from "./own.js";

const REASONS = ["POWER", "DISASTER", "FULL", "OTHER"];
let place = "";
let allowed = false;
let notice = null; // as the board says; null before it has said anything
let busy = false;

const name = () => `issuing.${place}`;
const reason = (code) => t(`notice.${code}`);

/** Who may is offered the buttons; the others are told who may. */
export function offer(code, may) {
  place = code;
  allowed = may;
  const last = may && unanswered(name());
  if (last) send(last.path, JSON.parse(last.body)); // of a page that was closed before the answer
  draw();
}

export function drawIssuing(board, code) {
  place = code;
  notice = board.notice;
  draw();
}

function draw() {
  if (notice === null) return;
  text($("#issuing-state"), notice ? t("issuing.stopped", { reason: reason(notice) }) : t("issuing.given"));
  show($("#stop"), allowed && !notice);
  show($("#resume"), allowed && notice);
  text($("#issuing-who"), allowed ? "" : t("issuing.who"));
}

async function send(path, body) {
  if (busy) return;
  setBusy(true);
  let answer = await act(name(), path, body, { token: token() || await ask(), onWait: () => problem(t("issuing.waiting")) });
  if (answer.status === 401) {
    drop();
    answer = await act(name(), path, body, { token: await ask() });
  }
  setBusy(false);
  problem(answer.ok ? "" : said(answer.problem));
  if (!answer.ok) return;
  notice = answer.value.issuing.stopped ? answer.value.issuing.reason : "";
  draw();
  announce($("#issuing-state").textContent);
}

function setBusy(is) {
  busy = is;
  for (const button of all("#stop, #resume")) {
    button.disabled = is;
    button.setAttribute("aria-busy", String(is));
  }
}

function problem(words) {
  text($("#issuing-problem"), words);
  show($("#issuing-problem"), words);
}

// --- asked twice ----------------------------------------------------------------------------------

const radio = (code, i) => h("label", { class: "pick" }, h("input", { type: "radio", name: "reason", value: code, required: true, checked: i === 0 }), reason(code));
const path = (verb) => `/v1/kecamatan/${encodeURIComponent(place)}:${verb}`;

/** Shows one of the dialog's two questions. */
function turn(sure) {
  show($("#ask-why"), !sure);
  show($("#ask-sure"), sure);
  $("#ask").setAttribute("aria-labelledby", sure ? "ask-sure-title" : "ask-title");
}

function confirm(title, what, yes) {
  text($("#ask-sure-title"), title);
  text($("#ask-what"), what);
  text($("#ask-yes"), yes);
  turn(true);
  if (!$("#ask").open) $("#ask").showModal();
  $("#ask-sure-title").focus();
}

/** What the second question's yes does. The form closes the dialog either way. */
function once(work) {
  $("#ask-sure").onsubmit = (event) => { if (event.submitter?.value === "yes") work(); };
}

const chosen = () => $("#ask [name=reason]:checked").value;

function stopping() {
  const choices = $("#ask .choices");
  if (!$("label", choices)) choices.append(...REASONS.map(radio));
  turn(false);
  $("#ask").showModal();
  $("#ask-why").onsubmit = (event) => {
    if (event.submitter?.value !== "next") return;
    event.preventDefault();
    confirm(t("ask.sure", { name: $("#name").textContent }), t("ask.what", { reason: reason(chosen()) }), t("ask.yes"));
  };
  once(() => send(path("stopIssuing"), { reason: chosen() }));
}

function resuming() {
  confirm(t("ask.resume", { name: $("#name").textContent }), t("ask.resumed"), t("ask.yesResume"));
  once(() => send(path("resumeIssuing"), {}));
}

$("#stop").addEventListener("click", stopping);
$("#resume").addEventListener("click", resuming);
