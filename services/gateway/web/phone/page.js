// The citizen's page: the city, an office, a service, and one number taken.
// Which of the three is shown stands in the address: #, #73.71.03, #73.71.03/A.

import { $, show } from "../core/dom.js";
import { settle, start } from "../core/frame.js";
import { t } from "../core/i18n.js";
import { focus } from "../core/live.js";
import { kept } from "../core/store.js";
import { follow } from "../core/stream.js";
import { drawCity, drawMine } from "./city.js";
import { drawBoard, drawOffice, enter } from "./office.js";
import { resume } from "./take.js";

const frame = await start("phone", { worker: "/sw.js" });
document.title = t("page.title");

let following = null; // { code, close }: "" is the city

function address() {
  const [, code = "", service = ""] = location.hash.match(/^#(\d\d\.\d\d\.\d\d)(?:\/([A-Z]))?$/) ?? [];
  return { code, service }; // whatever else stands there (a token that strayed) goes nowhere
}

function watch(code) {
  if (following?.code === code) return;
  following?.close();
  if (following) settle(following.code);
  following = { code, ...(code ? office(code) : city()) };
}

function city() {
  if (kept("city")) drawCity(kept("city"));
  return follow({ url: "/v1/streams/city", poll: "/v1/kecamatan", event: "city", data: drawCity, state: frame.freshness("") });
}

function office(code) {
  enter(code);
  const place = encodeURIComponent(code);
  return follow({ url: `/v1/streams/kecamatan/${place}/board`, poll: `/v1/kecamatan/${place}/board`, event: "board", data: drawBoard, state: frame.freshness(code) });
}

function route(moved) {
  const { code, service } = address();
  watch(code);
  drawMine();
  show($("#city"), !code);
  show($("#office"), code && !service);
  show($("#service"), code && service);
  if (code) drawOffice(service);
  if (!moved) return;
  scrollTo(0, 0);
  const heading = $("main .view:not([hidden]) h1");
  if (heading) focus(heading);
}

addEventListener("hashchange", () => route(true));
addEventListener("pageshow", (event) => event.persisted && route(false));
route(false);
resume();
