import { parseArgs } from "node:util";
import type { ServiceBroker } from "moleculer";
import type { ArchivedTableStatus } from "../services/archiver/archiver.contract.ts";
import { call } from "../services/contracts.ts";
import { fromConsole } from "./console-node.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";

const USAGE = `The archive of closed months.

  npm run archive -- status
  npm run archive -- run

  status    of each table on each server: how far it is moved, and what keeps it
  run       has the archiver that answers look at once whether a month is due, where it has the lease or nobody has;
            the one that has it looks within a minute. What is due is moved in the background

  --json      one JSON object on standard output
  --as NAME   as the console of NAME (npm run operator); else of the only person who has a login here

Exit code 0: done; 2: a closed month is not moved yet; 1: it could not be done.`;

const dayS = 24 * 3_600;

function lineOf({
  table,
  server,
  segments,
  archivedBelow,
  open,
  oldestMonth,
  dueSeconds,
  trouble,
}: ArchivedTableStatus): string {
  const moving = open
    ? `segment ${open.segment} of ${open.month} is ${open.state}, moved to ${open.movedTo} of ${open.to}`
    : "no segment is open";
  const due =
    dueSeconds > 0 ? `${oldestMonth} is due for ${(dueSeconds / dayS).toFixed(1)} days` : "no closed month is left";
  const wrong = trouble === null ? "" : `\n  what keeps it: ${trouble}`;
  return `${table} at ${server}: ${segments.closed} segments closed, ids below ${archivedBelow} archived\n  ${moving}; ${due}${wrong}`;
}

async function status(broker: ServiceBroker, json: boolean): Promise<number> {
  const found = await call(broker, "archiver.status", {});
  if (json) console.log(JSON.stringify(found));
  else {
    const when = found.on ? `${found.afterDays} days after a month of ${found.zone} ends` : "off (ARCHIVE is not on)";
    console.log(`archive: ${when}\n${found.tables.map(lineOf).join("\n")}`);
  }
  return found.tables.some(({ dueSeconds }) => dueSeconds > 0) ? 2 : 0;
}

async function run(broker: ServiceBroker, json: boolean): Promise<number> {
  await call(broker, "archiver.run", {});
  console.log(json ? JSON.stringify({ asked: true }) : "asked: npm run archive -- status shows how far it is");
  return 0;
}

async function main(): Promise<number> {
  requireNode();
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "boolean" }, as: { type: "string" }, help: { type: "boolean" } },
  });
  const { as, help, json = false } = values;
  const [name, ...others] = positionals;
  const command = name === "status" ? status : name === "run" ? run : undefined;
  if (!command || help || others.length > 0) {
    console.log(USAGE);
    return help ? 0 : 1;
  }
  return fromConsole({ as, services: ["archiver"] }, (broker) => command(broker, json));
}

runCommand(main);
