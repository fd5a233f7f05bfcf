import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { ServiceBroker } from "moleculer";
import { consoleName } from "../broker/bus/subjects.ts";
import { cutList } from "../broker/parts.ts";
import { limits } from "../config/limits.ts";
import { call } from "../services/contracts.ts";
import type { BillLine, DayComparison } from "../services/payment/payment.contract.ts";
import { providerNamed, providers } from "../services/payment/providers.contract.ts";
import { fromConsole } from "./console-node.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";

const USAGE = `Compares a day's orders and refunds with the providers' bills and with the wallet's books, as the payment nodes do
by themselves every day (RECONCILE_AT).

  npm run reconcile -- --date YYYY-MM-DD [--file CHANNEL=PATH]... [--as NAME]

It joins as the console of NAME (npm run operator), or of the only person who has a login here.

The day is Beijing's and must be over; bills are there from about ten in the morning after. They are fetched from the
providers, except for those that are given as files, as the provider has them for download. CHANNEL is
${providers.map(({ name, billFile }) => `  ${name.padEnd(8)} ${billFile}`).join("\n")}
Differences are printed and stored, in the place of an earlier run's; operators list all of them by
/live/admin/reconciliation/differences. Exit code 0: none; 2: some; 1: it could not be done.`;

interface Bill {
  readonly channel: string;
  readonly lines: readonly BillLine[];
}

/** @throws Error where the file is not that channel's bill. */
async function readFileOf(given: string): Promise<Bill> {
  const [, channel = "", path = ""] = /^([a-z]+)=(.+)$/s.exec(given) ?? [];
  const provider = providerNamed(channel);
  if (!provider) throw new Error(`not understood: --file ${given}\n\n${USAGE}`);
  const content = await readFile(path);
  const { readBill } = await provider.load();
  try {
    return { channel, lines: readBill(content) };
  } catch (error) {
    throw new Error(`${path} is no bill of ${channel}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * In portions, since a day's bill is larger than a message may be. @throws Error where one line is too large; then
 * nothing of the bill was stored.
 */
async function handIn(broker: ServiceBroker, date: string, { channel, lines }: Bill): Promise<void> {
  const bounds = { count: limits.payment.billLinesPerCall, bytes: limits.bus.listBytes };
  const portions = cutList(lines, bounds, ({ orderId }, bytes) => {
    throw new Error(`a line of the bill has ${bytes} bytes: ${orderId.slice(0, 80)}`);
  });
  let from = 0;
  for (const portion of portions.length > 0 ? portions : [[]]) {
    await call(broker, "payment.takeBill", { date, channel, from, lines: portion });
    from += portion.length;
  }
}

/** Prints the differences and returns the exit code. */
function show(date: string, results: readonly DayComparison[]): number {
  let all = 0;
  for (const { channel, compared, found, differences } of results) {
    all += found;
    const what = found === 0 ? "no differences" : `${found} differences`;
    console.log(`${date}  ${channel.padEnd(8)} ${compared} compared, ${what}`);
    for (const { kind, orderId, transactionId, detail } of differences)
      console.log(`    ${kind.padEnd(16)} ${orderId}  ${transactionId ?? "-"}  ${detail}`);
    if (found > differences.length)
      console.log(`    ... ${found - differences.length} more: see /live/admin/reconciliation/differences`);
  }
  return all === 0 ? 0 : 2;
}

/** Calls the running system from a node without services, which needs no provider's keys. */
async function main(): Promise<number> {
  requireNode();
  const { values } = parseArgs({
    options: {
      date: { type: "string" },
      file: { type: "string", multiple: true },
      as: { type: "string" },
      help: { type: "boolean" },
    },
  });
  const { date, file = [], as, help } = values;
  if (!date || help) {
    console.log(USAGE);
    return help ? 0 : 1;
  }
  const bills = await Promise.all(file.map(readFileOf));
  const twice = bills.find(({ channel }, at) =>
    bills.some((other, before) => before < at && other.channel === channel),
  );
  if (twice) throw new Error(`--file is given twice for ${twice.channel}: a day has one bill of a channel`);
  return fromConsole({ as, services: ["payment", "wallet"] }, async (broker) => {
    for (const bill of bills) await handIn(broker, date, bill);
    const handedIn = bills.map(({ channel, lines }) => ({ channel, lines: lines.length }));
    const params = { date, handedIn, operator: consoleName(broker.nodeID) };
    const timeout = limits.payment.reconcileTimeoutMs;
    return show(date, await call(broker, "payment.reconcile", params, { timeout }));
  });
}

runCommand(main);
