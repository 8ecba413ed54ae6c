// The head of the office's page: today as it happens, any period in figures, stopping and resuming.
// What everyone may see stands there at once; the rest waits for a SUPERVISOR's token.

import { get } from "../core/api.js";
import { claims, may } from "../core/auth.js";
import { $, show, text } from "../core/dom.js";
import { start } from "../core/frame.js";
import { t } from "../core/i18n.js";
import { signedIn } from "../core/signin.js";
import { follow, untilAnswered } from "../core/stream.js";
import { useZone } from "../core/time.js";
import { drawAudit, moreAudit } from "./audit.js";
import { drawIssuing, offer } from "./issuing.js";
import { choose, happened, live, rename } from "./period.js";
import { drawBoard, drawSatisfaction } from "./today.js";

const code = decodeURIComponent(location.pathname.split("/")[2]);
const path = `/v1/kecamatan/${encodeURIComponent(code)}`;
const AUDIT = 5000; // ms from a change to the audit's next look, so that a busy hall asks rarely

const frame = await start("dashboard");
let looking = 0;

function admit() {
  const allowed = may("SUPERVISOR", code);
  show($("#private"), allowed);
  show($("#refused"), !allowed);
  if (!allowed) text($("#refused span"), t("page.refused", { role: [claims()?.tunggu_role].flat().join(", ") || "–", code }));
  offer(code, allowed);
  return allowed;
}

const office = untilAnswered(async () => {
  const { ok, value, status } = await get(path);
  if (status === 404) text($("#name"), t("page.unknown"));
  if (!ok) return false;
  useZone(value.timezone);
  text($("#name"), `Kecamatan ${value.name}`);
  document.title = t("page.title", { name: value.name });
  rename(value);
  return true;
});

function onBoard(board) {
  office();
  drawBoard(board);
  drawIssuing(board, code);
  if (!may("SUPERVISOR", code)) return;
  happened(board.day);
  looking ||= setTimeout(() => { looking = 0; drawAudit(path); }, AUDIT);
}

function onSatisfaction(value) {
  drawSatisfaction(value);
  live(value);
}

office();
const stream = `/v1/streams/kecamatan/${encodeURIComponent(code)}`;
follow({ url: `${stream}/board`, poll: `${path}/board`, event: "board", data: onBoard, state: frame.freshness("board") });
follow({ url: `${stream}/satisfaction`, poll: `${path}/satisfaction`, event: "satisfaction", data: onSatisfaction, state: frame.freshness("satisfaction") });
await signedIn();
if (admit()) {
  choose(path);
  drawAudit(path);
  $("#audit-more").addEventListener("click", () => moreAudit(path));
}
