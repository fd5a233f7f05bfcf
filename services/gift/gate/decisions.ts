import { fieldsOf } from "../../../broker/unknown-values.ts";
import { limits } from "../../../config/limits.ts";
import { isShownText } from "../../shown-text.ts";

const { codeMax, msgChars } = limits.gift.gate;

/** Why the platform refused a gift, in its own words. */
export interface GateRefusal {
  /** 1 to `limits.gift.gate.codeMax`; the platform's own, not one of this system. */
  readonly code?: number;
  /** One line of at most `limits.gift.gate.msgChars` characters. */
  readonly msg?: string;
}

export type Decision = "allowed" | GateRefusal;

/**
 * The decisions of an answer, by order. An order with two decisions, or with one that is malformed, has none. A code or
 * text that may not be shown is left out of a refusal, which stays one.
 * @throws Error where the answer is no list of decisions
 */
export function decisionsOf(text: string): Map<string, Decision> {
  const { decisions } = fieldsOf(JSON.parse(text)) ?? {};
  if (!Array.isArray(decisions)) throw new Error("it has no list of decisions");
  const found = new Map<string, Decision>();
  const seen = new Set<string>();
  for (const one of decisions) {
    const { orderId, allow, code, msg } = fieldsOf(one) ?? {};
    if (typeof orderId !== "string") continue;
    if (seen.has(orderId)) found.delete(orderId);
    else if (allow === true) found.set(orderId, "allowed");
    else if (allow === false) found.set(orderId, { ...shownCode(code), ...shownMsg(msg) });
    seen.add(orderId);
  }
  return found;
}

function shownCode(code: unknown): GateRefusal {
  return Number.isSafeInteger(code) && (code as number) >= 1 && (code as number) <= codeMax
    ? { code: code as number }
    : {};
}

/** Control characters become blanks, so that a text of several lines is shown as one. */
function shownMsg(msg: unknown): GateRefusal {
  if (typeof msg !== "string") return {};
  const oneLine = msg
    .slice(0, 4 * msgChars)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u2028\u2029\s]+/gu, " ")
    .trim();
  const shown = [...oneLine].slice(0, msgChars).join("");
  return shown !== "" && isShownText(shown) ? { msg: shown } : {};
}
