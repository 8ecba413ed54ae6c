// What was lacking, for whoever is not satisfied and likes to say it.

import { all } from "../core/dom.js";

const MOST = 3;

/** Those that are chosen, in the order of the page. */
export const pressed = () => all(".reason[aria-pressed=true]").map((one) => one.value);

/** None is chosen. */
export function clear() {
  for (const one of all(".reason")) one.setAttribute("aria-pressed", "false");
  limit();
}

export function listen() {
  for (const one of all(".reason")) one.addEventListener("click", () => turn(one));
}

function turn(one) {
  const on = one.getAttribute("aria-pressed") === "true";
  if (!on && pressed().length >= MOST) return;
  one.setAttribute("aria-pressed", !on);
  limit();
}

/** With as many as there may be, the others cannot be chosen. */
function limit() {
  const full = pressed().length >= MOST;
  for (const one of all(".reason")) {
    if (full && one.getAttribute("aria-pressed") === "false") one.setAttribute("aria-disabled", "true");
    else one.removeAttribute("aria-disabled");
  }
}
