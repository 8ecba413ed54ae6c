// The hall's kiosk: choose, see what to bring, take a number. Then it is the next person's.

import { get } from "../core/api.js";
import { $, all, show, text } from "../core/dom.js";
import { start } from "../core/frame.js";
import { SOURCE, language, speak, t } from "../core/i18n.js";
import { focus } from "../core/live.js";
import { signedIn } from "../core/signin.js";
import { follow } from "../core/stream.js";
import { useZone } from "../core/time.js";
import { idle, stay } from "./idle.js";
import { again } from "./paper.js";
import { drawService, drawServices } from "./services.js";
import { clear, hand, interrupted, say, shown, take } from "./take.js";

const code = decodeURIComponent(location.pathname.split("/")[2]);
const root = `/v1/kecamatan/${encodeURIComponent(code)}`;
const READING = 60; // seconds without a touch
const TAKEN = 25; // seconds that a number stays on the screen
const FOREIGN = 120; // seconds that the first question stays in a language that somebody chose

const frame = await start("kiosk");
document.title = t("page.title");
let office = null;
let board = null;
let chosen = "";

function view(name) {
  for (const one of all("main > .view")) show(one, one.id === name);
  scrollTo(0, 0);
}

function draw() {
  if (!office) return;
  drawServices(office, board, choose);
  if (chosen) drawService(office, board, chosen);
}

function choose(service) {
  chosen = service;
  say("");
  drawService(office, board, service);
  view("service");
  focus($("#service-name"));
  stay(READING);
}

/** Back to the first question; `away`: nobody is there any more, so nothing of them stays. */
function begin(away) {
  chosen = "";
  clear();
  view("choose");
  stay(language === SOURCE ? 0 : FOREIGN);
  if (away) low(asked);
  if (away && language !== SOURCE) speak(SOURCE);
  else focus($("#choose h1"));
}

async function wish(path, body) {
  stay(0); // what is under way is waited for
  const ticket = await take(path, body);
  stay(READING);
  if (!ticket) return;
  view("taken");
  await hand(ticket, office);
  if (shown(ticket)) stay(TAKEN);
}

async function enter() {
  const { ok, value, status } = await get(root);
  if (status === 404) return text($("#choose h1"), t("page.unknown"));
  if (!ok) { setTimeout(enter, 5000); return undefined; }
  office = value;
  useZone(office.timezone);
  draw();
  const entry = interrupted();
  return entry && wish(entry.path, entry.body);
}

/** Buttons and lists in the lower half; `?low=1` for a kiosk that always has them there. */
const asked = new URLSearchParams(location.search).get("low") === "1";
function low(on) {
  document.documentElement.dataset.low = on ? "on" : "off";
  $("#low").setAttribute("aria-pressed", on);
}

low(asked);
$("#low").addEventListener("click", () => low($("#low").getAttribute("aria-pressed") !== "true"));
$("#back").addEventListener("click", () => begin(false));
$("#done").addEventListener("click", () => begin(true));
$("#again").addEventListener("click", () => again());
for (const button of all(".ask button")) {
  button.addEventListener("click", () => wish(`${root}/tickets`, { service: chosen, lane: button.value, channel: "KIOSK" }));
}
idle(() => begin(true));
if (language !== SOURCE) stay(FOREIGN);
await signedIn();
enter();
follow({ url: `/v1/streams/kecamatan/${encodeURIComponent(code)}/board`, poll: `${root}/board`, event: "board", always: true,
  data(value) { board = value; draw(); }, state: frame.freshness("board") });
