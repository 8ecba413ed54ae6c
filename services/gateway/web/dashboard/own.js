// What only the head of the office may ask: with the token, and asked again once it has run out.

import { get } from "../core/api.js";
import { drop, token } from "../core/auth.js";
import { word, t } from "../core/i18n.js";
import { ask } from "../core/signin.js";

export async function own(path) {
  const answer = await get(path, { token: token() || await ask() });
  if (answer.status !== 401) return answer;
  drop();
  await ask();
  return own(path);
}

/** A refusal in words: the service's own, or what the page knows of the line. */
export const said = (problem) => problem.detail ?? word(`error.${problem.reason}`, t("error.other"));
