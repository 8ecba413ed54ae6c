// The voice: a chime drawn in code, then clips one after the other on the clock of an AudioContext.
// Nothing waits for a timer: when a sentence is scheduled, every sample of it has its time.

import { spoken } from "../core/number.js";

export const GAP = 0.06; // s between the words of a clause
export const PAUSE = 0.22; // s between clauses, as at a comma
export const BETWEEN = 0.7; // s between two calls
const TONES = [659.26, 554.37]; // Hz: E5, C#5
const TONE = 0.55; // s until the next tone, or the first word
const LEAD = 0.05; // s ahead of the clock, so that nothing begins in the past

/** "Nomor antrean · A nol dua belas · silakan menuju loket tiga", as clauses of words. */
export const sentence = (number, counter, digits = false) => [
  ["nomor-antrean"], spoken(number, digits), ["silakan-menuju", "loket", ...spoken(counter)],
];

/** The clips, decoded: word → AudioBuffer. A clip that cannot be had is left out. */
export async function clips(context) {
  const manifest = new URL("../voice/manifest.json", import.meta.url);
  const { words } = await (await fetch(manifest)).json();
  const load = async ([word, { file }]) => {
    const answer = await fetch(new URL(file, manifest));
    if (!answer.ok) throw new Error(word);
    return [word, await context.decodeAudioData(await answer.arrayBuffer())];
  };
  const found = await Promise.allSettled(Object.entries(words).map(load));
  return new Map(found.filter((one) => one.value).map((one) => one.value));
}

/** Sounds a call from time `at`. → { end, last, spans: [{ word, from, to }] }, times in seconds. */
export function schedule(context, at, clauses, buffers) {
  const spans = TONES.map((hertz, i) => tone(context, at + i * TONE, hertz));
  let time = at + TONES.length * TONE;
  let last = null;
  for (const clause of clauses) {
    for (const word of clause.filter((one) => buffers.has(one))) {
      last = context.createBufferSource();
      last.buffer = buffers.get(word);
      last.connect(context.destination);
      last.start(time);
      spans.push({ word, from: time, to: time + last.buffer.duration });
      time += last.buffer.duration + GAP;
    }
    time += PAUSE - GAP;
  }
  return { end: spans.at(-1).to, last, spans };
}

function tone(context, at, hertz) {
  const source = context.createOscillator();
  const loudness = context.createGain();
  source.frequency.value = hertz;
  loudness.gain.setValueAtTime(0.0001, at);
  loudness.gain.exponentialRampToValueAtTime(0.5, at + 0.015);
  loudness.gain.exponentialRampToValueAtTime(0.0005, at + TONE);
  source.connect(loudness).connect(context.destination);
  source.start(at);
  source.stop(at + TONE);
  return { word: "", from: at, to: at + TONE };
}

/**
 * The hall's speaker. `blocked(yes)` is told whether the browser wants a touch before it sounds.
 * → { say(call), wake() }; say resolves to false at once if nothing can be heard.
 */
export async function speaker(blocked, digits = false) {
  const context = new AudioContext();
  let free = 0; // when the next call may begin
  const tell = () => blocked(context.state !== "running");
  context.addEventListener("statechange", tell);
  setTimeout(tell, 500); // a browser that permits sound begins within that time
  const buffers = await clips(context);

  async function say({ number, counter }) {
    if (context.state !== "running" || !buffers.size) return false;
    const at = Math.max(context.currentTime + LEAD, free);
    const { end, last } = schedule(context, at, sentence(number, counter, digits), buffers);
    free = end + BETWEEN;
    await ended(last, (end - context.currentTime) * 1000 + 5000);
    return true;
  }

  return { say, wake: () => context.resume() };
}

/** When it has sounded, or when it should have long ago: a device may fall silent half-way. */
const ended = (source, patience) => new Promise((done) => {
  const timer = setTimeout(done, patience);
  source?.addEventListener("ended", () => { clearTimeout(timer); done(); });
});
