// The date's hours as moments: wall clocks of a time zone in milliseconds UTC.

const GRACE = 2 * 3600_000; // ms after the last closing in which the day's queue is worked off
const HALF_DAY = 12 * 3600_000;
const readers = new Map();

/** Whether this browser knows the zone. */
export function known(zone) {
  try {
    return /^[A-Z][A-Za-z]*(?:[/_+-][A-Za-z0-9]+)*$/.test(zone) && Boolean(reader(zone));
  } catch {
    return false;
  }
}

function reader(zone) {
  if (!readers.has(zone)) {
    const parts = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
    readers.set(zone, new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", ...parts }));
  }
  return readers.get(zone);
}

/** Milliseconds that the zone's wall clock is ahead of UTC at a moment. */
function ahead(zone, at) {
  const read = Object.fromEntries(reader(zone).formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(read.year, read.month - 1, read.day, read.hour, read.minute, read.second) - Math.floor(at / 1000) * 1000;
}

/** `HH:MM` of the date, to `24:00`. An hour that comes twice is the first; one that the clock
 * skips is reckoned as if it had not been put forward yet. */
export function moment(zone, day, minute) {
  const [hours, minutes] = minute.split(":").map(Number);
  const wall = Date.parse(`${day}T00:00:00Z`) + (hours * 60 + minutes) * 60_000;
  const [before, after] = [ahead(zone, wall - 2 * HALF_DAY), ahead(zone, wall + 2 * HALF_DAY)];
  const holds = (offset) => ahead(zone, wall - offset) === offset;
  return wall - (!holds(before) && holds(after) ? after : before);
}

/** { start, end, hours: [[open, close]], closeAt } of a policy's date; ends are exclusive. */
export function bounds({ timezone, hours }, day) {
  const at = (minute) => moment(timezone, day, minute);
  const [start, end] = [at("00:00"), at("24:00")];
  const closeAt = hours.length ? Math.min(at(hours.at(-1)[1]) + GRACE, end) : start;
  return { start, end, hours: hours.map((pair) => pair.map(at)), closeAt };
}
