// A day's journal and policy as this browser got them, byte for byte, and their fingerprints.

import { language } from "../core/i18n.js";
import { hear } from "../core/time.js";

const PAGE = 5000; // leaves an answer
const PATIENCE = 30_000; // ms for one answer

/** An answer that was no answer; `problem` is the server's, or { reason }. */
export class Unanswered extends Error {
  constructor(problem) {
    super(problem.reason);
    this.problem = problem;
  }
}

async function bytes(path) {
  try {
    const answer = await fetch(path, { headers: { "Accept-Language": language }, cache: "no-store", redirect: "error", signal: AbortSignal.timeout(PATIENCE) });
    hear(answer);
    if (!answer.ok) throw new Unanswered(await answer.json());
    return new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    if (error instanceof Unanswered) throw error;
    throw new Unanswered({ reason: navigator.onLine ? "UNREACHABLE" : "OFFLINE" });
  }
}

/** A string of one character a byte: each byte has its own sign in windows-1252. */
export const signs = (octets) => new TextDecoder("windows-1252").decode(octets);

/** SHA-256 in hex. Browsers reckon it on secure pages only: Unanswered, INSECURE. */
export async function fingerprint(octets) {
  if (!globalThis.crypto?.subtle) throw new Unanswered({ reason: "INSECURE" });
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", octets));
  return [...digest].map((one) => one.toString(16).padStart(2, "0")).join("");
}

/** The lines of a file: all but the empty one after the last line end. */
export function split(text) {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

/** Every leaf of the day as one file; `progress(n)` hears how many have come. Throws Unanswered. */
export async function journal(code, day, progress) {
  const parts = [];
  for (let count = 0, last = PAGE; last === PAGE;) {
    const part = await bytes(`/v1/kecamatan/${encodeURIComponent(code)}/days/${encodeURIComponent(day)}/events?after=${count - 1}&pageSize=${PAGE}`);
    last = part.reduce((lines, one) => lines + (one === 10), 0);
    count += last;
    parts.push(part);
    progress(count);
  }
  return joined(parts);
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The policy document that the journal names first, wherever its day.open stands; null if it names
 * none. Throws Unanswered. */
export async function policyOf(code, lines) {
  const named = /"pol":"([0-9a-f]{64})"/;
  const [, hash] = lines.find((line) => named.test(line))?.match(named) ?? [];
  return hash ? bytes(`/v1/kecamatan/${encodeURIComponent(code)}/policies/${hash}`) : null;
}
