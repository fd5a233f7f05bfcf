/** Fen as yuan, e.g. 3000 as 30.00. It works on digits, since a division would round large amounts. */
export function yuan(fen: number): string {
  const digits = String(fen).padStart(3, "0");
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Yuan with at most two decimals as fen, by digits; `null` where the text is no amount or no safe integer. */
export function fenOf(text: string): number | null {
  const [, whole, decimals = ""] = /^(\d{1,14})(?:\.(\d{1,2}))?$/.exec(text) ?? [];
  if (whole === undefined) return null;
  const fen = Number(whole + decimals.padEnd(2, "0"));
  return Number.isSafeInteger(fen) ? fen : null;
}
