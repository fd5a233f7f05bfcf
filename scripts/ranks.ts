import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { ServiceBroker } from "moleculer";
import { printError } from "../broker/outputs.ts";
import { call } from "../services/contracts.ts";
import type { RankJob, RankVerification } from "../services/rank/rank.contract.ts";
import { fromConsole } from "./console-node.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";

const USAGE = `The ranks of the running system.

  npm run ranks -- status
  npm run ranks -- rebuild [--from DATE | --anew]
  npm run ranks -- verify

  status    what is counted, and the last rebuild and verification
  rebuild   counts every gift of the books that is not counted, and none twice, while gifts go on
            --from DATE  of those that were settled from this day on (UTC, YYYY-MM-DD or an ISO time)
            --anew       from nothing, with PLATFORM_TIMEZONE as it is set now: lists grow from empty
  verify    computes all sums again from the gift records, and compares them to the last coin

  --json      one JSON object on standard output
  --as NAME   as the console of NAME (npm run operator); else of the only person who has a login here

A rank node does the work; this command shows how far it is. When the command ends before, the work goes on; the same
command shows it again. Exit code 0: done; 2: the ranks differ from the books; 1: it could not be done.`;

const askEveryMs = 500;
const shownEveryMs = 2_000;

type Status = Awaited<ReturnType<typeof statusOf>>;
const statusOf = (broker: ServiceBroker) => call(broker, "rank.status", {});

/** @throws Error where it is no date, or not in the past */
function timeOf(text: string): string {
  const time = new Date(text);
  const isDate = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) && !Number.isNaN(time.getTime());
  if (!isDate || time.getTime() > Date.now()) throw new Error(`not a day in the past: --from ${text}\n\n${USAGE}`);
  return time.toISOString();
}

function progressOf({ gifts, cursor, until, trouble }: RankJob | RankVerification): string {
  const where = cursor === null ? "not begun" : `record ${cursor} of ${until}, ${gifts.toLocaleString("en")} gifts`;
  return trouble === null ? where : `${where} (it does not get on: ${trouble})`;
}

/** Waits for a job, and shows how far it is every two seconds. */
async function awaitEnd<J extends "rebuild" | "verification">(broker: ServiceBroker, name: J) {
  for (let shownAt = performance.now(); ; ) {
    const job = (await statusOf(broker))[name];
    if (job && job.state !== "running") return job as NonNullable<Status[J]>;
    if (job && performance.now() - shownAt > shownEveryMs) {
      shownAt = performance.now();
      printError(`${name}: ${progressOf(job)} ...\n`);
    }
    await pause(askEveryMs);
  }
}

const showRebuild = ({ gifts, counted }: RankJob) =>
  `rebuilt: ${gifts.toLocaleString("en")} gifts read, ${counted.toLocaleString("en")} of them were not counted`;

function showVerification({ state, compared, differences, shown, trouble }: RankVerification): string {
  if (state === "failed") return `the ranks could not be verified: ${trouble}`;
  if (differences === 0) return `The ranks are what the books say: ${compared?.toLocaleString("en")} sums compared.`;
  const more = (differences ?? 0) - shown.length;
  const lines = shown.map((line) => `  ${line}`).join("\n");
  return `THE RANKS DIFFER in ${differences} places:\n${lines}${more > 0 ? `\n  ... and ${more} more` : ""}`;
}

const exitCode = ({ state, differences }: RankVerification) => (state === "failed" ? 1 : differences === 0 ? 0 : 2);

function showStatus({ generation, zone, wantedZone, totals, rebuild, verification }: Status): void {
  const zones = zone === wantedZone ? zone : `${zone}, not ${wantedZone} as set: rebuild --anew takes it over`;
  console.log(
    `generation ${generation}, time zone ${zones}\nabout ${totals.toLocaleString("en")} sums of users on boards`,
  );
  if (rebuild) console.log(`rebuild: ${rebuild.state}, ${progressOf(rebuild)}`);
  if (verification) console.log(`verification: ${verification.state}, ${progressOf(verification)}`);
  if (verification && verification.state !== "running") console.log(showVerification(verification));
}

interface Order {
  readonly from?: string;
  readonly anew?: boolean;
  readonly json?: boolean;
}

const commands: Readonly<Record<string, (broker: ServiceBroker, order: Order) => Promise<number>>> = {
  async status(broker, { json }) {
    const status = await statusOf(broker);
    if (json) console.log(JSON.stringify(status));
    else showStatus(status);
    return 0;
  },
  async rebuild(broker, { from, anew = false, json }) {
    await call(broker, "rank.rebuild", { anew, ...(from === undefined ? {} : { from: timeOf(from) }) });
    const job = await awaitEnd(broker, "rebuild");
    console.log(json ? JSON.stringify(job) : showRebuild(job));
    return 0;
  },
  async verify(broker, { json }) {
    await call(broker, "rank.verify", {});
    const job = await awaitEnd(broker, "verification");
    console.log(json ? JSON.stringify(job) : showVerification(job));
    return exitCode(job);
  },
};

async function main(): Promise<number> {
  requireNode();
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      from: { type: "string" },
      anew: { type: "boolean" },
      json: { type: "boolean" },
      as: { type: "string" },
      help: { type: "boolean" },
    },
  });
  const { as, help, ...order } = values;
  const run = positionals.length === 1 ? commands[positionals[0] as string] : undefined;
  const isUnclear = order.from !== undefined && order.anew;
  if (!run || help || isUnclear) {
    console.log(USAGE);
    return help ? 0 : 1;
  }
  if (order.from !== undefined) timeOf(order.from);
  return fromConsole({ as, services: ["rank"] }, (broker) => run(broker, order));
}

runCommand(main);
