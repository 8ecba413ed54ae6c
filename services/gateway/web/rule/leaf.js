// The leaf: one event of a day as one line of canonical JSON. Written from docs/RULES.md, "The
// leaf". A line is a string of one character a byte; `parse` refuses every line that `encode`
// would not have written. Order, time and legality of events are not judged here.

const LEAF_BYTES = 384;
const HEAD = ["v", "o", "d", "n", "t", "e"];
const TALLY = ["issued", "done", "noshow", "cancel", "lapsed"];
const AT_COUNTER = ["k", "c"];

/** The fields of each type after the head, in the order of the leaf. */
export const FIELDS = new Map(Object.entries({
  "day.open": ["pol"], "issue.go": ["why"], "issue.stop": ["why"],
  "counter.open": ["c"], "counter.close": ["c"], "counter.set": ["c", "services"],
  "issue": ["k", "s", "l", "ch", "h"],
  "call": AT_COUNTER, "recall": AT_COUNTER, "start": AT_COUNTER, "done": AT_COUNTER,
  "noshow": AT_COUNTER, "hold": AT_COUNTER, "requeue": AT_COUNTER,
  "return": ["k"], "xfer": ["k", "c", "s"], "lane": ["k", "l"], "cancel": ["k", "by"],
  "present": ["k"], "clock": ["ms"], "day.close": ["tally"],
}));

/** The line is no leaf. */
export class Malformed extends Error {}

/** The line is of a version or type that this program does not know: it cannot judge it. */
export class Unknown extends Malformed {}

const nameOf = (field) => (field === "services" ? "s" : field);
const EMPTY = { pol: "", why: "", k: "", c: "", s: "", services: [], l: "R", ch: "W", h: "", by: "", ms: 0, tally: null };

/** The canonical line of an event. */
export function encode(event) {
  const { o, d, n, t, e } = event;
  const rest = FIELDS.get(e).map((field) => `,"${nameOf(field)}":${render(field, event[field])}`).join("");
  return `{"v":1,"o":"${o}","d":"${d}","n":${n},"t":${t},"e":"${e}"${rest}}`;
}

function render(field, value) {
  if (field === "services") return `["${value.join('","')}"]`;
  if (field === "ms") return String(value);
  if (field === "tally") return `{${TALLY.map((name) => `"${name}":${value[name]}`).join(",")}}`;
  return `"${value}"`;
}

/** The event of a line; what its type does not have stays empty. Throws Malformed or Unknown. */
export function parse(line) {
  const leaf = read(line);
  const kind = kindOf(leaf, line);
  const fields = FIELDS.get(kind);
  const keys = [...HEAD, ...fields.map(nameOf)];
  if (Object.keys(leaf).join() !== keys.join()) throw new Malformed("fields");
  const event = { e: kind, ...EMPTY };
  for (const field of ["o", "d", "n", "t", ...fields]) event[field] = checked(field, leaf[nameOf(field)]);
  if (encode(event) !== line) throw new Malformed("not the canonical bytes");
  return event;
}

function read(line) {
  if (line.length > LEAF_BYTES || /[^\x00-\x7f]/.test(line)) throw new Malformed("too long, or not ASCII");
  try {
    const leaf = JSON.parse(line);
    if (leaf && typeof leaf === "object" && !Array.isArray(leaf)) return leaf;
  } catch {
    // told below
  }
  throw new Malformed("no JSON object");
}

function kindOf(leaf, line) {
  const [version, kind] = ["v", "e"].map((name) => (Object.hasOwn(leaf, name) ? leaf[name] : null));
  // JavaScript reads 2.0 as 2; an integer is what is written as one.
  if (!Number.isInteger(version) || !/"v"\s*:\s*-?\d+\s*[,}]/.test(line)) throw new Malformed("v");
  if (version !== 1) throw new Unknown("v");
  if (typeof kind !== "string") throw new Malformed("e");
  if (!FIELDS.has(kind)) throw new Unknown("e");
  return kind;
}

function checked(field, value) {
  if (!GRAMMAR[field](value)) throw new Malformed(nameOf(field));
  return value;
}

const text = (pattern) => (value) => typeof value === "string" && pattern.test(value);
const integer = (value) => Number.isSafeInteger(value) && value >= 0;
const service = text(/^[A-Z]$/);

function day(value) {
  if (!text(/^20\d\d-\d\d-\d\d$/)(value)) return false;
  const at = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(value); // no 31 February
}

function services(value) {
  if (!Array.isArray(value) || !value.length || !value.every(service)) return false;
  return value.every((code, i) => i === 0 || value[i - 1] < code);
}

function tally(value) {
  if (!value || typeof value !== "object" || Object.keys(value).join() !== TALLY.join()) return false;
  return TALLY.every((name) => integer(value[name]));
}

const GRAMMAR = {
  o: text(/^\d{2}[.]\d{2}[.]\d{2}$/), d: day, n: integer, t: integer,
  pol: text(/^[0-9a-f]{64}$/), why: text(/^(?:hours|power|disaster|full|other)$/),
  k: text(/^[A-Z](?:\d{3}|[1-9]\d{3,})$/), c: text(/^[A-Za-z0-9][A-Za-z0-9-]{0,7}$/),
  s: service, services, l: text(/^[RP]$/), ch: text(/^[WKAD]$/), h: text(/^(?:[0-9a-f]{32})?$/),
  by: text(/^(?:holder|desk)$/), ms: integer, tally,
};
