// Figures as people write them; what is not known is a dash, never a nought.

import { count as figure, language, t } from "../core/i18n.js";

const locale = language === "en" ? "en-GB" : "id-ID";
const shares = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
const days = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" });
const known = (value) => value !== undefined && value !== null;

export const count = (value) => (known(value) ? figure(value) : "–");
export const percent = (share) => (known(share) ? shares.format(share) : "–");

/** `2 Mar` of `2026-03-02`. */
export const short = (iso) => days.format(new Date(`${iso}T00:00:00Z`));

/** Whole minutes of seconds. */
export function minutes(seconds) {
  if (!known(seconds)) return "–";
  return seconds > 0 && seconds < 30 ? t("figure.moment") : t("figure.minutes", { n: count(Math.round(seconds / 60)) });
}

/** With its sign: `+12`, `−3`, `0`. */
export const signed = (value, write = count) => (known(value) ? (value > 0 ? "+" : value < 0 ? "−" : "") + write(Math.abs(value)) : "–");

/** Points of a percentage. */
export const points = (share) => t("figure.points", { n: Math.round(share * 1000) / 10 });

/** `81 % (74–87 %)`, or that there are not enough answers for it. */
export function favourable({ enoughAnswers, favourable: { share, low, high } }) {
  return enoughAnswers ? t("figure.interval", { share: percent(share), low: Math.round(low * 100), high: percent(high) }) : t("days.few");
}

/** A day so many days from another. */
export function shifted(iso, by) {
  return new Date(Date.parse(`${iso}T00:00:00Z`) + by * 86_400_000).toISOString().slice(0, 10);
}
