// What the browser keeps, as JSON under `tunggu.`; a browser that keeps nothing is fine too.

export function kept(name, fallback = null, where = localStorage) {
  try {
    return JSON.parse(where.getItem(`tunggu.${name}`)) ?? fallback;
  } catch {
    return fallback;
  }
}

export function keep(name, value, where = localStorage) {
  try {
    if (value === null || value === undefined) where.removeItem(`tunggu.${name}`);
    else where.setItem(`tunggu.${name}`, JSON.stringify(value));
  } catch {
    // full or forbidden: the page works, it only forgets
  }
}

/** 128 random bits in hex: a request's id, a holder's key. */
export function random() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}
