// Tables: a caption that only screen readers hear, a line of names, rows with a name each.

import { h } from "../core/dom.js";

/** `rows`: [[name, figure, …], …]. Draws anew only what differs. */
export function fill(table, caption, names, rows) {
  const said = JSON.stringify([caption, names, rows]);
  if (table.dataset.said === said) return;
  table.dataset.said = said;
  const head = h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)));
  const line = ([first, ...others]) => h("tr", {}, h("th", { scope: "row" }, first), ...others.map((one) => h("td", {}, one)));
  table.replaceChildren(h("caption", { class: "hush" }, caption), h("thead", {}, head), h("tbody", {}, ...rows.map(line)));
}
