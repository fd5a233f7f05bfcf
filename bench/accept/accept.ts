import type { ServiceName } from "../../broker/launch.ts";
import { Generator } from "../load/generator-process.ts";
import type { FloodReport, Sender } from "../load/jobs.ts";
import { richPeople } from "../load/people.ts";
import { platformSenders } from "../load/platform-senders.ts";
import { openGiftQueue } from "../settle/gifts.ts";
import { conservationProblems, incomesRollUp, productBooks } from "../support/conservation.ts";
import type { BenchContext, BenchResult } from "../support/context.ts";
import { countCpu } from "../support/cpu.ts";
import type { DurableQueue } from "../support/durable-queue.ts";
import { type BenchProcess, spawnProcess, startServices } from "../support/nodes.ts";
import { median, rounded } from "../support/percentiles.ts";
import { statementsSoFar } from "../support/statements.ts";

const usualSenders = 200;
const sendersIfQuick = 10;
const connections = 64;
const giftId = 22;
const warmUpSeconds = 3;
const roundSeconds = 5;
/** With the settler running, and without. */
const rounds = { usual: [5, 3], quick: [1, 1] } as const;
const all: readonly (ServiceName | "all")[] = ["all"];

/** Gifts that were accepted, and that may have been, in all rounds: the books are compared with them. */
class Accepted {
  known = 0;
  unknown = 0;

  add({ accepted, unknown }: FloodReport): void {
    this.known += accepted;
    this.unknown += unknown;
  }
}

interface Round {
  accept: FloodReport;
  empty: FloodReport;
  /** Of the system's rounds, settling included. */
  cpu: Record<string, number>;
  statements: number;
}

/** Who sends; with an API key the gifts go through the server API. */
interface Load {
  readonly people: readonly Sender[];
  readonly apiKey?: string;
}

/** One system and the empty action in alternating rounds; only one of them runs at a time. */
class Duel {
  private readonly context: BenchContext;
  private readonly generator: Generator;
  private readonly empty: BenchProcess;
  private readonly people: readonly Sender[];
  private readonly accepted: Accepted;
  private readonly apiKey: string | undefined;

  constructor(
    context: BenchContext,
    generator: Generator,
    empty: BenchProcess,
    { people, apiKey }: Load,
    accepted: Accepted,
  ) {
    this.apiKey = apiKey;
    this.context = context;
    this.generator = generator;
    this.empty = empty;
    this.people = people;
    this.accepted = accepted;
  }

  /** `afterwards` is awaited after every round of the system, so that its remaining work does not slow the other's round. */
  async fight(system: BenchProcess, count: number, afterwards: () => Promise<unknown>): Promise<Round[]> {
    const { progress, servers, seconds = roundSeconds } = this.context;
    const port = system.about.ports?.["api-gateway"] as number;
    progress("warming up");
    await this.accept(port, Math.min(seconds, warmUpSeconds));
    await afterwards();
    await this.flood(this.empty.about.port as number, Math.min(seconds, warmUpSeconds), "{}");
    const results: Round[] = [];
    for (let i = 0; i < count; i++) {
      const cpuSince = countCpu({ services: system.pid, generator: this.generator.pid, ...servers.pids });
      const statementsBefore = await statementsSoFar();
      const accept = await this.accept(port, seconds);
      await afterwards();
      const cpu = cpuSince();
      const statements = (await statementsSoFar()) - statementsBefore;
      const empty = await this.flood(this.empty.about.port as number, seconds, "{}");
      results.push({ accept, empty, cpu, statements });
      progress(`gift/send ${rateOf(accept)} a second, the empty action ${rateOf(empty)}`);
    }
    return results;
  }

  private async accept(port: number, seconds: number): Promise<FloodReport> {
    const report = await this.flood(port, seconds, '{"code":200,', this.apiKey);
    this.accepted.add(report);
    return report;
  }

  /** The empty action is asked without an API key: it answers at the path of gift/send alone. */
  private async flood(port: number, seconds: number, success: string, apiKey?: string): Promise<FloodReport> {
    const target = { host: "127.0.0.1", port, connections };
    const load = { senders: this.people, giftId, ...(apiKey !== undefined && { apiKey }) };
    const job = { kind: "flood", ...target, ...load, success, seconds } as const;
    const report = await this.generator.do(job);
    for (const [answer, times] of Object.entries(report.refused))
      this.context.progress(`refused ${times} times: ${answer}`);
    return report;
  }
}

function rateOf({ accepted, seconds }: FloodReport): number {
  return Math.round(accepted / seconds);
}

/** Rates and their ratio are medians of the rounds; the other figures are of all rounds together. */
function summary(results: readonly Round[]) {
  const accepted = results.reduce((sum, { accept }) => sum + accept.accepted, 0);
  const names = Object.keys(results[0]?.cpu ?? {});
  const micros = (name: string) => results.reduce((sum, { cpu }) => sum + (cpu[name] ?? 0), 0);
  return {
    rate: Math.round(median(results.map(({ accept }) => rateOf(accept)))),
    emptyRate: Math.round(median(results.map(({ empty }) => rateOf(empty)))),
    ratio: rounded(median(results.map(({ accept, empty }) => rateOf(accept) / rateOf(empty))), 3),
    p50Ms: rounded(median(results.map(({ accept }) => accept.p50Ms)), 2),
    p99Ms: rounded(median(results.map(({ accept }) => accept.p99Ms)), 2),
    cpuMicrosPerGiftBy: Object.fromEntries(names.map((name) => [name, rounded(micros(name) / accepted, 1)])),
    statementsPerGift: rounded(results.reduce((sum, { statements }) => sum + statements, 0) / accepted, 3),
  };
}

/** gift/send, or gifts/send of the server API, over HTTP, compared with an empty action of moleculer-web under the same load from another process. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const { closing, profile, progress, quick } = context;
  const [settling, paused] = rounds[quick ? "quick" : "usual"];
  const senders = quick ? sendersIfQuick : usualSenders;
  const generator = Generator.start(closing);
  const empty = await spawnProcess(context, { label: "empty", script: "bench/accept/empty-action.ts" }).started;
  progress("starting every service in one process");
  const system = await startServices(context, "all", all, profile);
  process.env.API_URL = `http://127.0.0.1:${system.about.ports?.["api-gateway"]}`;
  const load = await (context.serverApi ? usersOfPlatform : people)(senders, progress);
  const queue = await openGiftQueue(closing);
  const accepted = new Accepted();
  const duel = new Duel(context, generator, empty, load, accepted);

  const results = await duel.fight(system, settling, () => queue.untilEmpty(0, () => {}));
  await incomesRollUp();
  await system.stop();
  progress("again, with what is accepted staying in the queue");
  const withoutSettling = summary(await pausedDuel(context, duel, paused));
  const problems = await settleAndCheck(context, queue, accepted);
  return {
    ...summary(results),
    senders,
    connections,
    requestIds: true,
    serverApi: context.serverApi,
    withoutSettling,
    accepted: accepted.known,
    conserved: problems.length === 0,
  };
}

async function people(count: number, progress: BenchContext["progress"]): Promise<Load> {
  const [anchor, ...fans] = await richPeople(count + 1, progress);
  if (!anchor) throw new Error("nobody logged in");
  const roomId = await anchor.openRoom("bench");
  return { people: fans.map(({ token }) => ({ token, roomId, receiverId: anchor.userId })) };
}

async function usersOfPlatform(count: number, progress: BenchContext["progress"]): Promise<Load> {
  const { key, senders } = await platformSenders(count, progress);
  return { people: senders, apiKey: key };
}

async function pausedDuel(context: BenchContext, duel: Duel, count: number): Promise<Round[]> {
  const env = await context.servers.envOf(all);
  const options = { label: "without-settler", script: "bench/accept/without-settler.ts", env };
  const system = await spawnProcess(context, options).started;
  const results = await duel.fight(system, count, async () => {});
  await system.stop();
  return results;
}

/** Settles the rest of the queue and returns what does not add up in the books. */
async function settleAndCheck(context: BenchContext, queue: DurableQueue, accepted: Accepted): Promise<string[]> {
  const { progress } = context;
  progress("settling what was left in the queue");
  const system = await startServices(context, "all", all);
  await queue.untilEmpty(await queue.left(), progress);
  await incomesRollUp();
  await system.stop();
  progress("checking conservation over all rows");
  const problems = await conservationProblems(productBooks(accepted.known, accepted.known + accepted.unknown));
  for (const problem of problems) progress(`NOT CONSERVED: ${problem}`);
  return problems;
}
