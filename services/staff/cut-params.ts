import { limits } from "../../config/limits.ts";

/**
 * A call's params as JSON for the audit. Where they are longer than `limits.staff.auditParamsBytes`, `{"cut": "…"}` has
 * their beginning.
 */
export function cutParams(params: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(params);
  const most = limits.staff.auditParamsBytes;
  if (Buffer.byteLength(text) <= most) return text;
  for (let chars: number = most; ; chars = Math.floor(chars / 2)) {
    const cut = JSON.stringify({ cut: `${text.slice(0, chars)}…`.toWellFormed() });
    if (Buffer.byteLength(cut) <= most) return cut;
  }
}
