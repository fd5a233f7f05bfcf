/** Cc: C0 (U+0000 to U+001F), DEL and C1 (U+0080 to U+009F); then LINE SEPARATOR and PARAGRAPH SEPARATOR. */
const control = /[\p{Cc}\u2028\u2029]/u;

/**
 * Whether a text may be shown to others: chat, names of rooms and gifts, reasons. This function checks every such text.
 *
 * The rule: it is well-formed Unicode, and one line without control characters. Half of a surrogate pair becomes
 * another text when it is encoded. Control characters break lines in logs, control terminals, and end strings in the
 * languages of some clients.
 *
 * Format characters (Cf) are allowed: zero-width joiners and non-joiners are part of Persian, of the scripts of India
 * and of emoji; marks, isolates and overrides of direction belong to Arabic and Hebrew. Whoever shows a text must
 * isolate its direction (HTML: a block of its own, `<bdi>`, or `unicode-bidi: isolate`).
 */
export function isShownText(text: string): boolean {
  return text.isWellFormed() && !control.test(text);
}
