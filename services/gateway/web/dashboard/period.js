// A period in figures beside another one: satisfaction by day, services, hours. The running day's
// answers come live; its other figures are asked for again a little after something happened.

import { $, all, h, show, text } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { own, said } from "./own.js";
import { daysGraph, columnsGraph, swatch } from "./chart.js";
import { fill } from "./table.js";
import { legend } from "./today.js";
import { count, favourable, minutes, percent, points, shifted, short, signed } from "./words.js";

const SETTLE = 3000; // ms from a change to the next question, however much changes
let path = "";
let figures = null;
let today = ""; // the running or last service day
let running = null; // its answers, as last heard
let names = {};
let timer = 0;
let missed = false; // whether the latest question found nobody
let asked = 0; // the latest question; the answer to an older one is not shown

export function rename(office) {
  names = Object.fromEntries(office.services.map((one) => [one.code, one.name]));
  if (figures) draw();
}

/** Begins once it is known who asks; the first period is the last seven days. */
export function choose(place) {
  path = place;
  if (today && !figures) last(7);
}

/** Something has changed on this service day, or the line is back. */
export function happened(day) {
  today = day;
  if (!path) return;
  if (!asked) last(7);
  else if (missed || figures?.period.to >= today) timer ||= setTimeout(() => { timer = 0; load(); }, SETTLE);
}

/** The running day's answers. */
export function live({ days }) {
  running = days.at(-1) ?? null;
  if (figures && running) drawDays();
}

function last(days) {
  if (!today) return;
  $("#to").value = today;
  $("#from").value = shifted(today, 1 - days);
  $("#compare-from").value = $("#compare-to").value = "";
  load();
}

const asks = () => [["from", "#from"], ["to", "#to"], ["compareFrom", "#compare-from"], ["compareTo", "#compare-to"]]
  .filter(([, place]) => $(place).value).map(([key, place]) => `${key}=${$(place).value}`).join("&");

async function load() {
  const mine = ++asked;
  const { ok, status, value, problem } = await own(`${path}/figures?${asks()}`);
  if (mine !== asked) return;
  missed = !ok && (!status || status >= 500);
  text($("#period-problem"), ok ? "" : said(problem));
  show($("#period-problem"), !ok);
  if (!ok) return;
  figures = value;
  draw();
}

function draw() {
  const { period, compared } = figures;
  text($("#period-said"), t("period.said", { from: short(period.from), to: short(period.to), n: period.serviceDays, other: `${short(compared.from)} – ${short(compared.to)}` }));
  $("#csv-answers").href = `${path}/satisfaction.csv?from=${period.from}&to=${period.to}`;
  drawDays();
  drawCompared();
  drawServices();
  drawChoice();
  drawHours();
}

const size = (place) => ({ width: Math.max(260, Math.round($(place).clientWidth)), height: 276 });

// --- satisfaction by day --------------------------------------------------------------------------

/** The period's days; the running one as last heard. */
function tallies() {
  const days = figures.period.days.map((one) => ({ day: one.serviceDay, tally: one.figures.answers }));
  const own = days.find((one) => one.day === running?.serviceDay);
  if (own && running.total.completed !== undefined) own.tally = running.total;
  return days;
}

function drawDays() {
  const days = tallies();
  const shown = days.map(({ day, tally }) => ({ day, tally, label: short(day), under: [t("days.answers", { n: count(tally.answers) }), percent(tally.responseRate)], said: dayInWords(day, tally) }));
  $("#days-graph").replaceChildren(days.length ? daysGraph(shown, t("days.graph"), size("#days-graph"), percent) : h("p", { class: "soft" }, t("days.none")));
  if (!$("#days-legend").firstChild) $("#days-legend").append(...legend());
  const head = ["days.day", "answer.verySatisfied", "answer.satisfied", "answer.notSatisfied", "days.count", "days.favourable", "days.rate"].map((key) => t(key));
  fill($("#days-table"), t("days.graph"), head, days.map(({ day, tally }) => row(day, tally)));
}

const share = (tally, kind) => (tally.enoughAnswers ? `${count(tally[kind].count)} (${percent(tally[kind].share)})` : count(tally[kind].count));
const row = (day, tally) => [short(day), share(tally, "verySatisfied"), share(tally, "satisfied"), share(tally, "notSatisfied"), count(tally.answers), favourable(tally), percent(tally.responseRate)];
const dayInWords = (day, tally) => `${short(day)}: ${favourable(tally)}, ${t("days.answers", { n: count(tally.answers) })}`;

// --- beside the other period ----------------------------------------------------------------------

function drawCompared() {
  const { period, compared, change } = figures;
  const [now, then] = [period.total, compared.total];
  const line = (key, name, write, differ = write) => [t(key), write(now[name]), write(then[name]), signed(change[name], differ)];
  const tally = [t("days.favourable"), favourable(now.answers), favourable(then.answers), change.favourable === undefined || !enough() ? "–" : signed(change.favourable, points)];
  const range = (one) => `${short(one.from)} – ${short(one.to)}`;
  fill($("#compare-table"), t("compare.title"), [t("compare.figure"), range(period), range(compared), t("compare.change")], [
    line("figure.issued", "issued", count), line("figure.completed", "completed", count), line("figure.noShowRate", "noShowRate", percent, points),
    line("figure.wait50", "waitP50Seconds", minutes), line("figure.wait90", "waitP90Seconds", minutes), tally]);
  text($("#compare-said"), verdict(change));
}

const enough = () => figures.period.total.answers.enoughAnswers && figures.compared.total.answers.enoughAnswers;

function verdict(change) {
  if (!enough() || change.favourable === undefined) return t("compare.few");
  const values = { change: signed(change.favourable, points), low: signed(change.favourableLow, points), high: signed(change.favourableHigh, points) };
  return change.favourableDiffers ? t("compare.differs", values) : t("compare.same", values);
}

// --- services and hours ---------------------------------------------------------------------------

const called = (code) => (names[code] ? `${code} · ${names[code]}` : code);
const absent = (one) => (one.noShowRate === undefined ? count(one.noShows) : `${count(one.noShows)} (${percent(one.noShowRate)})`);
const queue = (one) => [count(one.issued), count(one.completed), absent(one), minutes(one.waitP50Seconds), minutes(one.waitP90Seconds)];
const heads = () => ["figure.issued", "figure.completed", "figure.noShows", "figure.wait50", "figure.wait90"].map((key) => t(key));

function drawServices() {
  const rows = figures.period.services.map((one) => [called(one.service), ...queue(one.total), favourable(one.total.answers)]);
  const all = [t("services.all"), ...queue(figures.period.total), favourable(figures.period.total.answers)];
  fill($("#services-table"), t("services.title"), [t("services.service"), ...heads(), t("days.favourable")], [...rows, all]);
}

/** The choice of a service keeps what was chosen. */
function drawChoice() {
  const codes = ["", ...figures.period.services.map((one) => one.service)];
  const wanted = codes.map((code) => (code ? called(code) : t("services.all")));
  const select = $("#service");
  if (all("option", select).map((one) => one.textContent).join() === wanted.join()) return;
  const chosen = select.value;
  select.replaceChildren(...codes.map((code, i) => h("option", { value: code, selected: code === chosen }, wanted[i])));
}

function drawHours() {
  const chosen = $("#service").value;
  const one = figures.period.services.find(({ service }) => service === chosen);
  const hours = (one ?? figures.period).hours;
  const minute = (seconds) => (seconds === undefined ? null : seconds / 60);
  const label = ({ hour }) => String(hour).padStart(2, "0");
  const waits = hours.map((at) => ({ label: label(at), values: [minute(at.figures.waitP50Seconds), minute(at.figures.waitP90Seconds)], said: `${label(at)}: ${minutes(at.figures.waitP50Seconds)}, ${minutes(at.figures.waitP90Seconds)}` }));
  const tickets = hours.map((at) => ({ label: label(at), values: [at.figures.completed, at.figures.noShows], said: `${label(at)}: ${at.figures.completed}, ${at.figures.noShows}` }));
  $("#waits-graph").replaceChildren(columnsGraph(waits, ["solid-brand", "pale"], t("hours.waits"), size("#waits-graph")));
  $("#tickets-graph").replaceChildren(columnsGraph(tickets, ["solid-brand", "dots"], t("hours.tickets"), size("#tickets-graph")));
  explain("#waits-legend", { "solid-brand": "figure.wait50", pale: "figure.wait90" });
  explain("#tickets-legend", { "solid-brand": "figure.completed", dots: "figure.noShows" });
  fill($("#hours-table"), t("hours.title"), [t("hours.hour"), ...heads()], hours.map((at) => [`${label(at)}–${label({ hour: at.hour + 1 })}`, ...queue(at.figures)]));
}

function explain(place, meanings) {
  if ($(place).firstChild) return;
  $(place).append(...Object.entries(meanings).map(([fillName, key]) => h("li", {}, swatch(fillName), t(key))));
}

// --- what is pressed ------------------------------------------------------------------------------

async function save() {
  const { period } = figures;
  const { ok, value, problem } = await own(`${path}/figures.csv?from=${period.from}&to=${period.to}`);
  if (!ok) { text($("#period-problem"), said(problem)); show($("#period-problem"), true); return; }
  const address = URL.createObjectURL(new Blob([value], { type: "text/csv;charset=utf-8" }));
  h("a", { href: address, download: `tunggu_${path.split("/").pop()}_${period.from}_${period.to}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

$("#period").addEventListener("submit", (event) => { event.preventDefault(); load(); });
for (const button of all("[data-days]")) button.addEventListener("click", () => last(Number(button.dataset.days)));
$("#service").addEventListener("change", drawHours);
$("#csv").addEventListener("click", () => figures && save());
$("#print").addEventListener("click", () => print());
let drawn = 0;
addEventListener("resize", () => { cancelAnimationFrame(drawn); drawn = requestAnimationFrame(() => { if (figures) { drawDays(); drawHours(); } }); });
