// What this screen last knew of its office, for when it starts while the line is cut.

import { keep, kept } from "../core/store.js";
import { date, now } from "../core/time.js";

const FILMS = "tunggu-films-";
const LONG = 7 * 24 * 3600_000; // ms

/** The name of the shelf with an office's films. */
export const shelfOf = (place) => FILMS + place;

/** Lets go of the offices that this screen has not shown for a week: their films, and the rest. */
export async function forgetOthers() {
  for (const shelf of (await caches.keys()).filter((name) => name.startsWith(FILMS))) {
    const name = `display.${shelf.slice(FILMS.length)}`;
    if (now() - (kept(name, {}).looked ?? 0) < LONG) continue;
    await caches.delete(shelf);
    keep(name, null);
  }
}

/** note({ office, looked }) or ({ board, at }), ms of the server's clock; office(), or null; and today(). */
export function lastKnown(place) {
  const name = `display.${place}`;
  const known = kept(name, {});
  return {
    note(what) {
      Object.assign(known, what);
      keep(name, known);
    },
    office: () => known.office ?? null,
    /** { board, at } if it was seen today, else null: yesterday's would mislead. */
    today: () => (known.board && date(known.at) === date(now()) ? known : null),
  };
}
