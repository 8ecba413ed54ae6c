// Tells the test what the browser gave it, decrypted.
addEventListener("install", (event) => event.waitUntil(skipWaiting()));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("push", (event) => event.waitUntil(received(event.data.json())));

async function received(told) {
  await fetch("/received", { method: "POST", body: JSON.stringify(told) });
  // Without a desktop there is nothing to show it on, and Firefox says so.
  await registration.showNotification(told.title, { body: told.body, tag: told.id }).catch(() => {});
}
