import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BillLine } from "../../payment.contract.ts";
import { fenOf, yuan } from "../../yuan.ts";
import { billLine, tableOf } from "../csv-bill.ts";

/** A line of the cashier's bill, with its time. */
export interface DatedLine extends BillLine {
  readonly time: Date;
}

const heading = "time,transaction,order,kind,yuan";

/** The bill as text: a heading, the lines, and their number, by which a truncated file is recognized. */
export function billText(lines: readonly DatedLine[]): string {
  const rows = lines.map(({ time, transactionId, orderId, kind, amount }) =>
    [time.toISOString(), transactionId, orderId, kind, yuan(amount)].join(","),
  );
  return `${[heading, ...rows, `#lines,${lines.length}`].join("\n")}\n`;
}

/** @throws RangeError where it is not a complete bill of the cashier. */
export function readCashierBill(text: string): BillLine[] {
  const isRow = (line: string) => line !== "" && !line.startsWith("#");
  const rows = tableOf(
    text,
    (line) => line === heading,
    (line) => (isRow(line) ? line.split(",") : null),
  );
  if (!text.includes(`\n#lines,${rows.length}\n`)) throw new RangeError("an incomplete bill");
  return rows.map(({ kind, order = "", transaction = "", yuan: text = "" }) => {
    if (kind !== "paid" && kind !== "refunded") throw new RangeError("a line that is none");
    return billLine({ kind, orderId: order, transactionId: transaction, amount: fenOf(text) });
  });
}

/** Writes a day's bill into the folder and returns its path. A file with this path is always complete. */
export async function writeBill(folder: string, date: string, lines: readonly DatedLine[]): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o750 });
  const path = join(folder, `cashier-${date}.csv`);
  const unfinished = `${path}.${randomUUID()}`;
  await writeFile(unfinished, billText(lines), { mode: 0o640 });
  await rename(unfinished, path);
  return path;
}

export async function readBillFile(path: string): Promise<BillLine[]> {
  return readCashierBill(await readFile(path, "utf8"));
}
