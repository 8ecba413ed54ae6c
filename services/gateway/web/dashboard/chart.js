// Graphs as inline SVG. `stack` and `columns` are pure: they say where everything stands, in pixels
// of a place so wide; `daysGraph` and `columnsGraph` make elements of it. What differs in colour
// differs in pattern too, and beside each graph stands a table with the same figures.

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 40;
const RIGHT = 6;
const TOP = 10;
const BOTTOM = 60; // three lines of words

/** The three answers from the foot up, each with what fills it. */
export const ANSWERS = { verySatisfied: "solid-good", satisfied: "lines", notSatisfied: "dots" };

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Where column `i` of `count` stands. */
function place(i, count, width) {
  const step = (width - LEFT - RIGHT) / Math.max(1, count);
  const wide = Math.min(step * 0.7, 56);
  return { x: LEFT + step * i + (step - wide) / 2, width: wide, middle: LEFT + step * (i + 0.5) };
}

/** Every how many columns there is room for a label. */
export const labelled = (count, width, room = 48) => Math.max(1, Math.ceil((count * room) / Math.max(1, width - LEFT - RIGHT)));

/**
 * One bar a day: the shares of the answers from the foot up, and the interval of the favourable
 * share. `days`: [{ tally }], a tally as the API gives it. A day without answers has no parts; one
 * without enough of them is `pale`.
 */
export function stack(days, { width, height }) {
  const tall = height - TOP - BOTTOM;
  const at = (share) => TOP + tall * (1 - share);
  return days.map(({ tally }, i) => {
    const { answers, enoughAnswers, favourable } = tally;
    let below = 0;
    const parts = answers ? Object.keys(ANSWERS).map((kind) => {
      const from = below;
      below += tally[kind].count / answers;
      return { kind, y: at(below), height: at(from) - at(below) };
    }) : [];
    const whisker = favourable.low === undefined ? null : { low: at(favourable.low), high: at(favourable.high) };
    return { ...place(i, days.length, width), parts, whisker, pale: !enoughAnswers };
  });
}

/** The least of 1, 2, 5 × 10ⁿ steps that four of them reach `most`. */
export function step(most) {
  const size = 10 ** Math.floor(Math.log10(Math.max(most / 4, 1)));
  return [1, 2, 5, 10].map((times) => times * size).find((one) => one * 4 >= most);
}

/** `groups`: [[a, b], …], null = no figure. For each its bars side by side, and the scale's marks. */
export function columns(groups, { width, height }) {
  const each = step(Math.max(1, ...groups.flat().map((one) => one ?? 0)));
  const tall = height - TOP - BOTTOM;
  const at = (value) => TOP + tall * (1 - value / (each * 4));
  const bars = groups.map((values, i) => {
    const spot = place(i, groups.length, width);
    const wide = spot.width / values.length;
    return { ...spot, bars: values.map((value, k) => ({ x: spot.x + wide * k, width: wide * 0.92, y: at(value ?? 0), height: at(0) - at(value ?? 0) })) };
  });
  return { bars, marks: [0, 1, 2, 3, 4].map((n) => ({ value: each * n, y: at(each * n) })) };
}

// --- elements -------------------------------------------------------------------------------------

const shape = (fill, box) => svg("rect", { class: `fill-${fill}`, fill: fillOf(fill), x: box.x, y: box.y, width: box.width, height: Math.max(0, box.height) });
const fillOf = (fill) => (["lines", "dots", "pale"].includes(fill) ? `url(#p-${fill})` : "currentColor");
const words = (x, y, said, anchor = "middle") => svg("text", { x, y, "text-anchor": anchor }, said);
const grid = (marks, width) => marks.flatMap(({ y, said }) => [svg("path", { class: "grid", d: `M${LEFT} ${y}H${width - RIGHT}` }), words(LEFT - 6, y + 4, said, "end")]);

function picture(said, { width, height }, children) {
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": said }, ...children);
}

/** `days`: [{ tally, label, under: [line, line], said }]; `said` is what the whole is called. */
export function daysGraph(days, said, size, percent) {
  const { width, height } = size;
  const tall = height - TOP - BOTTOM;
  const marks = [0, 0.25, 0.5, 0.75, 1].map((share) => ({ y: TOP + tall * (1 - share), said: percent(share) }));
  const each = labelled(days.length, width);
  const bars = stack(days, size).map((bar, i) => svg("g", { class: bar.pale ? "pale" : "sure", "data-day": days[i].day },
    svg("title", {}, days[i].said),
    ...bar.parts.map((part) => shape(ANSWERS[part.kind], { x: bar.x, width: bar.width, ...part })),
    bar.whisker && !bar.pale ? svg("path", { class: "whisker", d: `M${bar.middle} ${bar.whisker.high}V${bar.whisker.low}M${bar.middle - 6} ${bar.whisker.high}h12M${bar.middle - 6} ${bar.whisker.low}h12` }) : null));
  const under = (day, middle) => [day.label, ...day.under].map((said, k) => words(middle, height - 42 + 17 * k, said));
  const labels = days.flatMap((day, i) => (i % each ? [] : under(day, place(i, days.length, width).middle)));
  return picture(said, size, [...grid(marks, width), ...bars, ...labels]);
}

/** `groups`: [{ label, values, said }], `fills`: what fills each value's bar. */
export function columnsGraph(groups, fills, said, size) {
  const { bars, marks } = columns(groups.map((one) => one.values), size);
  const each = labelled(groups.length, size.width, 36);
  const drawn = bars.map((one, i) => svg("g", {}, svg("title", {}, groups[i].said), ...one.bars.map((bar, k) => shape(fills[k], bar))));
  const labels = groups.flatMap((one, i) => (i % each ? [] : [words(bars[i].middle, size.height - 42, one.label)]));
  return picture(said, size, [...grid(marks.map((mark) => ({ ...mark, said: String(mark.value) })), size.width), ...drawn, ...labels]);
}

/** One lying bar of the three answers. */
export function shareBar(tally, said, width = 400) {
  let x = 0;
  const parts = tally.answers ? Object.entries(ANSWERS).map(([kind, fill]) => {
    const wide = (width * tally[kind].count) / tally.answers;
    const box = { x, y: 0, width: wide, height: 28 };
    x += wide;
    return shape(fill, box);
  }) : [svg("rect", { class: "grid empty", width, height: 28 })];
  return svg("svg", { viewBox: `0 0 ${width} 28`, role: "img", "aria-label": said, preserveAspectRatio: "none", class: "share" }, ...parts);
}

/** A small square that says what a fill means. */
export const swatch = (fill) => svg("svg", { viewBox: "0 0 20 20", class: "swatch", "aria-hidden": "true" }, shape(fill, { x: 0, y: 0, width: 20, height: 20 }));
