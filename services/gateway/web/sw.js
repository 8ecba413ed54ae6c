// Beside KEPT = { name, version, files, pages }, which the gateway writes above (offline.py): what a
// device keeps of the pages so that they open without a connection, and what is pushed to a phone.

const CACHE = `tunggu-${KEPT.name}-${KEPT.version}`;

addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => Promise.all(KEPT.files.map((file) => stock(cache, file)))).then(keepOpen).then(() => skipWaiting()));
});

/** While a release is rolled out a gateway of another one may answer; then this worker comes later. */
async function stock(cache, file) {
  const answer = await fetch(file);
  const type = answer.headers.get("content-type") ?? "";
  const ours = file.startsWith("/web/") ? (answer.headers.get("cache-control") ?? "").includes("immutable")
    : !type.startsWith("text/html") || ofThis(await answer.clone().text());
  if (!answer.ok || !ours) throw new TypeError(file);
  await cache.put(file, answer);
}

/** Whether a page is of this release: one of another would miss its scripts. */
const ofThis = (html) => html.includes(`/web/${KEPT.version}/`);

addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(former).map((name) => caches.delete(name)))).then(() => clients.claim()));
});

/** Of this worker's former releases, the first of which gave their caches no worker's name. */
const former = (name) => name !== CACHE && (name.startsWith(`tunggu-${KEPT.name}-`) || /^tunggu-\w+$/.test(name));

/** What this worker keeps: another's files are of another release, or as another page left them. */
const match = (request, options) => caches.open(CACHE).then((cache) => cache.match(request, options));

// The API and its streams always go to the network; the pages say themselves how old data are.
addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin || pathname.startsWith("/v1/")) return;
  if (request.mode === "navigate") {
    if (standIn(pathname)) event.respondWith(page(event, pathname));
  } else if (pathname.startsWith("/web/") || KEPT.files.includes(pathname)) {
    event.respondWith(match(request).then((kept) => kept ?? fetch(request)));
  }
});

const own = (pathname) => Object.keys(KEPT.pages).find((start) => pathname === start || (start !== "/" && pathname.startsWith(start)));

/** The kept page that stands for an address: one of the files, or itself as it was last seen. */
const standIn = (pathname) => own(pathname) && (KEPT.pages[own(pathname)] || pathname);

/** The page from the network; what is kept if nothing better comes within four seconds. */
async function page(event, pathname) {
  const answer = await fetch(event.request, { signal: AbortSignal.timeout(4000) }).catch(() => null);
  if (!answer || answer.status >= 500) return (await match(standIn(pathname), { ignoreSearch: true })) ?? answer ?? Response.error();
  event.waitUntil(see(pathname, answer.clone()));
  return answer;
}

/** Keeps a page as it was seen; for one of another release its own worker comes. */
async function see(pathname, answer) {
  if (!answer.ok || KEPT.pages[own(pathname)] !== "") return;
  if (ofThis(await answer.clone().text())) await (await caches.open(CACHE)).put(pathname, answer);
}

/** The pages that were open before this worker. */
async function keepOpen() {
  const windows = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const seen = windows.map(({ url }) => new URL(url).pathname).filter((pathname) => KEPT.pages[own(pathname)] === "");
  await Promise.all(seen.map((pathname) => fetch(pathname).then((answer) => see(pathname, answer)).catch(() => {})));
}

// { id, kind, title, body, url, language }. What is pushed must be shown, whatever it is.
addEventListener("push", (event) => {
  const told = read(event.data);
  const options = { body: told.body ?? "", tag: told.tag ?? told.url ?? "tunggu", lang: told.language ?? "id", icon: "/icon-192.png", badge: "/icon-192.png", renotify: true, requireInteraction: told.kind === "CALLED", vibrate: [300, 120, 300], data: { url: told.url ?? "/" } };
  event.waitUntil(registration.showNotification(told.title ?? "Tunggu", options));
});

function read(data) {
  try {
    return data.json();
  } catch {
    return {};
  }
}

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.url));
});

/** The ticket's page if it is open somewhere, else a new one; only ever one of ours. */
async function open(url) {
  const there = new URL(url, location.origin);
  if (there.origin !== location.origin) return;
  const windows = await clients.matchAll({ type: "window" });
  const found = windows.find((one) => new URL(one.url).pathname === there.pathname);
  await (found ? found.focus() : clients.openWindow(there.pathname));
}
