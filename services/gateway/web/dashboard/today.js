// Today as it happens: the board in four figures, and what the tablets have said so far.

import { forNext, length } from "../core/board.js";
import { $, h, show, text } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { day, wait } from "../core/time.js";
import { ANSWERS, shareBar, swatch } from "./chart.js";
import { count, favourable, percent } from "./words.js";

const sum = (all) => all.reduce((total, one) => total + one, 0);

export function drawBoard(board) {
  const { services, counters, notice, open } = board;
  text($("#day"), board.day ? day(board.day) : t("now.never"));
  const chip = $("#state");
  show(chip, true);
  text(chip, t(notice ? "state.stopped" : open ? "state.open" : "state.closed"));
  chip.className = `chip ${notice ? "bad" : open ? "good" : ""}`;
  text($("#now-waiting"), t("now.people", { n: count(sum(services.map((one) => length(one.waiting)))) }));
  text($("#now-wait"), wait(longest(services)) || "–");
  text($("#now-served"), t("now.people", { n: count(sum(services.map((one) => one.completed))) }));
  text($("#now-counters"), t("now.of", { n: counters.filter((one) => one.state === "OPEN").length, all: counters.length }));
}

/** Of those who would take a number now: the service with the longest wait. */
function longest(services) {
  const waits = services.map(forNext).filter(Boolean);
  return waits.sort((a, b) => b.p50Seconds - a.p50Seconds)[0] ?? null;
}

/** The running day's answers; the same figures in words for who does not see the bar. */
export function drawSatisfaction({ days, total }) {
  const tally = days.at(-1)?.total ?? total;
  const said = sentence(tally);
  if ($("#now-bar").dataset.said === said) return;
  $("#now-bar").dataset.said = said;
  $("#now-bar").replaceChildren(shareBar(tally, said));
  $("#now-legend").replaceChildren(...legend(tally));
  const rate = tally.responseRate === undefined ? "" : t("now.rate", { rate: percent(tally.responseRate), n: count(tally.completed) });
  text($("#now-words"), [tally.enoughAnswers ? t("now.favourable", { share: favourable(tally) }) : t("now.few", { n: tally.answers }), rate].filter(Boolean).join(" · "));
}

const sentence = (tally) => Object.keys(ANSWERS).map((kind) => `${t(`answer.${kind}`)} ${tally[kind].count}`).join(", ");

/** What the fills mean, with their counts if a tally is given. */
export const legend = (tally) => Object.entries(ANSWERS).map(([kind, fill]) => h("li", {}, swatch(fill), t(`answer.${kind}`), tally ? h("strong", { class: "figures", id: `now-${kind}` }, count(tally[kind].count)) : null));
