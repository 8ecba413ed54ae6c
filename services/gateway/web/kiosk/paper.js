// A slip on paper: by the printing agent of this machine where the address names its port
// (?printer=9110), else by the browser. The number stands on the screen in any case.

import { $, show, text } from "../core/dom.js";
import { t } from "../core/i18n.js";

const port = Number(new URLSearchParams(location.search).get("printer"));
const AGENT = Number.isInteger(port) && port > 0 && port < 65536 ? `http://127.0.0.1:${port}` : "";
const THERE = 6_000; // ms until the agent has said that it is there
const PRINTED = 60_000; // ms until it has said what became of a slip
const BROWSER = new Set(["absent", "empty"]); // nothing has come out, so nothing can come twice

let slip = null; // what the agent is sent, without its copy; null: nobody's
let copies = 0; // of it that the agent may have printed

/** A new number's first paper; `sharp` resolves once the browser could print it. */
export async function paper(wanted, sharp) {
  slip = wanted;
  copies = 0;
  await (AGENT ? ask(sharp) : sharp.then(() => print()));
}

/** Another one, because somebody pressed. */
export const again = () => (AGENT ? ask(Promise.resolve()) : print());

/** Nothing of it stays. */
export function forget() {
  slip = null;
  tell("");
}

async function ask(sharp) {
  const mine = slip;
  if (!mine || $("#again").hasAttribute("aria-disabled")) return;
  tell("busy");
  const outcome = await printed({ ...mine, copy: copies + 1 });
  if (slip !== mine) return; // the next person stands there
  if (BROWSER.has(outcome)) await sharp;
  if (slip !== mine) return;
  tell(outcome);
  if (BROWSER.has(outcome)) print();
}

/** "done"; "absent" or "empty": nothing has come out; "uncertain": something may have. */
async function printed(wanted) {
  if (!(await answer("/status", THERE))) return "absent";
  const { reason, copy } = (await answer("/print", PRINTED, JSON.stringify(wanted))) ?? { reason: "PRINT_UNCERTAIN" };
  if (slip?.ticket !== wanted.ticket) return "";
  if (copy) copies = copy;
  else if (reason === "PRINT_UNCERTAIN") copies = wanted.copy;
  if (copy) return "done";
  return { PRINT_UNCERTAIN: "uncertain", NO_PAPER: "empty" }[reason] ?? "absent";
}

/** What the agent says, or null if it says nothing. */
async function answer(path, patience, body) {
  const sent = body ? { method: "POST", body, headers: { "Content-Type": "application/json" } } : {};
  try {
    return await (await fetch(AGENT + path, { ...sent, signal: AbortSignal.timeout(patience), cache: "no-store", redirect: "error" })).json();
  } catch {
    return null;
  }
}

function tell(outcome) {
  const busy = outcome === "busy";
  if (busy) $("#again").setAttribute("aria-disabled", "true");
  else $("#again").removeAttribute("aria-disabled");
  text($("#paper"), outcome && t(`paper.${outcome}`));
  show($("#paper"), outcome);
  $("#paper").classList.toggle("bad", !busy && outcome !== "done");
}
