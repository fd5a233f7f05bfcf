import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import { ServiceBroker } from "moleculer";
import { brokerOptions } from "../broker/options.ts";
import { limits } from "../config/limits.ts";
import { call } from "../services/contracts.ts";
import { requireNode } from "./node-version.ts";
import { readStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";
import { messageOf } from "./stack/wait.ts";

const USAGE = `Compares a day's orders with the providers' bills and with the wallet's credits.

  npm run reconcile -- --date YYYY-MM-DD

The day is Beijing's and must be over; bills are there from about ten in the morning after. Differences are printed and
stored in t_pay_difference, in the place of an earlier run's. Exit code 0: none; 2: some; 1: it could not be done.`;

const servicesWaitMs = 15_000;

/** Asks the running system: a node without services, which needs no keys of any provider. */
async function main(): Promise<number> {
  requireNode();
  const { values } = parseArgs({ options: { date: { type: "string" }, help: { type: "boolean" } } });
  if (!values.date || values.help) {
    console.log(USAGE);
    return values.help ? 0 : 1;
  }
  for (const [key, value] of Object.entries(readStackEnv(defaultStackDir()))) process.env[key] ??= value;
  const broker = new ServiceBroker({ ...brokerOptions("reconcile"), logger: false });
  await broker.start();
  try {
    await broker.waitForServices(["payment", "wallet"], servicesWaitMs);
    const params = { date: values.date, operator: `reconcile by ${userInfo().username}` };
    const results = await call(broker, "payment.reconcile", params, { timeout: limits.payment.reconcileTimeoutMs });
    let found = 0;
    for (const { channel, compared, differences } of results) {
      found += differences.length;
      const what = differences.length === 0 ? "no differences" : `${differences.length} differences`;
      console.log(`${values.date}  ${channel.padEnd(8)} ${compared} compared, ${what}`);
      for (const { kind, orderId, transactionId, detail } of differences)
        console.log(`    ${kind.padEnd(16)} ${orderId}  ${transactionId ?? "-"}  ${detail}`);
    }
    return found === 0 ? 0 : 2;
  } finally {
    await broker.stop();
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(messageOf(error));
    process.exitCode = 1;
  },
);
