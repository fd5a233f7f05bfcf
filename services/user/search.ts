import { limits } from "../../config/limits.ts";
import { isExternalId, isUserId } from "../fields.ts";
import { phoneFailure } from "./login-form.ts";
import type { FoundUser } from "./staff.contract.ts";

/** What a search of staff may stand for. Pure. */

/**
 * The kinds that the text has the form of, in the order in which hits are shown. Who may not see phones (`mayPhone`) finds
 * by the digits that are shown anyway: with more of them a phone could be guessed digit by digit.
 */
export function kindsOf(q: string, mayPhone: boolean): FoundUser["by"][] {
  const { phoneEndShown: shown, phoneEndDigitsMin, phoneEndDigitsMax } = limits.lookup;
  const [least, most] = mayPhone ? [phoneEndDigitsMin, phoneEndDigitsMax] : [shown, shown];
  return [
    ...(isUserId(q) ? ["userId" as const] : []),
    ...(isExternalId(q) ? ["externalId" as const] : []),
    ...(mayPhone && phoneFailure(q) === undefined ? ["phone" as const] : []),
    ...(new RegExp(`^\\d{${least},${most}}$`).test(q) ? ["phoneEnd" as const] : []),
  ];
}

/** A phone's last digits, as they may be shown. */
export function shownEnd(phone: string): string {
  return phone.slice(-limits.lookup.phoneEndShown);
}

/** The beginning of the reversed phone by which an end is found. */
export function reversed(end: string): string {
  return [...end].reverse().join("");
}
