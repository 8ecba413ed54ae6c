// What a staff page shows while it has no token that holds: a place to paste one.

import * as auth from "./auth.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

let open = null;

/** Resolves with a token: the one there is, or the one that is pasted into a dialog. */
export function signedIn() {
  const there = auth.arrive();
  return there ? Promise.resolve(there) : ask();
}

/** After a 401, or when `auth.remaining()` runs out. The page behind keeps its state. */
export function ask() {
  open ??= new Promise((done) => dialog(done)).finally(() => { open = null; });
  return open;
}

function dialog(done) {
  const field = h("input", { class: "field", id: "token", type: "password", autocomplete: "off", required: true, "aria-describedby": "token-wrong" });
  const wrong = h("p", { class: "small", id: "token-wrong", role: "alert" });
  const form = h("form", { class: "stack", method: "dialog" },
    h("h2", { id: "signin" }, t("signin.title")), h("p", { class: "soft" }, t("signin.how")),
    h("label", { for: "token" }, t("signin.token")), field, wrong,
    h("button", { class: "button wide" }, t("signin.go")));
  const shown = h("dialog", { "aria-labelledby": "signin", oncancel: (event) => event.preventDefault(), onclose: () => shown.isConnected && shown.showModal() }, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!auth.use(field.value)) { wrong.textContent = t("signin.wrong"); field.select(); return; }
    shown.remove(); // which closes it; closed otherwise (a second Escape) it opens again
    done(auth.token());
  });
  document.body.append(shown);
  shown.showModal();
}
