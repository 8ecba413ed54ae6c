// The films: one after the other, without sound, with their captions. One that does not play is
// left out; when none does, the place is given back to the board and tried again later.

import { $, h, show, text } from "../core/dom.js";

const STUCK = 20_000; // ms without a picture until the next film
const AGAIN = 120_000; // ms until films that all failed are tried again

/** → show(films), [{ url, captions, title }]. */
export function films(figure) {
  const video = $("video", figure);
  let list = [];
  let at = 0;
  let failed = 0;
  let timer = 0;
  video.muted = true;

  const guard = () => { clearTimeout(timer); timer = setTimeout(skip, STUCK); };
  function play() {
    clearTimeout(timer);
    video.replaceChildren();
    video.removeAttribute("src");
    video.removeAttribute("crossorigin");
    if (!list.length) return show(figure, false);
    const film = list[at % list.length];
    text($("figcaption", figure), film.title);
    if (film.captions) caption(video, film.captions);
    video.src = film.url;
    video.dataset.film = at % list.length; // for whoever counts plays
    guard();
    video.play().catch(() => {}); // what is wrong comes as an error event
  }
  function skip() {
    at += 1;
    failed += 1;
    if (failed < list.length) return play();
    failed = 0;
    clearTimeout(timer);
    show(figure, false);
    timer = setTimeout(play, AGAIN);
  }
  video.addEventListener("playing", () => { failed = 0; show(figure, true); });
  video.addEventListener("timeupdate", guard);
  video.addEventListener("error", () => list.length && skip());
  video.addEventListener("ended", () => { at += 1; play(); });

  return (wanted) => {
    if (JSON.stringify(wanted) === JSON.stringify(list)) return;
    list = wanted;
    at = failed = 0;
    play();
  };
}

/** Captions of another host load only if the film, too, is asked for openly (CORS). */
function caption(video, address) {
  if (!URL.canParse(address, location.href)) return;
  if (new URL(address, location.href).origin !== location.origin) video.crossOrigin = "anonymous";
  const track = video.appendChild(h("track", { kind: "captions", src: address, default: true }));
  track.track.mode = "showing";
  track.addEventListener("load", () => { for (const cue of track.track.cues) if (cue.line === "auto") cue.line = -2; });
}
