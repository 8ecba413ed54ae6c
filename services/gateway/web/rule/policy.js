// The published policy of a date, from the bytes whose SHA-256 the day's first leaf names.
// Written from docs/RULES.md, "The policy document".

import { known } from "./zone.js";

const MOST = 999_999;
const SECONDS = 86_400;
const CHANNELS = { DESK: "D", KIOSK: "K", WEB: "W", WHATSAPP: "A" };

/** The document does not obey the rules; the message says how, in one clause. */
export class Unusable extends Error {}

/** Sorted keys, no spaces, ASCII. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value && typeof value === "object") {
    return `{${Object.keys(value).sort().map((key) => `${canonical(key)}:${canonical(value[key])}`).join(",")}}`;
  }
  return JSON.stringify(value).replace(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The policy of a document, a string of one character a byte; `hash` is its SHA-256 in hex.
 * Throws Unusable. */
export const readPolicy = (document, hash) => policyFrom(load(document), hash);

/** The same from what the document says, by whomever it was parsed. */
export function policyFrom(all, hash) {
  keys(all, "the policy", ["code", "counters", "hours", "rule", "services", "timezone"]);
  const services = unique(list(all.services, "services").map(serviceOf), "code");
  return {
    code: word(all.code, /^\d{2}\.\d{2}\.\d{2}$/, "code"),
    timezone: typeof all.timezone === "string" && known(all.timezone) ? all.timezone : refuse("timezone is unknown"),
    hours: hoursOf(all.hours),
    services,
    counters: unique(list(all.counters, "counters").map((entry) => counterOf(entry, [...services.keys()])), "id"),
    rule: ruleOf(all.rule),
    hash,
  };
}

function refuse(why) {
  throw new Unusable(why);
}

function load(document) {
  let all = null;
  try {
    all = JSON.parse(document);
  } catch {
    refuse("the policy is not JSON");
  }
  return canonical(all) === document ? all : refuse("the policy is not canonical JSON");
}

function keys(value, what, names) {
  const object = value && typeof value === "object" && !Array.isArray(value);
  if (!object || Object.keys(value).sort().join() !== names.join()) refuse(`${what} needs exactly the fields ${names.join(" ")}`);
}

const list = (value, what) => (Array.isArray(value) && value.length ? value : refuse(`${what} must be a list with at least one entry`));
const word = (value, pattern, what) => (typeof value === "string" && pattern.test(value) ? value : refuse(`${what} is not well formed`));
const count = (value, what, most = MOST) => (Number.isInteger(value) && value >= 0 && value <= most ? value : refuse(`${what} must be an integer from 0 to ${most}`));

function codes(value, what, known) {
  for (const code of list(value, what)) if (!known.includes(code)) refuse(`${what} names something unknown`);
  return value.every((code, i) => i === 0 || value[i - 1] < code) ? value : refuse(`${what} must be sorted, each once`);
}

function unique(entries, key) {
  const found = new Map(entries.map((entry) => [entry[key], entry]));
  return found.size === entries.length ? found : refuse(`two entries have the same ${key}`);
}

function hoursOf(value) {
  if (!Array.isArray(value)) refuse("hours must be a list");
  let before = "00:00";
  return value.map((entry) => {
    keys(entry, "an entry of hours", ["close", "open"]);
    const [open, close] = [entry.open, entry.close].map((one) => word(one, /^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, "an hour"));
    if (!(before <= open && open < close)) refuse("hours must be in order and not overlap");
    before = close;
    return [open, close];
  });
}

function serviceOf(entry) {
  keys(entry, "a service", ["channels", "code", "quota"]);
  keys(entry.quota, "a quota", ["day", "web"]);
  return {
    code: word(entry.code, /^[A-Z]$/, "a service's code"),
    channels: codes(entry.channels, "channels", Object.keys(CHANNELS)).map((name) => CHANNELS[name]),
    quotaDay: count(entry.quota.day, "quota.day"),
    quotaWeb: count(entry.quota.web, "quota.web"),
  };
}

function counterOf(entry, services) {
  keys(entry, "a counter", ["id", "services"]);
  return { id: word(entry.id, /^[A-Za-z0-9][A-Za-z0-9-]{0,7}$/, "a counter's id"), services: codes(entry.services, "services of a counter", services) };
}

function ruleOf(value) {
  keys(value, "rule", ["hold", "priorityAfter", "return", "skip", "transfers"]);
  keys(value.hold, "rule.hold", ["times", "within"]);
  keys(value.return, "rule.return", ["afterCalls", "times", "within"]);
  keys(value.skip, "rule.skip", ["after", "calls"]);
  return {
    priorityAfter: count(value.priorityAfter, "rule.priorityAfter"),
    skipCalls: count(value.skip.calls, "rule.skip.calls"),
    skipAfter: count(value.skip.after, "rule.skip.after", SECONDS),
    returnAfterCalls: count(value.return.afterCalls, "rule.return.afterCalls"),
    returnWithin: count(value.return.within, "rule.return.within", SECONDS),
    returnTimes: count(value.return.times, "rule.return.times"),
    holdTimes: count(value.hold.times, "rule.hold.times"),
    holdWithin: count(value.hold.within, "rule.hold.within", SECONDS),
    transfers: count(value.transfers, "rule.transfers"),
  };
}
