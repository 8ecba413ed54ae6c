// "Tell me": Web Push and WhatsApp, as far as the deployment offers them; otherwise nothing shows.

import { act, get } from "../core/api.js";
import { $, show, text } from "../core/dom.js";
import { language, t, word } from "../core/i18n.js";

let offers = null; // by channel: the key that ListChannels gives
const LANGUAGE = language === "en" ? "EN" : "ID";

export async function notifying(id, useful) {
  offers ??= ask(id);
  const { WEB_PUSH: key, WHATSAPP: number } = await offers;
  show($("#notify"), useful && Boolean((key && pushable()) || number));
}

const pushable = () => "PushManager" in window && "Notification" in window && "serviceWorker" in navigator;

async function ask(id) {
  const { ok, value } = await get("/v1/notify/channels");
  const found = ok ? Object.fromEntries(value.channels.map(({ channel, key }) => [channel, key])) : {};
  if (found.WEB_PUSH && pushable()) offer($("#push"), () => push(id, found.WEB_PUSH));
  if (found.WHATSAPP) offer($("#whatsapp"), () => whatsapp(id));
  return found;
}

function offer(button, press) {
  show(button, true);
  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    await press().catch(() => say(t("error.other")));
    button.removeAttribute("aria-busy");
  });
}

function say(words) {
  text($("#notify-said"), words);
  show($("#notify-said"), true);
}

const subscribe = (id, target) => act(`notify ${id}`, `/v1/tickets/${id}/subscriptions`, { ...target, language: LANGUAGE });
const refused = ({ problem }) => say(problem.detail ?? word(`error.${problem.reason}`, t("error.other")));

async function push(id, key) {
  if ((await Notification.requestPermission()) !== "granted") { say(t("notify.pushDenied")); return; }
  const worker = await navigator.serviceWorker.ready;
  const there = await worker.pushManager.getSubscription();
  const subscription = there ?? await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
  const { endpoint, keys } = subscription.toJSON();
  const answer = await subscribe(id, { webPush: { endpoint, keys } });
  if (!answer.ok) { refused(answer); return; }
  show($("#push"), false);
  say(t("notify.pushOn"));
}

/** The citizen writes first: the link opens the conversation with the code in it. */
async function whatsapp(id) {
  const answer = await subscribe(id, { whatsapp: {} });
  if (!answer.ok) { refused(answer); return; }
  const { link } = answer.value.subscription;
  if (!/^https:\/\/wa\.me\//.test(link)) throw new TypeError("no WhatsApp link");
  $("#whatsapp-link").href = link;
  show($("#whatsapp"), false);
  show($("#whatsapp-link"), true);
}

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
