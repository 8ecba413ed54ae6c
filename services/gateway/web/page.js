// The plain page: the server's state, shown; what the phone keeps is its holder key,
// its ticket ids and the last state it saw. Text enters the page as textContent only.

const english = new URLSearchParams(location.search).get("lang") === "en";
const say = (id, en) => (english ? en : id);
const $ = (id) => document.getElementById(id);
const kept = (name, fallback) => JSON.parse(localStorage.getItem(`tunggu.${name}`) ?? "null") ?? fallback;
const keep = (name, value) => localStorage.setItem(`tunggu.${name}`, JSON.stringify(value));
const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
const states = {
  WAITING: say("Menunggu", "Waiting"), CALLED: say("Dipanggil", "Called"), SERVING: say("Sedang dilayani", "Being served"),
  COMPLETED: say("Selesai", "Completed"), NO_SHOW: say("Terlewat", "Missed"), ON_HOLD: say("Ditunda", "On hold"),
  CANCELLED: say("Dibatalkan", "Cancelled"), LAPSED: say("Hangus", "Lapsed"),
};
const reasons = { POWER: say("listrik padam", "no electricity"), DISASTER: say("keadaan darurat", "an emergency"), FULL: say("antrean penuh", "a full queue"), OTHER: say("keputusan kantor", "the office's decision") };
const verbs = { WAITING: ["checkIn", "cancel"], ON_HOLD: ["checkIn", "return", "cancel"], NO_SHOW: ["return", "cancel"] };
const over = (ticket) => ["COMPLETED", "CANCELLED", "LAPSED"].includes(ticket.state) ||
  (ticket.state === "NO_SHOW" && !(Date.parse(ticket.returnBy) > Date.now()));
const holder = kept("holder", random());
const mine = kept("tickets", {}); // by id, as last seen
keep("holder", holder);
function el(tag, text, ...children) {
  const made = document.createElement(tag);
  made.textContent = text;
  made.append(...children);
  return made;
}
function translate(root) {
  if (english) for (const one of root.querySelectorAll("[data-en]")) one.textContent = one.dataset.en;
}
// --- live: one EventSource a name; the page says when any of them is not live --------

const live = new Map();
const stale = new Set();
function mark(name, isStale) {
  if (isStale) stale.add(name); else stale.delete(name);
  $("stale").hidden = stale.size === 0;
}
function follow(name, event, url, show) {
  if (live.has(name)) return;
  const source = new EventSource(url);
  live.set(name, source);
  source.addEventListener(event, (message) => { mark(name, false); show(JSON.parse(message.data)); });
  source.addEventListener("open", () => mark(name, false));
  setTimeout(() => { if (live.get(name) === source && source.readyState === EventSource.CONNECTING) mark(name, true); }, 1000);
  source.addEventListener("stale", () => mark(name, true));
  source.addEventListener("fresh", () => mark(name, false));
  source.onerror = () => {
    if (live.get(name) !== source) return;
    mark(name, true);
    if (source.readyState !== EventSource.CLOSED) return;
    live.delete(name); // refused rather than broken off: the browser would not try again
    setTimeout(() => { if (stale.has(name)) follow(name, event, url, show); }, 5000);
  };
}
function leave(name) {
  live.get(name)?.close();
  live.delete(name);
  mark(name, false);
}
async function ask(method, path, body, headers = {}) {
  const options = { method, headers: { "Accept-Language": english ? "en" : "id", ...headers } };
  if (body) Object.assign(options, { body: JSON.stringify(body) }).headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(path, options);
    const value = await answer.json();
    $("problem").hidden = answer.ok;
    if (!answer.ok) $("problem").textContent = value.detail ?? value.title;
    return { ok: answer.ok, value };
  } catch {
    $("problem").hidden = false;
    $("problem").textContent = say("Tidak ada sambungan. Coba lagi.", "No connection. Try again.");
    return { ok: false, value: {} };
  }
}
// --- my tickets ---------------------------------------------------------------------

const minutes = ({ p50Seconds, p90Seconds }) =>
  `${Math.ceil(p50Seconds / 60)}–${Math.ceil(p90Seconds / 60)} ${say("menit", "minutes")}`;
function waitOf(ticket) {
  if (ticket.state === "CALLED") return say(`Silakan ke loket ${ticket.counter}`, `Please go to counter ${ticket.counter}`);
  if (ticket.state !== "WAITING") return ticket.counter && say(`Loket ${ticket.counter}`, `Counter ${ticket.counter}`);
  const place = say(`${ticket.ahead} orang sebelum Anda`, `${ticket.ahead} ahead of you`);
  return ticket.forecast ? `${place} · ${say("kira-kira", "about")} ${minutes(ticket.forecast)}` : place;
}
function showMine() {
  $("mine").replaceChildren(...Object.values(mine).map((ticket) => {
    const card = $("ticket").content.cloneNode(true).firstElementChild;
    translate(card);
    card.classList.add(ticket.state);
    card.querySelector(".number").textContent = ticket.number;
    card.querySelector(".state").textContent = `${states[ticket.state]} · ${ticket.serviceDay}${ticket.present ? say(" · sudah di tempat", " · here") : ""}`;
    card.querySelector(".wait").textContent = waitOf(ticket);
    for (const button of card.querySelectorAll("button")) {
      const verb = button.dataset.verb;
      button.hidden = verb ? !verbs[ticket.state]?.includes(verb) || (verb === "checkIn" && ticket.present) : !over(ticket);
      button.onclick = () => (verb ? act(ticket, verb, button) : forget(ticket.id));
    }
    return card;
  }));
}
function know(ticket) {
  mine[ticket.id] = ticket;
  keep("tickets", mine);
  showMine();
  const name = `ticket ${ticket.id}`;
  if (over(ticket)) leave(name);
  else follow(name, "ticket", `/v1/streams/tickets/${ticket.id}`, know);
}
function forget(id) {
  leave(`ticket ${id}`);
  delete mine[id];
  keep("tickets", mine);
  showMine();
}
async function refresh(id) {
  const { ok, value } = await ask("GET", `/v1/tickets/${id}`);
  if (value.status === 404) forget(id);
  else if (ok || mine[id]) know(ok ? value : mine[id]);
}
async function act(ticket, verb, button) {
  button.disabled = true;
  const { ok, value } = await ask("POST", `/v1/tickets/${ticket.id}:${verb}`, null, { "Idempotency-Key": random() });
  button.disabled = false;
  if (ok) know(value.ticket);
}
async function take(kecamatan, service) {
  const lane = document.querySelector("[name=lane]:checked").value;
  const wish = [kecamatan, service, lane].join();
  const key = kept("wish", {})[wish] ?? random(); // the same until an answer comes: one number, however often
  keep("wish", { [wish]: key });
  const { ok, value } = await ask("POST", `/v1/kecamatan/${kecamatan}/tickets`, { service, lane }, { "Idempotency-Key": key, "Tunggu-Holder": holder });
  if (ok || value.reason) keep("wish", {});
  if (ok) know(value.ticket);
  if (value.ticketId) refresh(value.ticketId); // it is ours already
}
// --- the offices and one office -----------------------------------------------------------

function showCity({ kecamatan }) {
  keep("city", { kecamatan });
  $("offices").replaceChildren(...kecamatan.map((office) => {
    const wait = office.forecast ? ` · ${minutes(office.forecast)}` : "";
    const state = office.open ? say("buka", "open") : say("tutup", "closed");
    const line = el("a", "", el("strong", office.name), el("span", `${state} · ${office.waiting} ${say("menunggu", "waiting")}${wait}`));
    line.href = `#${office.code}`;
    return el("li", "", line);
  }));
}
function showBoard(board) {
  keep("board", board);
  $("notice").hidden = !board.notice;
  $("notice").textContent = `${say("Pengambilan nomor dihentikan", "No numbers for now")}: ${reasons[board.notice] ?? board.notice}`;
  $("counters").replaceChildren(...board.counters.filter((one) => one.state === "OPEN").map((one) =>
    el("li", `${say("Loket", "Counter")} ${one.id}: ${one.ticket ? `${one.ticket.number} · ${states[one.ticket.state]}` : say("kosong", "free")}`)));
  $("lines").replaceChildren(...board.services.flatMap((one) =>
    [el("dt", `${one.code} · ${one.name}`), el("dd", one.waiting.join(", ") || "–")]));
  $("event").textContent = `${board.day} / ${board.event}`;
}
async function showOffice(code) {
  const { ok, value } = await ask("GET", `/v1/kecamatan/${code}`);
  if (!ok || location.hash.slice(1) !== code) return;
  $("name").textContent = `Kecamatan ${value.name}`;
  $("services").replaceChildren(...value.services.map((service) => {
    const button = el("button", `${service.code} · ${service.name}`);
    button.onclick = async () => { button.disabled = true; await take(code, service.code); button.disabled = false; };
    return button;
  }));
}
function route() {
  const code = location.hash.slice(1);
  for (const name of [...live.keys()]) if (!name.startsWith("ticket ") && name !== (code || "city")) leave(name);
  $("city").hidden = Boolean(code);
  $("office").hidden = !code;
  if (!code) { follow("city", "city", "/v1/streams/city", showCity); return; }
  const last = kept("board", {});
  if (last.kecamatan === code) showBoard(last);
  follow(code, "board", `/v1/streams/kecamatan/${encodeURIComponent(code)}/board`, showBoard);
  showOffice(code);
}
translate(document);
if (english) { document.documentElement.lang = "en"; Object.assign($("language"), { href: "?lang=id", textContent: "Bahasa Indonesia", lang: "id" }); }
if (kept("city", null)) showCity(kept("city"));
showMine();
Object.keys(mine).forEach(refresh);
addEventListener("hashchange", route);
route();
