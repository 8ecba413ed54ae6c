// The office while a day stands here: whether the line holds, and what has happened since the check.

import { $, show, text } from "../core/dom.js";
import { settle } from "../core/frame.js";
import { t } from "../core/i18n.js";
import { follow } from "../core/stream.js";

let following = null;
let last = -1; // n of the office's last event on `day`
let checked = -1; // n of the last one that was checked

/** Follows the office's board; `heard()` is called with all of its news, and when it is back. */
export function since(code, date, state, heard) {
  if (!/^\d\d\.\d\d\.\d\d$/.test(code)) return; // no office: there is nothing to follow
  const place = encodeURIComponent(code);
  const data = (board) => {
    if (board.day === date) last = board.event;
    draw();
    heard();
  };
  following = follow({ url: `/v1/streams/kecamatan/${place}/board`, poll: `/v1/kecamatan/${place}/board`, event: "board", data, state });
}

/** The check has come to event `n` (-1 = to none); `over`: no other will come. */
export function upTo(n, over = false) {
  checked = n;
  draw();
  if (!over) return;
  following?.close();
  settle("board");
}

function draw() {
  const n = checked < 0 ? 0 : Math.max(0, last - checked);
  show($("#newer"), n);
  if (n) text($("#newer"), t("result.newer", { n }));
}
