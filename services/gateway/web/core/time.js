// The server's clock, the office's time zone, and durations as people say them.

import { language, t } from "./i18n.js";

let offset = 0; // ms that the server is ahead of this device
let zone = "Asia/Makassar";

/** Takes the time from any answer's Date header; whole seconds are enough for what is shown. */
export function hear(response) {
  const at = Date.parse(response.headers.get("date") ?? "");
  if (at) offset = at + 500 - Date.now();
}

/** Milliseconds of the server's clock. */
export const now = () => Date.now() + offset;

/** The office's `timezone`; one that the browser does not know is left aside. */
export function useZone(name) {
  try {
    new Intl.DateTimeFormat("id", { timeZone: name });
    zone = name;
  } catch {
    // an old browser: the city's zone holds
  }
}

const formats = new Map();
function format(options) {
  const key = JSON.stringify(options) + zone;
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(language === "en" ? "en-GB" : "id-ID", { timeZone: zone, ...options }));
  return formats.get(key);
}

/** `08.31` (`08:31` in English) in the office's zone; `at` is RFC 3339 or ms. */
export const clock = (at) => format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(at));

/** The same as files have it, in every language: `08:31` */
export const minute = (at) => clock(at).replace(".", ":");

/** With seconds: `08.31.20` */
export const exact = (at) => format({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(new Date(at));

/** `Senin, 2 Maret 2026` */
export const date = (at) => format({ weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(new Date(at));

/** The service day `YYYY-MM-DD` as a date; it has no zone of its own. */
export const day = (iso) => date(`${iso}T04:00:00Z`);

/** `07.30` from a file's `07:30`. */
export const hour = (text) => (language === "en" ? text : text.replace(":", "."));

/** `baru saja`, `3 menit lalu`: how long ago, for ages up to hours. */
export function ago(at) {
  const minutes = Math.floor((now() - at) / 60000);
  if (minutes < 1) return t("time.now");
  return minutes < 60 ? t("time.minutesAgo", { n: minutes }) : t("time.hoursAgo", { n: Math.floor(minutes / 60) });
}

const rounded = (minutes) => (minutes < 10 ? Math.ceil(minutes) : Math.ceil(minutes / 5) * 5);

/** Minutes as hours and halves of them: 1.5 */
const halves = (minutes) => Math.round(minutes / 30) / 2;

const hours = (from, to) => (from === to ? t("time.aboutHours", { n: from }) : t("time.hours", { from, to }));

/** A forecast as a range of minutes, never more exact than it is: `15–45 menit`. */
export function wait(forecast) {
  if (!forecast) return "";
  const low = rounded(forecast.p50Seconds / 60);
  const high = Math.max(rounded(forecast.p90Seconds / 60), low);
  if (high <= 1) return t("time.soon");
  if (low >= 90) return hours(halves(low), halves(high));
  return low === high ? t("time.about", { n: low }) : t("time.range", { from: Math.max(low, 1), to: high });
}
