// Who needs action now. Pure: an office as `GET /v1/kecamatan` lists it, and why it stands where
// it does. Nothing here is about satisfaction: a few answers a day rank nobody.

/** What can be the matter, the most pressing first, and how much it presses. */
export const MATTERS = {
  UNSERVED: "act", // people wait, no counter is open
  EMERGENCY: "act", // issuing stopped for POWER or DISASTER
  LONG: "act", // who comes now waits an hour or more
  STOPPED: "watch", // issuing stopped because it is full, or otherwise by the office
  UNMANNED: "watch", // open, no counter, nobody waits yet
  FLOWING: "calm",
  CLOSED: "calm",
};

const LONG = 3600; // seconds of expected wait (half wait longer) that call for help
const URGENT = new Set(["POWER", "DISASTER"]);

/** The name of what is the matter with an office. */
export function matter({ open, waiting, countersOpen, notice, forecast }) {
  if (waiting > 0 && countersOpen === 0 && (open || notice)) return "UNSERVED";
  if (URGENT.has(notice)) return "EMERGENCY";
  if (open && forecast && forecast.p50Seconds >= LONG) return "LONG";
  if (notice) return "STOPPED";
  if (!open) return "CLOSED";
  return countersOpen === 0 ? "UNMANNED" : "FLOWING";
}

const NAMES = Object.keys(MATTERS);
const place = (office) => NAMES.indexOf(matter(office));

/** `act` (somebody must), `watch` (somebody should look) or `calm`. */
export const pressing = (office) => MATTERS[matter(office)];

/** A new list: by what is the matter, then the longest expected wait, the longest line, the code. */
export function ranked(offices) {
  const wait = ({ forecast }) => forecast?.p50Seconds ?? 0;
  return [...offices].sort((a, b) => place(a) - place(b) || wait(b) - wait(a) || b.waiting - a.waiting || a.code.localeCompare(b.code));
}
