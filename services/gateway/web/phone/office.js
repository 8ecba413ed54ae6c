// One office: open or not, what it offers; and one service with everything to know before coming.

import { get } from "../core/api.js";
import { forNext, length } from "../core/board.js";
import { $, h, icon, keyed, show, text } from "../core/dom.js";
import { t, word } from "../core/i18n.js";
import { keep, kept } from "../core/store.js";
import { untilAnswered } from "../core/stream.js";
import { hour, useZone, wait } from "../core/time.js";
import { drawTake } from "./take.js";

let office = null; // as GetKecamatan says
let board = null;
let shown = ""; // the service, "" for the office
let look = () => {}; // asks for the office until it is known

/** Begins with an office: what was last seen of it, then what it is now. */
export function enter(code) {
  const last = kept("office");
  office = last?.code === code ? last : { code, name: "", services: [], hoursToday: null };
  board = kept("board")?.kecamatan === code ? kept("board") : null;
  look = untilAnswered(() => ask(code));
  look();
}

async function ask(code) {
  const { ok, value, status } = await get(`/v1/kecamatan/${encodeURIComponent(code)}`);
  if (office.code !== code) return true;
  if (status === 404) text($("#office-name"), t("office.unknown"));
  if (!ok) return false;
  office = value;
  keep("office", value);
  keep("lastOffice", code);
  useZone(value.timezone);
  draw();
  return true;
}

export function drawBoard(value) {
  board = value;
  look();
  keep("board", value);
  draw();
}

export function drawOffice(service) {
  shown = service;
  draw();
}

const live = (code) => board?.services.find((one) => one.code === code);
const isOpen = () => (board ? board.open : office.open);
const notice = () => (board ? board.notice : office.notice);

function draw() {
  if (!office?.name) return;
  head();
  const place = `#${office.code}`;
  keyed($("#services"), office.services, (one) => one.code, (one) => line(one, place), fill);
  const service = office.services.find((one) => one.code === shown);
  if (service) drawService(service);
}

function head() {
  text($("#office-name"), `Kecamatan ${office.name}`);
  text($("#office-address"), office.address);
  text($("#office-hours"), hours());
  text($("#office-state"), t(notice() ? "stopped" : isOpen() ? "open" : "closed"));
  $("#office-state").className = `chip ${notice() ? "bad" : isOpen() ? "good" : ""}`;
  show($("#office-notice"), notice());
  if (notice()) text($("#office-notice span"), t("office.notice", { reason: word(`notice.${notice()}`, notice()) }));
}

function hours() {
  const today = office.hoursToday;
  if (!today?.length) return t("office.closedToday");
  if (today[0].open === "00:00" && today[0].close === "24:00") return t("office.always");
  return t("office.hours", { hours: today.map(({ open, close }) => `${hour(open)}–${hour(close)}`).join(", ") });
}

function line(service, place) {
  return h("li", {}, h("a", { class: "line", href: `${place}/${service.code}` }, h("span", { class: "letter", "aria-hidden": "true" }, service.code), h("strong"), h("span", { class: "small soft figures" }), icon("go")));
}

function fill(element, service) {
  const [, name, more] = element.firstElementChild.children;
  text(name, service.name);
  const now = live(service.code);
  text(more, now ? queue(now) : "");
}

function queue(now) {
  if (isOpen() && !now.issuing) return t("office.notIssuing");
  const n = length(now.waiting);
  const parts = [n ? t("city.waiting", { n }) : t("city.free"), isOpen() && wait(forNext(now))];
  return parts.filter(Boolean).join(" · ");
}

function drawService(service) {
  const { standard = {} } = service;
  const now = live(service.code);
  $("#service-back").href = `#${office.code}`;
  text($("#service-office"), `Kecamatan ${office.name}`);
  text($("#service-name"), service.name);
  const n = now ? length(now.waiting) : 0;
  text($("#service-waiting"), n ? t("service.people", { n }) : t("service.nobody"));
  text($("#service-wait"), now ? expected(now) : "–");
  text($("#service-cost"), standard.cost || "–");
  keyed($("#service-requirements"), standard.requirements ?? [], (one) => one, (one) => h("li", {}, icon("check"), one));
  for (const part of ["duration", "procedure", "product", "complaints"]) {
    text($(`#service-${part}`), standard[part]);
    show($(`#service-${part}`).parentElement, standard[part]);
  }
  drawTake(office, service, isOpen() && !notice() && (now?.issuing ?? true));
}

const expected = (now) => wait(forNext(now)) || t(now.beyondClosing && now.forecast.length ? "service.afterClosing" : "service.noForecast");
