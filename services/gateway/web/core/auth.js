// A staff page's token: from the link's fragment (#token=…, or #access_token=… as an OpenID
// provider returns it) or pasted. It lives in sessionStorage, so it ends with the tab; it is
// never in a query, a path or a log. The services verify it; here it is only read.

import { keep, kept } from "./store.js";
import { now } from "./time.js";

const TAB = sessionStorage;

/** Takes the token out of the address, so that neither history nor a copied link has it. */
export function arrive() {
  const given = new URLSearchParams(location.hash.slice(1));
  const found = given.get("token") ?? given.get("access_token") ?? given.get("id_token");
  if (found) {
    use(found);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return token();
}

/** Keeps a pasted token; false if it is none or has expired. */
export function use(text) {
  const trimmed = text.trim().replace(/^bearer\s+/i, "");
  const claims = claimsOf(trimmed);
  if (!claims || expired(claims)) return false;
  keep("token", trimmed, TAB);
  return true;
}

export const drop = () => keep("token", null, TAB);

/** The token, or "" if there is none that still holds. */
export function token() {
  const last = kept("token", "", TAB);
  const claims = last && claimsOf(last);
  return claims && !expired(claims) ? last : "";
}

/** { sub, exp, tunggu_role, tunggu_kecamatan } as the token says, or null. */
export const claims = () => claimsOf(token());

/** Whether the token admits a role at the office; the server has the last word. */
export function may(role, kecamatan) {
  const own = claims();
  if (!own) return false;
  const places = list(own.tunggu_kecamatan);
  return list(own.tunggu_role).includes(role) && (places.includes("*") || places.includes(kecamatan));
}

/** ms until the token ends, 0 without one. */
export function remaining() {
  const own = claims();
  return own ? own.exp * 1000 - now() : 0;
}

const list = (value) => (Array.isArray(value) ? value : value ? [value] : []);
const expired = ({ exp }) => !(exp * 1000 > now()); // one that never ends is none of ours

function claimsOf(text) {
  try {
    const [, body, signature] = text.split(".");
    const part = signature && body.replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
  } catch {
    return null;
  }
}
