import type { BillLine } from "../payment.contract.ts";

/** The lengths of the columns that store these ids. */
const orderIdChars = 80;
const transactionIdChars = 64;
const refundIdChars = 64;

/**
 * A line of a bill.
 * @throws RangeError where an id is longer than its column, or the amount is invalid.
 */
export function billLine(
  line: Omit<BillLine, "amount" | "refundId"> & { amount: number | null; refundId?: string | undefined },
): BillLine {
  const { refundId = "", amount, ...common } = line;
  if (common.orderId.length > orderIdChars || common.transactionId.length > transactionIdChars)
    throw new RangeError("a bill with an invalid id");
  if (amount === null) throw new RangeError("a bill with an invalid amount");
  // Only people read the number of a refund, so a longer one is cut.
  return { ...common, amount, ...(refundId === "" ? {} : { refundId: refundId.slice(0, refundIdChars) }) };
}

/** The rows of a bill as fields by the names of its heading. Text before the heading and after the rows is ignored. */
export function tableOf(
  text: string,
  heading: (line: string) => boolean,
  fieldsOf: (line: string) => string[] | null,
): Record<string, string>[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const at = lines.findIndex(heading);
  if (at < 0) throw new RangeError("a bill without its heading");
  const names = (lines[at] as string).split(",").map((name) => name.trim());
  const rows: Record<string, string>[] = [];
  for (const line of lines.slice(at + 1)) {
    const fields = fieldsOf(line);
    if (fields === null) break;
    rows.push(Object.fromEntries(names.map((name, index) => [name, (fields[index] ?? "").trim()])));
  }
  return rows;
}
