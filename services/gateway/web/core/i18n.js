// Texts by key. Indonesian is the source; English follows it; Makassarese and Bugis have every key,
// empty until native speakers fill them (docs/PAGES.md), and fall back to Indonesian key by key.

import { all } from "./dom.js";
import { keep, kept } from "./store.js";

export const SOURCE = "id";
/** What the button offers: a language is added when its catalogues are complete. */
export const OFFERED = { id: "Bahasa Indonesia", en: "English" };
const KNOWN = ["id", "en", "mak", "bug"];

function chosen() {
  const asked = new URLSearchParams(location.search).get("lang");
  if (KNOWN.includes(asked)) keep("language", asked);
  const last = kept("language", SOURCE);
  return KNOWN.includes(last) ? last : SOURCE;
}

export const language = chosen();
let texts = {};

async function catalogue(folder, code) {
  const answer = await fetch(new URL(`../${folder}/texts.${code}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`no texts: ${folder} ${code}`);
  return answer.json();
}

/** Loads the shared texts and those of the page's folder. */
export async function load(folder) {
  const codes = [...new Set([SOURCE, language])];
  const wanted = codes.flatMap((code) => [catalogue("core", code), catalogue(folder, code)]);
  for (const part of await Promise.all(wanted)) {
    for (const [key, value] of Object.entries(part)) if (value) texts[key] = value;
  }
}

const figures = new Intl.NumberFormat(language === "en" ? "en-GB" : "id-ID");

/** A number as people write it: `2.001`, `4,5` (`2,001`, `4.5` in English). */
export const count = (value) => figures.format(value);

/** The text; `{name}` is filled from `values`, numbers as `count` writes them; of `key` and `key.one` the latter for n = 1. */
export function t(key, values = {}) {
  const found = (values.n === 1 && texts[`${key}.one`]) || texts[key];
  if (found === undefined) throw new Error(`no text: ${key}`);
  return found.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? count(values[name]) : String(values[name])));
}

/** The same, or `fallback` for a word that a newer server may have invented. */
export const word = (key, fallback) => (key in texts ? t(key) : fallback);

/** Fills what HTML marks: data-t (content), data-t-label (aria-label), data-t-hint (placeholder). */
export function translate(root = document) {
  for (const one of all("[data-t]", root)) one.textContent = t(one.dataset.t);
  for (const one of all("[data-t-label]", root)) one.setAttribute("aria-label", t(one.dataset.tLabel));
  for (const one of all("[data-t-hint]", root)) one.setAttribute("placeholder", t(one.dataset.tHint));
}

/** The same page in another language; fragment and all. */
export function speak(code) {
  const there = new URL(location.href);
  there.searchParams.set("lang", code);
  location.replace(there);
}
