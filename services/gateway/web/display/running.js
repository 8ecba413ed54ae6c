// The running text. By default it stands still and turns its pages, for nobody in a hall can
// pause what moves (WCAG 2.2.2); who wants it to run asks for it, and then it does so slowly.

import { h, show } from "../core/dom.js";
import { language } from "../core/i18n.js";

const PAGE = 8_000; // ms
const SPEED = 100; // px/s

/** A text cut at words into pages that fit; a word that fits no page has one for itself. */
export function paged(text, fits) {
  const pages = [];
  let page = "";
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = page ? `${page} ${word}` : word;
    if (page && !fits(longer)) { pages.push(page); page = word; } else page = longer;
  }
  return page ? [...pages, page] : pages;
}

/** → show(texts), to be called again whenever they may have changed. */
export function running(element, marquee) {
  let told = "";
  let stop = () => {};
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const draw = (texts) => {
    stop();
    element.replaceChildren();
    show(element, texts.length);
    if (texts.length) stop = marquee && !calm.matches ? run(element, texts) : turn(element, texts);
  };
  const again = () => told && draw(JSON.parse(told));
  addEventListener("resize", again);
  calm.addEventListener("change", again);
  document.fonts?.ready.then(again);
  return (entries) => {
    const texts = entries.map((one) => one[language] || one.id);
    if (JSON.stringify(texts) === told) return;
    told = JSON.stringify(texts);
    draw(texts);
  };
}

function turn(element, texts) {
  const ruler = element.appendChild(h("span", { class: "ruler" }));
  const fits = (text) => { ruler.textContent = text; return ruler.getBoundingClientRect().width <= element.clientWidth; };
  const pages = texts.flatMap((text) => paged(text, fits));
  ruler.remove();
  let at = 0;
  const next = () => {
    const old = element.lastElementChild;
    if (old && pages.length === 1) return;
    old?.classList.add("going");
    setTimeout(() => old?.remove(), 700);
    element.append(h("span", { class: "coming" }, pages[at++ % pages.length]));
  };
  next();
  const timer = setInterval(next, PAGE);
  return () => clearInterval(timer);
}

function run(element, texts) {
  const line = element.appendChild(h("span", { class: "line" }, texts.join("   ·   ")));
  const way = element.clientWidth + line.getBoundingClientRect().width;
  const from = `translateX(${element.clientWidth}px)`;
  const moving = line.animate([{ transform: from }, { transform: `translateX(${element.clientWidth - way}px)` }], { duration: (way / SPEED) * 1000, iterations: Infinity });
  return () => moving.cancel();
}
