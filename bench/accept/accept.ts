import { type ServiceName, serviceNames } from "../../broker/service-names.ts";
import { Generator } from "../load/generator-process.ts";
import { openGiftQueue } from "../settle/gifts.ts";
import { incomesRollUp } from "../support/conservation.ts";
import type { BenchContext, BenchResult } from "../support/context.ts";
import { spawnProcess, startServices } from "../support/nodes.ts";
import { Accepted, Duel, type Round, summary } from "./duel.ts";
import { fansOfOneAnchor, usersOfPlatform } from "./people.ts";
import { settleAndCheck } from "./settle-and-check.ts";
import { tracedPairs } from "./traces.ts";

const usualSenders = 200;
const sendersIfQuick = 10;
/** With the settler running, and without. */
const rounds = { usual: [5, 3], quick: [1, 1] } as const;

/** gift/send, or gifts/send of the server API, over HTTP, compared with an empty action of moleculer-web under the same load from another process. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const { closing, profile, progress, quick, without } = context;
  const [settling, paused] = rounds[quick ? "quick" : "usual"];
  const senders = context.senders ?? (quick ? sendersIfQuick : usualSenders);
  const generator = Generator.start(closing);
  const empty = await spawnProcess(context, { label: "empty", script: "bench/accept/empty-action.ts" }).started;
  progress("starting every service in one process");
  const names = servicesBut(without);
  const system = await startServices(context, "all", names, profile);
  process.env.API_URL = `http://127.0.0.1:${system.about.ports?.["api-gateway"]}`;
  const load = await (context.serverApi ? usersOfPlatform : fansOfOneAnchor)(senders, progress);
  const queue = await openGiftQueue(closing);
  const accepted = new Accepted();
  const duel = new Duel(context, generator, { empty, load, accepted });
  const about = { senders, connections: duel.connections, requestIds: true, serverApi: context.serverApi, without };

  if (context.traces) {
    await system.stop();
    const pairs = await tracedPairs(context, duel, queue);
    const problems = await settleAndCheck(context, queue, accepted);
    return { ...about, ...pairs, accepted: accepted.known, conserved: problems.length === 0 };
  }
  const results = await duel.fight(system, settling, () => queue.untilEmpty(0, () => {}));
  await incomesRollUp();
  await system.stop();
  progress("again, with what is accepted staying in the queue");
  const withoutSettling = summary(await pausedDuel(context, duel, paused));
  const problems = await settleAndCheck(context, queue, accepted);
  return {
    ...summary(results),
    ...about,
    withoutSettling,
    accepted: accepted.known,
    conserved: problems.length === 0,
  };
}

/** The services of a node: all of them, in the words of a node, where none is left out. */
function servicesBut(without: readonly ServiceName[]): readonly (ServiceName | "all")[] {
  return without.length === 0 ? ["all"] : serviceNames.filter((name) => !without.includes(name));
}

async function pausedDuel(context: BenchContext, duel: Duel, count: number): Promise<Round[]> {
  const { servers, without } = context;
  const env = await servers.envOf(servicesBut(without));
  const options = { label: "without-settler", script: "bench/accept/without-settler.ts", args: without, env };
  const system = await spawnProcess(context, options).started;
  const results = await duel.fight(system, count, async () => {});
  await system.stop();
  return results;
}
