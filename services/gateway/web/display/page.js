// The hall's display: /display/{k}?d=1&lang=en&digits=1&repeats=1&marquee=1

import { get } from "../core/api.js";
import { arrive } from "../core/auth.js";
import { $, show, text } from "../core/dom.js";
import { start } from "../core/frame.js";
import { t } from "../core/i18n.js";
import { keep, kept } from "../core/store.js";
import { follow } from "../core/stream.js";
import { minute, now, useZone } from "../core/time.js";
import { keepAwake } from "./awake.js";
import { draw, flash } from "./board.js";
import { caller, news } from "./calls.js";
import { films } from "./films.js";
import { forgetOthers, lastKnown, shelfOf } from "./last.js";
import { offered, played, report } from "./report.js";
import { running } from "./running.js";
import { shelf } from "./shelf.js";
import { speaker } from "./voice.js";

const CAPTION = 6_000; // ms at least
const OFFICE = 5 * 60_000; // ms between looks at what the office wants shown
const PATIENCE = 3_000; // ms for the office's answer until what it last said is shown
const place = decodeURIComponent(location.pathname.split("/")[2] ?? "");
const path = `/v1/kecamatan/${encodeURIComponent(place)}`;
const asked = new URLSearchParams(location.search);
const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));

arrive();
const frame = await start("display", { worker: "/display/sw.js" });
const last = lastKnown(place);
let live = false;
let shown = null; // the board
let heard = kept("display.heard", null, sessionStorage); // { place, day, event, at }: outlives a reload
if (heard?.place !== place) heard = null;
let current = heard?.at ?? 0; // ms of this device's clock when what is shown was last the present
let seen = { day: "", event: -1 }; // of the board that is shown
let voice = null;
let silent = true;

const blocked = (yes) => { silent = yes; show($("#sound"), yes); };
const speaking = speaker(blocked, asked.get("digits") === "1");
speaking.then((ready) => { voice = ready; }, () => {}); // without a voice, captions
const wake = () => speaking.then((ready) => ready.wake(), () => {}); // its clips may still be on the way
$("#sound").addEventListener("click", wake);
addEventListener("pointerdown", wake);

/** Said, and as long as it is said also written: for those who do not hear. */
async function say(call) {
  const line = $("#caption");
  line.dataset.event = call.event;
  text(line, t("call.caption", call));
  await Promise.all([voice?.say(call), pause(CAPTION)]);
  text(line, "");
}
const tell = caller(say, Number(asked.get("repeats")));

function drawBoard(board) {
  if (board === shown) return; // a line came back with nothing newer
  shown = board;
  if (!known) office();
  draw(board);
  seen = { day: board.day, event: board.event };
  const { calls, heard: newest } = news(board, heard, Date.now() - current);
  heard = newest;
  isCurrent();
  if (calls.length) flash();
  calls.forEach(tell);
}

function isCurrent() {
  current = Date.now();
  keep("display.heard", { place, ...heard, at: current }, sessionStorage);
  last.note({ board: shown, at: now() });
}
setInterval(() => live && shown && isCurrent(), 5000);

/** For a screen that starts while the line is cut. → ms when that board was true, 0 without one. */
function recall() {
  const { board, at } = last.today() ?? {};
  if (board && !shown) draw(board);
  return at ?? 0;
}

// --- what the office wants shown --------------------------------------------------------------------

const showTexts = running($("#running"), asked.get("marquee") === "1");
const showFilms = films($("#film"), { shelf: shelf(shelfOf(place)), minute: () => minute(now()), played });
let known = false; // whether the office has said what it wants shown
let unknown = false; // there is no such office, or no longer
let permitted = ""; // the films that this page's policy lets load

const addresses = ({ display }) => JSON.stringify((display?.films ?? []).map(({ url, captions }) => [url, captions]));

async function office() {
  const { ok, value, status } = await get(path);
  if (status === 404) showNobody();
  if (!ok) return;
  if (unknown) location.reload(); // nothing has been followed since
  known = true;
  last.note({ office: value, looked: now() });
  forgetOthers().catch(() => {}); // where nothing may be kept there is nothing
  permitted ||= addresses(value);
  if (permitted !== addresses(value)) location.reload();
  else showOffice(value);
}

/** Of an office that is gone nothing may stay on the wall, or be kept. */
function showNobody() {
  unknown = true;
  last.note({ office: null, board: null });
  text($("#office"), t("display.unknown"));
  draw({ open: false, counters: [], calls: [], services: [] });
  showTexts([]);
  showFilms([]);
}

function showOffice({ name, timezone, display }) {
  useZone(timezone);
  text($("#office"), `Kecamatan ${name}`);
  document.title = t("page.title", { office: `Kecamatan ${name}` });
  showTexts(display?.runningText ?? []);
  showFilms(display?.films ?? []);
  offered(display?.films?.length ?? 0);
}

await Promise.race([office(), pause(PATIENCE)]);
if (!permitted && last.office()) {
  permitted = addresses(last.office());
  showOffice(last.office());
}
setInterval(office, OFFICE);
keepAwake(() => live && navigator.onLine);
const state = frame.freshness("board");
follow({
  url: `/v1/streams/kecamatan/${encodeURIComponent(place)}/board`, poll: `${path}/board`, event: "board", data: drawBoard, always: true,
  state(is) {
    live = is.live;
    if (is.gone) office(); // whose board it was may be gone, too
    state(is.live || is.since || is.gone ? is : { ...is, since: recall() });
  },
});
report(`${path}/displays/${encodeURIComponent(asked.get("d") || "1")}:report`, () => ({ ...seen, live, sound: Boolean(voice) && !silent }));
