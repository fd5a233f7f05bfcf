import { type FailureName, failures, isFailureName } from "../../config/errors.ts";

export type Language = "zh" | "en";

export const successCode = 200;
export const successText: Readonly<Record<Language, string>> = Object.freeze({ zh: "成功", en: "success" });

/**
 * The reason of a failed order, for people and for programs: the failure's text in the caller's language and its code.
 * An unknown name (of a newer node) is shown as "gift could not be sent".
 */
export function reasonShown(name: string, language: Language): { reason: string; reasonCode: number } {
  const known: FailureName = isFailureName(name) ? name : "giftNotSent";
  return { reason: failures[known][language], reasonCode: failures[known].code };
}
