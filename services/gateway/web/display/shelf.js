// The films as this screen keeps them, so that they play without a connection: whole files in a
// cache of their own, each fetched once. What cannot be kept is played from its address.

export const MOST = 2 ** 30; // bytes of an office's films and captions together
export const LARGEST = 2 ** 28; // bytes of one file
const SILENCE = 30_000; // ms without a byte until a file is given up
const FULL = ["RangeError", "QuotaExceededError"]; // there is no room for a file, and will be none

/** The whole address, under which a file is kept; "" for what is no address of the web. */
export function addressOf(address) {
  const url = URL.canParse(address, location.href) ? new URL(address, location.href) : null;
  if (!address || !url?.protocol.startsWith("http")) return "";
  url.hash = "";
  return url.href;
}

/**
 * The shelf of that name. stock(films): fetches what is not there yet, one file after the other,
 * and lets go of what is not among them. ready(film): whether that was tried. take(film): from
 * where it plays. unfit(film): as it is kept it does not play; it is fetched again by another page.
 */
export function shelf(name, { most = MOST, largest = LARGEST } = {}) {
  let wanted = new Set();
  let turn = Promise.resolve();
  const queued = new Set();
  const tried = new Map(); // address → Promise
  const settled = new Set(); // of `tried`
  const refused = new Set(); // not to be fetched again

  function stock(films) {
    wanted = new Set(films.flatMap(({ url, captions }) => [addressOf(url), addressOf(captions)]).filter(Boolean));
    turn = turn.then(clear).catch(() => {});
    for (const address of wanted) if (!queued.has(address)) queue(address);
  }

  function queue(address) {
    queued.add(address);
    turn = turn.then(() => keep(address)).catch(() => {}).then(() => { queued.delete(address); settled.add(address); });
    if (!tried.has(address)) tried.set(address, turn);
  }

  /** Lets go of what is not wanted; what is there need not be tried. */
  async function clear() {
    const cache = await caches.open(name);
    const others = (await cache.keys()).filter(({ url }) => !wanted.has(url));
    await Promise.all(others.map((one) => cache.delete(one)));
    for (const { url } of await cache.keys()) settled.add(url);
  }

  async function keep(address) {
    const cache = await caches.open(name);
    if (!wanted.has(address) || refused.has(address) || (await cache.match(address))) return;
    const room = Math.min(largest, most - (await taken(cache)));
    try {
      const file = await fetched(address, room);
      if (wanted.has(address)) await cache.put(address, new Response(file, { headers: { "content-type": file.type, "content-length": file.size } }));
    } catch (error) {
      if (FULL.includes(error.name)) refused.add(address);
    }
  }

  /** What is kept of an address, or will be once it has been tried, as one of this page; or null. */
  async function kept(address) {
    try {
      const look = async () => address && (await caches.open(name)).match(address);
      const file = (await look()) ?? (await tried.get(address), await look());
      return file ? URL.createObjectURL(await file.blob()) : null;
    } catch {
      return null; // a page that may keep nothing
    }
  }

  const files = ({ url, captions }) => [addressOf(url), addressOf(captions)];

  /** → { url, captions, release() }: to play from until it is released. */
  async function take(film) {
    const own = await Promise.all(files(film).map(kept));
    const [url, captions] = own.map((one, i) => one ?? [film.url, film.captions][i]);
    return { url, captions, release: () => own.forEach((one) => one && URL.revokeObjectURL(one)) };
  }

  async function unfit(film) {
    const address = addressOf(film.url);
    refused.add(address);
    await (await caches.open(name)).delete(address);
  }

  return { stock, take, unfit, ready: (film) => files(film).every((one) => !tried.has(one) || settled.has(one)) };
}

/** Bytes that are kept. */
async function taken(cache) {
  const all = await cache.matchAll();
  return all.reduce((sum, one) => sum + Number(one.headers.get("content-length")), 0);
}

/** The file. RangeError: it is longer than `room` bytes; another error: it does not come. */
async function fetched(address, room) {
  const control = new AbortController();
  const rest = { room };
  let guard = 0;
  const alive = () => { clearTimeout(guard); guard = setTimeout(() => control.abort(), SILENCE); };
  try {
    alive();
    const answer = await fetch(address, { signal: control.signal, credentials: "omit", cache: "no-store" });
    const type = answer.headers.get("content-type") ?? "";
    if (answer.status !== 200 || type.startsWith("text/html")) throw new TypeError(address); // a host's excuses
    if (Number(answer.headers.get("content-length")) > room) throw new RangeError(address);
    return await new Response(answer.body.pipeThrough(measure(rest, alive)), { headers: { "content-type": type } }).blob();
  } catch (error) {
    throw rest.room < 0 ? new RangeError(address) : error; // a stream's own error is not handed on
  } finally {
    clearTimeout(guard);
    control.abort();
  }
}

/** Lets as many bytes through as there is room for, and tells of each part. */
function measure(rest, alive) {
  const transform = (part, to) => {
    alive();
    rest.room -= part.byteLength;
    if (rest.room < 0) to.error(new RangeError());
    else to.enqueue(part);
  };
  return new TransformStream({ transform });
}
