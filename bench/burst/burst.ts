import { openGiftQueue } from "../settle/gifts.ts";
import { conservationProblems, incomesRollUp, productBooks } from "../support/conservation.ts";
import type { BenchContext, BenchResult } from "../support/context.ts";
import type { DurableQueue } from "../support/durable-queue.ts";
import { rounded } from "../support/percentiles.ts";
import { statementsSoFar } from "../support/statements.ts";
import { usageOf } from "../support/usage.ts";
import { Generators } from "./generators.ts";
import { type Burst, giftsByRoom, type PartOfBurst, wholeBurst } from "./outcomes.ts";
import { seedPeople } from "./people.ts";
import { giftRows, recordProblems } from "./records.ts";
import { seedTokens } from "./seed-tokens.ts";
import { startSystem, type WholeSystem } from "./system.ts";
import { UsualAcceptance } from "./usual-acceptance.ts";
import { Viewers } from "./viewers.ts";

const defaultUsers = 100_000;
/** They send before the clock starts, so that the code is compiled. */
const warmUpUsers = 10_000;
const mostRooms = 1_000;
const roomsWithViewers = 50;
const viewersPerRoom = 10;
const connections = 1_000;
const generatorProcesses = 1;

interface Sizes {
  users: number;
  /** Further users, who send before the clock starts. */
  warming: number;
  rooms: number;
  /** Rooms with viewers, and the viewers of each. */
  watched: number;
  perRoom: number;
}

function sizesOf(users: number): Sizes {
  const rooms = Math.min(mostRooms, users);
  const perRoom = Math.min(viewersPerRoom, Math.floor(users / rooms));
  return { users, warming: Math.min(users, warmUpUsers), rooms, watched: Math.min(roomsWithViewers, rooms), perRoom };
}

/** The running system with its viewers and its generator. */
class RunningSystem {
  private readonly context: BenchContext;
  private readonly sizes: Sizes;
  private readonly tokens: readonly string[];
  private readonly system: WholeSystem;
  private readonly generators: Generators;
  private readonly viewers: Viewers;
  private readonly queue: DurableQueue;
  /** What was sent so far. */
  private readonly sent: PartOfBurst[] = [];

  constructor(
    context: BenchContext,
    sizes: Sizes,
    tokens: readonly string[],
    parts: { system: WholeSystem; generators: Generators; viewers: Viewers; queue: DurableQueue },
  ) {
    this.context = context;
    this.sizes = sizes;
    this.tokens = tokens;
    this.system = parts.system;
    this.generators = parts.generators;
    this.viewers = parts.viewers;
    this.queue = parts.queue;
  }

  /** The viewers are senders of their rooms. */
  async open(): Promise<void> {
    const { rooms, watched, perRoom } = this.sizes;
    process.env.API_URL = `http://127.0.0.1:${this.system.ports[0]}`;
    this.context.progress(`connecting ${watched * perRoom} viewers`);
    await this.viewers.enter(watched, perRoom, (room, n) => this.tokens[n * rooms + room] as string);
  }

  /** `users` users from number `from` on send a gift each. Resolves once all gifts are settled and seen. */
  async burst(from: number, users: number) {
    const { context, sizes, generators, viewers, queue, system } = this;
    const tokens = this.tokens.slice(from, from + users);
    await generators.load({ ports: system.ports, connections, from, tokens, rooms: sizes.rooms });
    const statementsBefore = await statementsSoFar();
    const usage = usageOf({
      ...system.pids,
      ...context.servers.pids,
      ...generators.pids,
      viewers: viewers.pid,
    });
    const sent = await generators.send();
    this.sent.push(...sent);
    const burst = wholeBurst(sent);
    for (const [reason, times] of Object.entries(burst.refusedBy))
      context.progress(`refused ${times} times: ${reason}`);
    context.progress(`${burst.accepted} accepted in ${secondsTo(burst, burst.lastAt)} s`);
    const [settledAt] = await Promise.all([
      queue.untilEmpty(burst.accepted, () => {}),
      viewers.untilSeen(giftsByRoom(this.sent, sizes.rooms), sizes.watched),
    ]);
    const cpu = usage.cpuSince();
    const memory = usage.memorySince();
    const statements = (await statementsSoFar()) - statementsBefore;
    const { lastAt: seenAt } = await viewers.report(giftsByRoom(this.sent, sizes.rooms));
    return { burst, settledAt, seenAt, cpu, memory, statements };
  }

  /** Stops all but the servers; returns what does not add up in the books and at the viewers. */
  async close(): Promise<string[]> {
    const { problems } = await this.viewers.report(giftsByRoom(this.sent, this.sizes.rooms));
    await this.viewers.leave();
    await incomesRollUp();
    await this.system.stop();
    this.context.progress("checking conservation over all rows");
    const { accepted, unknown } = wholeBurst(this.sent);
    return [
      ...problems,
      ...(await conservationProblems(productBooks(accepted, accepted + unknown))),
      ...recordProblems(this.sent, this.sizes.rooms, await giftRows()),
    ];
  }
}

function secondsTo({ firstAt }: Burst, at: number): number {
  return rounded((at - firstAt) / 1_000, 2);
}

/** CPU µs a gift by process, and those of services and servers together. */
function costs(cpu: Record<string, number>, gifts: number, generators: readonly string[]) {
  const perGift = (micros: number) => rounded(micros / gifts, 1);
  const ofSystem = Object.entries(cpu).filter(([name]) => name !== "viewers" && !generators.includes(name));
  return {
    cpuMicrosPerGift: perGift(ofSystem.reduce((sum, [, micros]) => sum + micros, 0)),
    cpuMicrosPerGiftBy: Object.fromEntries(Object.entries(cpu).map(([name, micros]) => [name, perGift(micros)])),
  };
}

/**
 * Every user sends one gift over HTTP, as fast as 1,000 connections are answered. It measures the time until the last
 * answer, until the last gift is settled, and until the last viewer has seen the last gift. In the same run, before and
 * after it, the usual design accepts fewer gifts.
 */
export async function run(context: BenchContext): Promise<BenchResult> {
  const { closing, progress, topology } = context;
  const sizes = sizesOf(context.users ?? defaultUsers);
  const { users, warming, rooms, watched, perRoom } = sizes;
  progress(`seeding ${users + warming} users and ${rooms} rooms`);
  const ids = await seedPeople(users + warming, rooms, progress);
  progress("logging them in");
  const tokens = seedTokens(ids);
  const generators = Generators.start(closing, generatorProcesses);
  const usual = await UsualAcceptance.open(context, generators, { connections, rooms });
  await usual.half(users);

  progress("starting every service");
  const system = await startSystem(context);
  const parts = { system, generators, viewers: Viewers.start(closing), queue: await openGiftQueue(closing) };
  const running = new RunningSystem(context, sizes, tokens, parts);
  await running.open();
  progress(`warming up with ${warming} gifts`);
  await running.burst(users, warming);
  progress(`${users} users send a gift each`);
  const { burst, settledAt, seenAt, cpu, memory, statements } = await running.burst(0, users);
  const times = {
    acceptSeconds: secondsTo(burst, burst.lastAt),
    settledSeconds: secondsTo(burst, settledAt),
    seenSeconds: secondsTo(burst, seenAt),
  };
  progress(JSON.stringify(times));
  const problems = await running.close();
  await usual.half(users);
  problems.push(...(await usual.problems()));
  for (const problem of problems) progress(`NOT CONSERVED: ${problem}`);

  const acceptRate = Math.round((burst.accepted * 1_000) / (burst.lastAt - burst.firstAt));
  const baseline = usual.result();
  return {
    ...{ topology, users, rooms, viewers: watched * perRoom },
    ...{ accepted: burst.accepted, refused: burst.refused, unknown: burst.unknown },
    ...times,
    ...{ acceptP50Ms: rounded(burst.p50Ms, 1), acceptP99Ms: rounded(burst.p99Ms, 1), acceptRate },
    ...costs(cpu, burst.accepted, Object.keys(generators.pids)),
    statementsPerGift: rounded(statements / burst.accepted, 3),
    peakMb: memory,
    ...baseline,
    ratio: rounded(acceptRate / baseline.baselineRate, 2),
    // The usual design's answer includes the debit.
    settledRatio: rounded(burst.accepted / times.settledSeconds / baseline.baselineRate, 2),
    conserved: problems.length === 0,
  };
}
