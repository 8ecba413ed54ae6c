// What a screen reader is told: one polite and one urgent region a page, made on first use.

import { h } from "./dom.js";

const regions = {};

/** Says `text` once; `urgent` interrupts. The same text again is said again. */
export function announce(text, urgent = false) {
  const kind = urgent ? "assertive" : "polite";
  regions[kind] ??= document.body.appendChild(h("div", { class: "hush", "aria-live": kind }));
  regions[kind].textContent = "";
  setTimeout(() => { regions[kind].textContent = text; }, 60);
}

/** Moves focus to a heading after the page has changed under the reader. */
export function focus(element) {
  element.setAttribute("tabindex", "-1");
  element.focus({ preventScroll: true });
}
