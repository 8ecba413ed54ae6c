// Who did which verb when, newest first.

import { $, h, keyed, show } from "../core/dom.js";
import { word } from "../core/i18n.js";
import { clock, day } from "../core/time.js";
import { own } from "./own.js";
import { short } from "./words.js";

const PAGE = 20;
let entries = [];
let next = "";

const keyOf = (one) => `${one.at} ${one.verb} ${one.counter} ${one.number}`;

/** The newest page in front of what is there already. */
export async function drawAudit(path) {
  const { ok, value } = await own(`${path}/audit?pageSize=${PAGE}`);
  if (!ok) return;
  if (!entries.length) next = value.nextPageToken;
  const there = new Set(entries.map(keyOf));
  const fresh = value.entries.filter((one) => !there.has(keyOf(one)));
  if (fresh.length === value.entries.length) next = value.nextPageToken; // nothing in common: begin anew
  entries = fresh.length === value.entries.length ? fresh : [...fresh, ...entries];
  draw();
}

export async function moreAudit(path) {
  const { ok, value } = await own(`${path}/audit?pageSize=${PAGE}&pageToken=${encodeURIComponent(next)}`);
  if (!ok) return;
  const there = new Set(entries.map(keyOf));
  entries = [...entries, ...value.entries.filter((one) => !there.has(keyOf(one)))];
  next = value.nextPageToken;
  draw();
}

function draw() {
  keyed($("#audit tbody"), entries, keyOf, (one) => h("tr", {},
    h("td", { class: "figures", title: one.serviceDay ? day(one.serviceDay) : "" }, `${one.serviceDay ? `${short(one.serviceDay)} ` : ""}${clock(one.at)}`),
    h("td", {}, one.subject), h("td", {}, word(`verb.${one.verb}`, one.verb)), h("td", {}, one.counter), h("td", { class: "figures" }, one.number)));
  show($("#audit-more"), next);
}
