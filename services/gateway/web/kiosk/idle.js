// Whoever walks away leaves nothing behind: after a while without a touch the page begins again,
// and says so before it does.

import { $, show, text } from "../core/dom.js";
import { t } from "../core/i18n.js";

const WARNING = 10; // seconds that the page speaks of it before

let left = 0; // seconds; 0 = nothing to leave
let wait = 0;

/** Goes `leave()` after `seconds` without a touch, each time that `stay(seconds)` has been called. */
export function idle(leave) {
  setInterval(() => { if (left && --left <= 0) { away(); leave(); } else draw(); }, 1000);
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { if (left) left = wait; draw(); });
}

/** From now on; `stay(0)`: nobody is there. */
export function stay(seconds) {
  left = wait = seconds;
  draw();
}

const away = () => { left = 0; draw(); };

function draw() {
  const soon = left > 0 && left <= WARNING;
  show($("#leaving"), soon);
  if (soon) text($("#leaving"), t("leaving", { n: left }));
}
