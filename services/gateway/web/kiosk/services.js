// What can be had here: every service with its line, and one with what to bring.

import { forNext, length } from "../core/board.js";
import { $, h, icon, keyed, show, text } from "../core/dom.js";
import { t, word } from "../core/i18n.js";
import { wait } from "../core/time.js";

/** `choose(code)` is called for a service that gives numbers now. */
export function drawServices(office, board, choose) {
  text($("#office"), `Kecamatan ${office.name}`);
  state(office, board);
  const make = ({ code, name }) => h("li", {}, h("button", { class: "choice", type: "button", value: code, onclick: ({ currentTarget: one }) => { if (!one.hasAttribute("aria-disabled")) choose(code); } },
    h("span", { class: "letter", "aria-hidden": "true" }, code), h("strong", {}, name), h("small", { class: "figures" }), icon("go")));
  keyed($("#services"), office.services, ({ code }) => code, make, (li, { code }) => fill(li.firstElementChild, live(board, code), gives(office, board, code)));
}

const live = (board, code) => board?.services.find((one) => one.code === code);
const isOpen = (office, board) => (board?.services.length ? board.open && !board.notice : office.open);

/** Whether a number of the service can be taken, as far as is known; the server has the last word. */
export const gives = (office, board, code) => isOpen(office, board) && (live(board, code)?.issuing ?? true);

function state(office, board) {
  const open = isOpen(office, board);
  const why = board?.notice || office.notice;
  show($("#state"), true);
  text($("#state"), t(open ? "open" : "closed"));
  $("#state").className = `chip ${open ? "good" : "bad"}`;
  show($("#notice"), !open);
  if (!open) text($("#notice span"), why ? t("notice", { reason: word(`notice.${why}`, why) }) : t("shut"));
}

function fill(button, now, given) {
  text(button.children[2], given ? queue(now) : t("not"));
  if (given) button.removeAttribute("aria-disabled");
  else button.setAttribute("aria-disabled", "true");
}

function queue(now) {
  const n = now ? length(now.waiting) : 0;
  return [n ? t("waiting", { n }) : t("free"), now && wait(forNext(now))].filter(Boolean).join(" · ");
}

export function drawService(office, board, code) {
  const service = office.services.find((one) => one.code === code);
  const now = live(board, code);
  text($("#service-name"), service.name);
  const n = now ? length(now.waiting) : 0;
  text($("#service-waiting"), n ? t("waiting", { n }) : t("free"));
  text($("#service-wait"), (now && wait(forNext(now))) || t("unknown"));
  const bring = service.standard?.requirements ?? [];
  show($("#bring"), bring.length);
  keyed($("#requirements"), bring, (one) => one, (one) => h("li", {}, icon("check"), one));
}
