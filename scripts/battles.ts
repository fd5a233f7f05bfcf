import { parseArgs } from "node:util";
import type { ServiceBroker } from "moleculer";
import { printError } from "../broker/outputs.ts";
import { limits } from "../config/limits.ts";
import type { BattleView } from "../services/battle/battle.contract.ts";
import { call } from "../services/contracts.ts";
import { fromConsole } from "./console-node.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";

const USAGE = `The battles (PK) and their results.

  npm run battles -- list [--since DATE]     the battles with a result, oldest first
  npm run battles -- show ID                 one, whole
  npm run battles -- verify [--since DATE]   computes each result again from the gift records, without the orders
                                             that it leaves out, and names what differs

DATE is a day or a time, of the end of the battle: 2026-11-26 or 2026-11-26T20:00:00Z. Progress goes to standard error.
It joins as the console of --as NAME (npm run operator), or of the only person who has a login here.
Exit code 0: done, no difference; 2: a result differs from the records; 1: it could not be done.`;

/** Results come from sums over the gift records. */
const verifyTimeoutMs = 60_000;

type Since = { since?: string };

/** @throws Error where it is no date. */
function sinceOf(date: string | undefined): Since {
  if (date === undefined) return {};
  const time = new Date(date);
  if (Number.isNaN(time.getTime())) throw new Error(`not a date: --since ${date}\n\n${USAGE}`);
  return { since: time.toISOString() };
}

async function* pages(broker: ServiceBroker, since: Since): AsyncGenerator<BattleView[]> {
  for (let after: string | null | undefined; after !== null; ) {
    const params = { ...since, ...(after === undefined ? {} : { after }), limit: limits.http.pageSizeMax };
    const page: { list: BattleView[]; nextAfter: string | null } = await call(broker, "battle.ended", params);
    yield page.list;
    after = page.nextAfter;
  }
}

function lineOf({ battleId, kind, sides, startTime, endTime, winner, excluded }: BattleView): string {
  const scores = sides.map(({ userId, score }) => `${userId}: ${score}`).join("  ");
  const left = excluded.length === 0 ? "" : `  ${excluded.length} left out`;
  return `${battleId.padEnd(8)} ${kind.padEnd(5)} ${startTime} ${endTime}  ${scores}  winner ${winner ?? "none"}${left}`;
}

async function list(broker: ServiceBroker, since: Since): Promise<number> {
  for await (const page of pages(broker, since)) for (const battle of page) console.log(lineOf(battle));
  return 0;
}

async function show(broker: ServiceBroker, battleId: string): Promise<number> {
  console.log(JSON.stringify(await call(broker, "battle.show", { battleId }), null, 2));
  return 0;
}

async function verify(broker: ServiceBroker, since: Since): Promise<number> {
  let [verified, differences] = [0, 0];
  for await (const page of pages(broker, since)) {
    for (let from = 0; from < page.length; from += limits.battle.verifiedPerCall) {
      const battleIds = page.slice(from, from + limits.battle.verifiedPerCall).map((battle) => battle.battleId);
      const result = await call(broker, "battle.verify", { battleIds }, { timeout: verifyTimeoutMs });
      verified += result.verified;
      differences += result.differences.length;
      for (const { battleId, what, stored, records } of result.differences)
        console.log(`battle ${battleId}: ${what}: the result says ${stored}, the records say ${records}`);
    }
    printError(`${verified} battles compared\n`);
  }
  console.log(`${verified} battles compared, ${differences === 0 ? "no differences" : `${differences} differences`}`);
  return differences === 0 ? 0 : 2;
}

/** Calls the running system from a node without services. */
async function main(): Promise<number> {
  requireNode();
  const { values, positionals } = parseArgs({
    options: { since: { type: "string" }, as: { type: "string" }, help: { type: "boolean" } },
    allowPositionals: true,
  });
  const [command = "", battleId] = positionals;
  const isShow = command === "show" && battleId !== undefined;
  if (values.help || !(isShow || ((command === "list" || command === "verify") && battleId === undefined))) {
    console.log(USAGE);
    return values.help ? 0 : 1;
  }
  const since = sinceOf(values.since);
  return fromConsole({ as: values.as, services: ["battle", "gift"] }, async (broker) => {
    if (isShow) return show(broker, battleId);
    return command === "list" ? list(broker, since) : verify(broker, since);
  });
}

runCommand(main);
