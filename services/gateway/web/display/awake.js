// What a screen on a wall needs: it does not sleep, it shows the time, and it begins anew at night.

import { $, text } from "../core/dom.js";
import { clock, date, now } from "../core/time.js";

const NIGHT = /^03/; // of the office's clock
const YOUNG = 2 * 3600_000; // ms of a page's life in which it is not renewed

/** Whether a page that has lived `age` ms begins anew at a time of the office, as `03.12`. */
export const renews = (time, age) => NIGHT.test(time) && age > YOUNG;

/** `reachable()`: whether a new page could be had; without one the old one stays. */
export function keepAwake(reachable) {
  const tick = () => {
    text($("#clock"), clock(now()));
    text($("#date"), date(now()));
    if (renews(clock(now()), performance.now()) && reachable()) location.reload();
  };
  tick();
  setInterval(tick, 1000);
  lit();
  document.addEventListener("visibilitychange", lit);
}

/** A browser takes the lock back whenever the page is hidden. */
async function lit() {
  if (document.hidden) return;
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // a screen that sleeps is better than none
  }
}
