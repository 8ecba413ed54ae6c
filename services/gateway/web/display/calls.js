// Which of the board's calls are news, and in what order they are said.

const NEWS = 30_000; // ms after which a call that was missed is history: shown, not said
export const MOST_REPEATS = 2;

/**
 * What has been called since `heard`, { day, event } of the last call that is known, null at the
 * very beginning, when all calls are history. `gap`: ms since what was shown was last the present.
 * → { calls, heard }, oldest first. A recall is a call. Ages are told by the queue's clock alone.
 */
export function news(board, heard, gap) {
  const known = heard && heard.day === board.day ? heard.event : -1;
  const newest = board.calls.reduce((most, one) => Math.max(most, one.event), known);
  const said = { calls: [], heard: { day: board.day, event: newest } };
  if (!heard || gap > NEWS) return said;
  const old = Date.parse(board.at) - NEWS;
  said.calls = board.calls.filter((one) => one.event > known && Date.parse(one.at) > old);
  said.calls.sort((a, b) => a.event - b.event);
  return said;
}

/**
 * Says calls one at a time. `say(call)` is a promise. A later call of a number takes the place of
 * an earlier one that still waits; `repeats` (at most 2) follow after all others.
 */
export function caller(say, repeats = 0) {
  let waiting = [];
  let busy = false;
  const again = Math.min(Math.max(Math.trunc(repeats) || 0, 0), MOST_REPEATS);

  async function work() {
    busy = true;
    for (let call = waiting.shift(); call; call = waiting.shift()) {
      await say(call).catch(() => {});
      const superseded = waiting.some((one) => one.number === call.number);
      if (call.left > 0 && !superseded) waiting.push({ ...call, left: call.left - 1 });
    }
    busy = false;
  }

  return (call) => {
    waiting = waiting.filter((one) => one.number !== call.number);
    waiting.push({ ...call, left: again });
    if (!busy) work();
  };
}
