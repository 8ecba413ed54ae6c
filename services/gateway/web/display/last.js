// What this screen last knew of its office, for when it starts while the line is cut.

import { keep, kept } from "../core/store.js";
import { date, now } from "../core/time.js";

/** note({ office }) or ({ board, at }), ms of the server's clock; office(), or null; and today(). */
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
