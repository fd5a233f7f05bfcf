/** Cc: C0 (U+0000 to U+001F), DEL and C1 (U+0080 to U+009F); then LINE SEPARATOR and PARAGRAPH SEPARATOR. */
const control = /[\p{Cc}\u2028\u2029]/u;

/**
 * Whether a text may be shown to others: chat, names of rooms and gifts, reasons. Every such text, whichever way it comes
 * in, is checked by this one function.
 *
 * The rule: it is well-formed Unicode, and it is one line without control characters. Half a surrogate pair is no text:
 * it becomes another one wherever it is encoded. Control characters break lines in logs, steer terminals, and end
 * strings in the languages of some clients.
 *
 * Allowed are format characters (Cf): zero-width joiners and non-joiners spell Persian and the scripts of India and hold
 * emoji together; marks, isolates and overrides of direction belong to Arabic and Hebrew. Who shows a text keeps its
 * direction to itself (HTML: a block of its own, `<bdi>`, or `unicode-bidi: isolate`).
 */
export function isShownText(text: string): boolean {
  return text.isWellFormed() && !control.test(text);
}
