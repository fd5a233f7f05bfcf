import { parseArgs } from "node:util";
import type { ServiceBroker } from "moleculer";
import { consoleName } from "../broker/bus/subjects.ts";
import { limits } from "../config/limits.ts";
import { call } from "../services/contracts.ts";
import type { ServersOfBuckets } from "../services/wallet/buckets.contract.ts";
import { fromConsole } from "./console-node.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";
import { errorText } from "./repl/command.ts";
import { table } from "./repl/table.ts";
import { isRepaired, shownRepair } from "./shown-repair.ts";
import { nextOfSpread, shownBuckets } from "./spread-buckets.ts";

const pollMs = 500;

const USAGE = `Databases by user: which MySQL server of WALLET_MYSQL_URLS has which buckets of users, and their moves.

  npm run buckets -- status [--json]          the servers, and the last moves
  npm run buckets -- move BUCKET SERVER       moves a bucket (0 to ${limits.wallet.storeBuckets - 1}) while its users send, and waits until it is done
  npm run buckets -- repair BUCKET            makes the gates of a bucket what the map says: closes those that are open
                                              elsewhere, then opens that of the map's server (--close-only: opens none;
                                              --dry-run: only says what it would do). Not while the bucket moves
  npm run buckets -- spread                   moves buckets, one after the other, until all servers have as many
  npm run buckets -- close BUCKET SERVER      closes the gate of a bucket on a server that the map does not name

It calls the running system as a console (--as NAME), which needs a login: npm run operator -- add NAME. A move goes on
without this command, also after a crash of the node that does it. Exit code 0: done; 2: not understood; 1: it failed.`;

const status = (broker: ServiceBroker) => call(broker, "wallet.buckets", {});

function show({ servers, moves }: ServersOfBuckets): void {
  if (servers.length === 0) {
    console.log("There is one server (WALLET_MYSQL_URLS is not set).");
    return;
  }
  const rows = servers.map(({ name, buckets }) => [name, buckets.length, shownBuckets(buckets)]);
  console.log(table(["server", "buckets", "which"], rows));
  if (moves.length === 0) return;
  const lines = moves.map((one) => [
    one.id,
    one.bucket,
    `${one.source} -> ${one.target}`,
    one.state,
    one.accounts,
    one.closedMs ?? "",
    one.createTime,
  ]);
  console.log(`\n${table(["move", "bucket", "from -> to", "state", "accounts", "closed for ms", "planned"], lines)}`);
}

async function moveTo(broker: ServiceBroker, bucket: number, server: string): Promise<void> {
  const { planned } = await call(broker, "wallet.moveBucket", { bucket, server, operator: consoleName(broker.nodeID) });
  if (!planned) {
    console.log(`bucket ${bucket} is at ${server}`);
    return;
  }
  for (;;) {
    const { moves } = await status(broker);
    const move = moves.find((one) => one.bucket === bucket && one.target === server);
    if (move?.state === "done") {
      console.log(`bucket ${bucket} has moved to ${server}: ${move.accounts} accounts, closed for ${move.closedMs} ms`);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function close(broker: ServiceBroker, bucket: number, server: string): Promise<void> {
  const { closed } = await call(broker, "wallet.closeGate", { bucket, server, operator: consoleName(broker.nodeID) });
  console.log(`the gate of bucket ${bucket} on ${server} ${closed ? "is closed" : "was closed"}`);
}

async function spread(broker: ServiceBroker): Promise<void> {
  for (;;) {
    const next = nextOfSpread((await status(broker)).servers);
    if (!next) return;
    await moveTo(broker, next.bucket, next.server);
  }
}

/** Returns whether what was asked for is done. */
async function repair(broker: ServiceBroker, bucket: number, closeOnly: boolean, dryRun: boolean): Promise<boolean> {
  const operator = consoleName(broker.nodeID);
  const repaired = await call(broker, "wallet.repairGates", { bucket, closeOnly, dryRun, operator });
  console.log(shownRepair(repaired, bucket));
  return dryRun || isRepaired(repaired, closeOnly);
}

async function main(): Promise<number> {
  requireNode();
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...{ json: { type: "boolean" }, as: { type: "string" }, help: { type: "boolean" } },
      ...{ "close-only": { type: "boolean" }, "dry-run": { type: "boolean" } },
    },
  });
  const [what, bucketText, server] = positionals;
  const bucket = Number(bucketText);
  const known =
    (positionals.length === 1 && (what === "status" || what === "spread")) ||
    (what === "repair" && positionals.length === 2 && Number.isInteger(bucket)) ||
    ((what === "move" || what === "close") &&
      positionals.length === 3 &&
      Number.isInteger(bucket) &&
      server !== undefined);
  if (values.help || !known) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  let code = 0;
  const { "close-only": closeOnly = false, "dry-run": dryRun = false } = values;
  const work = async (broker: ServiceBroker) => {
    if (what === "repair") code = (await repair(broker, bucket, closeOnly, dryRun)) ? 0 : 1;
    else if (what === "move") await moveTo(broker, bucket, server as string);
    else if (what === "close") await close(broker, bucket, server as string);
    else if (what === "spread") await spread(broker);
    else if (values.json) console.log(JSON.stringify(await status(broker)));
    else show(await status(broker));
  };
  try {
    await fromConsole({ as: values.as, services: ["wallet"] }, work);
  } catch (error) {
    const why = (error as { data?: { cause?: unknown } }).data?.cause;
    throw new Error([errorText(error), ...(typeof why === "string" ? [why] : [])].join(": "), { cause: error });
  }
  return code;
}

runCommand(main);
