// All offices at once, live, those that need action first; and one of them beside the list (#73.71.03).

import { arrive } from "../core/auth.js";
import { $, show, text } from "../core/dom.js";
import { settle, start } from "../core/frame.js";
import { t } from "../core/i18n.js";
import { focus } from "../core/live.js";
import { follow } from "../core/stream.js";
import { clock, now } from "../core/time.js";
import { chosen, drawCity } from "./list.js";
import { begin, drawBoard, drawSummary } from "./one.js";

arrive(); // a token in the link leaves the address; what is shown here is public
const frame = await start("war-room");
document.title = t("page.title");

let offices = [];
let following = null; // { code, close } of the office beside the list

function onCity({ kecamatan }) {
  offices = kecamatan;
  drawCity(kecamatan);
  if (following) drawSummary(offices.find(({ code }) => code === following.code));
}

function route(moved) {
  const [, code = ""] = location.hash.match(/^#(\d\d\.\d\d\.\d\d)$/) ?? [];
  if ((following?.code ?? "") === code) return;
  following?.close();
  if (following) settle(following.code);
  const left = following?.code;
  following = code ? { code, ...watch(code) } : null;
  chosen(code);
  show($("#one"), code);
  document.body.classList.toggle("beside", Boolean(code));
  if (code && moved) reveal();
  if (!code && moved) $(`#offices [data-key="${left}"] a`)?.focus();
}

function reveal() {
  focus($("#one-name"));
  $("#one").scrollIntoView({ block: "nearest" });
}

function watch(code) {
  begin(code, offices.find((one) => one.code === code));
  const place = encodeURIComponent(code);
  return follow({ url: `/v1/streams/kecamatan/${place}/board`, poll: `/v1/kecamatan/${place}/board`, event: "board", data: drawBoard, state: frame.freshness(code), always: true });
}

const tick = () => text($("#clock"), clock(now()));
setInterval(tick, 1000);
tick();
follow({ url: "/v1/streams/city", poll: "/v1/kecamatan", event: "city", data: onCity, state: frame.freshness(""), always: true });
addEventListener("hashchange", () => route(true));
addEventListener("keydown", (event) => { if (event.key === "Escape" && following) location.hash = ""; });
route(false);
