// The films: one after the other, without sound, with their captions, each in its hours. One that
// does not play is left out; when none does, the place is given back to the board and tried again.

import { $, h, show, text } from "../core/dom.js";
import { addressOf } from "./shelf.js";

const STUCK = 20_000; // ms without a picture until the next film
const AGAIN = 120_000; // ms until films that all failed are tried again
const LATER = 20_000; // ms until it is looked whether a film is due

/** Whether a film is shown at `minute` of the office's clock, `HH:MM`. */
export const due = ({ hours = [] }, minute) => !hours.length || hours.some(({ open, close }) => open <= minute && minute < close);

/** The place in the list of the first film after place `at` that is fit; -1 when none is. */
export function following(list, at, fit) {
  const places = list.map((_, i) => (at + 1 + i) % list.length);
  return places.find((place) => fit(list[place])) ?? -1;
}

/**
 * → show(films), [{ url, captions, title, hours }]. `shelf` is where they are kept, `minute()` the
 * office's clock; `played(place, seconds)` is told of each film that was shown to its end: its
 * place in the list, from 0, and how long it is.
 */
export function films(figure, { shelf, minute, played = () => {} }) {
  const video = $("video", figure);
  let list = [];
  let at = -1;
  let film = null; // that plays, or begins to
  let source = null; // where from
  let failed = 0; // one after the other
  let timer = 0;
  let turn = 0;
  video.muted = true;

  function wait(what, ms) {
    clearTimeout(timer);
    timer = setTimeout(what, ms);
  }
  function stop() {
    clearTimeout(timer);
    video.replaceChildren();
    video.removeAttribute("src");
    video.removeAttribute("crossorigin");
    source?.release();
    film = source = null;
  }
  function rest(ms) {
    stop();
    video.load(); // lets go of what it has
    show(figure, false);
    wait(play, ms);
  }

  /** Whether it could be shown now. */
  const now = (one) => addressOf(one.url) !== "" && due(one, minute());

  /** The next film; rather, unless the last one failed, one that is there already. */
  function next() {
    const ready = failed ? -1 : following(list, at, (one) => now(one) && shelf.ready(one));
    return ready < 0 ? following(list, at, now) : ready;
  }
  async function play() {
    const mine = ++turn;
    clearTimeout(timer);
    const place = next();
    if (place < 0) return rest(LATER);
    const found = await shelf.take(list[place]);
    if (mine !== turn) return found.release();
    stop();
    at = place;
    film = list[at];
    source = found;
    begin();
  }
  function begin() {
    text($("figcaption", figure), film.title);
    if (addressOf(film.captions)) caption(video, source.captions);
    video.src = source.url;
    guard();
    video.play().catch(() => {}); // what is wrong comes as an error event
  }
  const guard = () => wait(skip, STUCK);
  function skip() {
    failed += 1;
    if (failed < list.filter(now).length) return play();
    failed = 0;
    rest(AGAIN);
  }
  function broken() {
    if (source.url !== film.url) shelf.unfit(film).catch(() => {});
    skip();
  }
  function ended() {
    played(at, video.currentTime);
    play();
  }
  video.addEventListener("playing", () => { failed = 0; show(figure, true); });
  video.addEventListener("timeupdate", () => film && !video.ended && guard());
  video.addEventListener("error", () => film && broken());
  video.addEventListener("ended", () => film && ended());

  return (wanted) => {
    shelf.stock(wanted);
    if (JSON.stringify(wanted) === JSON.stringify(list)) return;
    list = wanted;
    at = -1;
    failed = 0;
    stop();
    play();
  };
}

/** Captions of another host load only if the film, too, is asked for openly (CORS). */
function caption(video, address) {
  if (new URL(address, location.href).origin !== location.origin) video.crossOrigin = "anonymous";
  const track = video.appendChild(h("track", { kind: "captions", src: address, default: true }));
  track.track.mode = "showing";
  track.addEventListener("load", () => { for (const cue of track.track.cues) if (cue.line === "auto") cue.line = -2; });
}
