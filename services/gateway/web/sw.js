// Beside KEPT = { version, files }, which the gateway writes above: what a phone keeps of the pages
// so that they open without a connection, and the messages that are pushed to it.

const CACHE = `tunggu-${KEPT.version}`;
const SHELL = "/t/-";

addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(KEPT.files)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("tunggu-") && name !== CACHE);
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))).then(() => clients.claim()));
});

// The API and its streams always go to the network; the pages say themselves how old data are.
addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin || pathname.startsWith("/v1/")) return;
  if (request.mode === "navigate") {
    if (pathname === "/" || pathname.startsWith("/t/")) event.respondWith(page(request, pathname));
  } else if (pathname.startsWith("/web/") || KEPT.files.includes(pathname)) {
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
  }
});

/** The page from the network, and from what is kept if there is none within four seconds. */
async function page(request, pathname) {
  try {
    return await fetch(request, { signal: AbortSignal.timeout(4000) });
  } catch {
    return (await caches.match(pathname === "/" ? "/" : SHELL, { ignoreSearch: true })) ?? Response.error();
  }
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
