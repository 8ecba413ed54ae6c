// An answer on its way: sent until it is answered, once for each completed ticket.

import { act, unanswered } from "../core/api.js";
import { drop, token } from "../core/auth.js";
import { ask } from "../core/signin.js";
import { keep, kept } from "../core/store.js";

const STILL = 10 * 60_000; // ms after which the survey takes no answer any more

/** Resolves with { ok, status, problem }. `name` is the completion's own. */
export async function send(name, path, body) {
  keep("answering", name);
  const key = token() || (await ask());
  const answer = await act(`survey ${name}`, path, body, { token: key });
  if (answer.status !== 401) return answer;
  drop();
  return send(name, path, body);
}

/** What a reload or a broken line left unsent is sent, if it still counts. */
export function resume() {
  const name = kept("answering");
  const entry = name && unanswered(`survey ${name}`);
  if (entry && Date.now() - entry.at < STILL) send(name, entry.path, JSON.parse(entry.body));
}
