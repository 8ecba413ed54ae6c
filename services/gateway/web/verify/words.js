// What was found, in words: texts by code, with the journal's short words put into people's.

import { t, word } from "../core/i18n.js";

const KINDS = {
  type: (value) => word(`event.${value}`, value), state: (value) => word(`state.${value}`, value),
  ch: (value) => word(`channel.${value}`, value), why: (value) => word(`why.${value}`, value),
};
const TOTALS = /\b(issued|done|noshow|cancel|lapsed)\b/g;

/** The facts of a finding as they are read. */
function told(code, facts) {
  const said = {};
  for (const [name, value] of Object.entries(facts)) said[name] = KINDS[name]?.(value) ?? value;
  if (code === "TALLY_WRONG") for (const name of ["found", "expected"]) said[name] = facts[name].replace(TOTALS, (one) => t(`tally.${one}`));
  if (code === "RESUME_OTHER_REASON") for (const name of ["found", "expected"]) said[name] = KINDS.why(facts[name]);
  if (code === "POLICY_DIFFERS") for (const name of ["found", "expected"]) said[name] = `${facts[name].slice(0, 8)}…`;
  if (code === "CALL_NOT_NEXT" && !facts.expected) said.expected = t("story.nobody");
  return said;
}

export const breachText = ({ code, event, line, facts }) => t(`breach.${code}`, { event, line, ...told(code, facts) });
export const questionText = ({ code, event, facts }) => t(`question.${code}`, { event, ...told(code, facts) });

const minutes = (seconds) => (seconds % 3600 === 0 && seconds ? t("rule.hours", { n: seconds / 3600 }) : seconds % 60 === 0 && seconds ? t("rule.minutes", { n: seconds / 60 }) : t("rule.seconds", { n: seconds }));

/** The policy's rule, a sentence each. */
export function ruleTexts({ rule, hours }, hour) {
  return [
    t("rule.order"),
    rule.priorityAfter ? t("rule.priority", { n: rule.priorityAfter }) : t("rule.priorityFirst"),
    t("rule.absent", { calls: rule.skipCalls, after: minutes(rule.skipAfter) }),
    rule.returnTimes ? t("rule.return", { within: minutes(rule.returnWithin), after: rule.returnAfterCalls, n: rule.returnTimes }) : t("rule.noReturn"),
    rule.holdTimes ? t("rule.hold", { n: rule.holdTimes, within: minutes(rule.holdWithin) }) : t("rule.noHold"),
    rule.transfers ? t("rule.transfer", { n: rule.transfers }) : t("rule.noTransfer"),
    hours.length ? t("rule.issuing", { hours: hours.map((pair) => pair.map(hour).join("–")).join(", ") }) : t("rule.closed"),
  ];
}

/** A line of a number's story: what happened, why by the rule (empty if that asks for nothing), and
 * who was called before it. */
export function storyText(line, { rule, serviceName, clock }) {
  const values = { c: line.c, n: line.ahead, calls: line.calls, after: line.after, s: serviceName(line.s), channel: line.channel && t(`channel.${line.channel}`) };
  const key = line.e === "issue" && line.l === "P" ? "issue.P" : line.e === "return" && line.after ? "return.later" : line.e;
  const lawful = line.why && line.why !== "BREACH";
  return { said: t(`story.${key}`, values), why: lawful ? t(`because.${line.why}`, { n: rule.priorityAfter }) : "", passed: passed(line, rule, clock) };
}

const passed = (line, rule, clock) => line.passed.map(({ k, c, t: at, why }) => t(`passed.${why}`, { k, c, time: clock(at), n: rule.priorityAfter }));
