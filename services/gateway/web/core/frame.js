// How a page begins: texts, language button, stale banner, service worker.
//
//   const frame = await start("phone", { worker: "/sw.js" });
//   follow({ …, state: frame.freshness("board") });

import { $, all, icon, show, text } from "./dom.js";
import { OFFERED, language, load, speak, t, translate } from "./i18n.js";
import { clock } from "./time.js";

const WORKERS = ["/sw.js", "/display/sw.js"]; // what Trusted Types let through

/** `folder` names the page's folder in web/. `worker`: by which one it also works offline. */
export async function start(folder, { worker = "" } = {}) {
  await load(folder);
  document.documentElement.lang = language;
  translate();
  languages();
  if (worker) offline(worker);
  document.documentElement.dataset.ready = "true";
  return { freshness };
}

function languages() {
  const other = Object.keys(OFFERED).find((code) => code !== language);
  for (const button of all("[data-languages]")) {
    button.lang = other;
    button.replaceChildren(icon("globe"), OFFERED[other]);
    button.addEventListener("click", () => speak(other));
  }
}

const late = new Map(); // by name: ms of what is shown, of everything that is not live

/** The `state` of a stream: the banner stands while any named thing is not live. */
export const freshness = (name) => ({ live, since, gone }) => {
  if (live || gone) late.delete(name);
  else late.set(name, since);
  banner();
};

/** Says from when the oldest of the data are that are not live. */
function banner() {
  const shown = $("#stale");
  if (!shown) return;
  show(shown, late.size > 0);
  if (!late.size) return;
  const since = Math.min(...late.values());
  text($("span", shown), since ? t("stale.since", { time: clock(since) }) : t("stale.never"));
}

/** What is no longer followed is no longer late. */
export function settle(name) {
  late.delete(name);
  banner();
}

const scripts = globalThis.trustedTypes?.createPolicy("tunggu", {
  createScriptURL: (address) => { if (!WORKERS.includes(address)) throw new TypeError(address); return address; },
});

function offline(worker) {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  navigator.serviceWorker.register(scripts ? scripts.createScriptURL(worker) : worker).catch(() => {});
}
