import { setTimeout as pause } from "node:timers/promises";
import { serviceUrlName } from "../../config/config.ts";
import { loginOf } from "../../mixins/mysql/grants.ts";
import type { BattleView } from "../../services/battle/battle.contract.ts";
import { eventStream } from "../../services/streams.ts";
import { post } from "../../test/support/client.ts";
import { roomIdOf } from "../burst/burst-gifts.ts";
import { seedPeople } from "../burst/people.ts";
import { seedTokens } from "../burst/seed-tokens.ts";
import { startSystem, type WholeSystem } from "../burst/system.ts";
import { giftPrice, openGiftQueue } from "../settle/gifts.ts";
import { conservationProblems, incomesRollUp, productBooks } from "../support/conservation.ts";
import type { BenchContext, BenchResult } from "../support/context.ts";
import { countCpu } from "../support/cpu.ts";
import { DurableQueue } from "../support/durable-queue.ts";
import { JobProcess } from "../support/job-process.ts";
import { countLoginCpu } from "../support/login-cpu.ts";
import { percentile, rounded, sortedNumbers } from "../support/percentiles.ts";
import { anchorId } from "../support/seed.ts";
import { resultProblems, type SideResult } from "./results.ts";
import { type SettledMessage, scoreLags } from "./score-lags.ts";
import type { SendersJob, SendersReport } from "./senders-process.ts";
import { settledSince } from "./settled-messages.ts";
import type { ViewersReport } from "./viewers-process.ts";

const service = "battle";
const consumer = "battle-live-scores";
const usualBattles = 100;
const usualRate = 2_000;
const usualSeconds = 10;
const warmUpSeconds = 5;
const sendersPerRoom = 5;
const coins = 1_000_000_000;
/** Longer than a run: each battle is ended by its anchor. */
const durationS = 1_800;
const togetherAtMost = 20;
const endedDeadlineMs = 60_000;
/** Moleculer tells other nodes of a node's services up to a second after they are started; until then requests are answered 503. */
const knownDeadlineMs = 15_000;
/** How long battles are looked at without gifts. */
const idleMs = 5_000;
/** What the last frames may take after the last gift is settled. */
const framesMs = 2_000;

async function ask<Data>(path: string, token: string, body: object): Promise<Data> {
  const { code, msg, data } = await post<Data>(`/live/api/${path}`, body, { token });
  if (code !== 200) throw new Error(`${path}: ${code} ${msg}`);
  return data;
}

/** `work` on all, some at a time, in their order. */
async function onAll<Of, Done>(all: readonly Of[], work: (one: Of) => Promise<Done>): Promise<Done[]> {
  const done: Done[] = [];
  for (let at = 0; at < all.length; at += togetherAtMost)
    done.push(...(await Promise.all(all.slice(at, at + togetherAtMost).map(work))));
  return done;
}

/** A battle of two rooms: the tokens of their anchors. */
interface Pair {
  rooms: readonly [number, number];
  tokens: readonly [string, string];
}

async function begin({ rooms, tokens }: Pair): Promise<string> {
  const [roomId, opponentRoomId] = rooms;
  const { battleId } = await ask<{ battleId: string }>("pk/invite", tokens[0], { roomId, opponentRoomId, durationS });
  await ask("pk/accept", tokens[1], { battleId });
  return battleId;
}

/** The first battle, once the battle service knows the others. */
async function beginFirst(pair: Pair): Promise<string> {
  for (const until = Date.now() + knownDeadlineMs; ; await pause(100))
    try {
      return await begin(pair);
    } catch (error) {
      if (Date.now() > until) throw error;
    }
}

/**
 * Battles between rooms at once, while gifts are settled for all of them at a steady rate. The battle service is a
 * process of its own: the cost of a gift in battles is the CPU of this process, of the database server for its login,
 * and of NATS by its part of the deliveries, without what the same battles take where no gifts are sent.
 */
export async function run(context: BenchContext): Promise<BenchResult> {
  const { closing, progress } = context;
  // Each battle is between two rooms.
  const { rooms: battles = usualBattles, rates = [usualRate], seconds = usualSeconds } = context;
  const perSecond = rates[0] as number;
  const rooms = battles * 2;
  const senders = rooms * sendersPerRoom;
  progress(`seeding ${senders} senders and ${rooms} rooms`);
  await seedPeople(senders, rooms, progress, coins);
  const anchors = Array.from({ length: rooms }, (_, room) => anchorId(room));
  const tokens = seedTokens(anchors);
  const tokenOfAnchor = (room: number) => tokens[room] as string;

  progress("starting every service");
  const system = await startSystem(context, [service]);
  process.env.API_URL = `http://127.0.0.1:${system.ports[0]}`;
  const viewers = JobProcess.start(closing, "bench/battle/viewers-process.ts");
  progress(`connecting ${rooms} anchors`);
  const entering = await onAll(anchors, async (userId) => {
    const room = anchors.indexOf(userId);
    const path = "im/getImConfig";
    const im = await ask<{ token: string; wsImServerAddress: string }>(path, tokenOfAnchor(room), {});
    return { roomId: roomIdOf(room), url: `${im.wsImServerAddress}?token=${im.token}&roomId=${roomIdOf(room)}` };
  });
  await viewers.do({ kind: "enter", viewers: entering });
  const sending = JobProcess.start(closing, "bench/battle/senders-process.ts");
  const queue = await openGiftQueue(closing);
  const events = await DurableQueue.open(eventStream, closing);

  let sentInAll = 0;
  /** Gifts at the rate, until they are settled and shown. */
  const giftsFor = async (forSeconds: number): Promise<SendersReport> => {
    const load: SendersJob = { senders, rooms, perSecond, seconds: forSeconds };
    const report = await sending.do<SendersReport>(load);
    sentInAll += report.sent;
    await queue.untilEmpty(report.sent, () => {});
    await events.untilRead(eventStream, consumer);
    await pause(framesMs);
    return report;
  };
  progress(`${battles} battles begin`);
  const pairs = Array.from({ length: battles }, (_, n): Pair => {
    return { rooms: [roomIdOf(2 * n), roomIdOf(2 * n + 1)], tokens: [tokenOfAnchor(2 * n), tokenOfAnchor(2 * n + 1)] };
  });
  const [firstPair, ...otherPairs] = pairs as [Pair, ...Pair[]];
  const battleIds = [await beginFirst(firstPair), ...(await onAll(otherPairs, begin))];
  const since = new Date();
  progress("gifts for them, as warm-up");
  const warmUp = await giftsFor(Math.min(seconds, warmUpSeconds));
  const costs = await countCosts(context, system, { events, queue });
  progress("the battles go on without gifts");
  await pause(idleMs);
  const idle = await costs();
  progress("gifts for them");
  const measuredFrom = Date.now();
  const during = await giftsFor(seconds);
  const { seconds: lasted, all, of } = await costs();
  const perGift = (micros: number) => rounded(micros / during.sent, 1);
  const messages = await settledSince(since);
  const { frames, faults } = await viewers.do<ViewersReport>({ kind: "report" });

  progress("the battles end");
  await onAll([...battleIds.entries()], ([n, battleId]) => ask("pk/end", pairs[n]?.tokens[0] as string, { battleId }));
  const ended = await onAll([...battleIds.entries()], async ([n, battleId]) => {
    const show = () => ask<BattleView>("pk/show", pairs[n]?.tokens[0] as string, { battleId });
    let view = await show();
    for (const until = Date.now() + endedDeadlineMs; view.state !== "ended" && Date.now() < until; view = await show())
      await pause(600);
    return view;
  });
  await viewers.end();
  await incomesRollUp();
  await system.stop();

  progress("checking conservation over all rows");
  const differing = await resultProblems(ended, sentTo(senders, rooms, [warmUp.sent, during.sent]));
  const problems = [...faults, ...(await conservationProblems(productBooks(sentInAll, sentInAll)))];
  for (const problem of differing) progress(`NOT EXACT: ${problem}`);
  for (const problem of problems) progress(`NOT CONSERVED: ${problem}`);
  const viewersOf = new Map(
    anchors.map((userId, room) => [userId, [roomIdOf(room), roomIdOf(room % 2 === 0 ? room + 1 : room - 1)]]),
  );
  const { lagsMs, unseen } = scoreLags(messages, frames, viewersOf, measuredFrom);
  const measured = messages.filter(({ at }) => at >= measuredFrom);
  const lags = sortedNumbers(lagsMs);
  return {
    ...{ topology: context.topology, battles },
    giftsPerSecond: Math.round(during.sent / settledSeconds(measured)),
    p50Ms: percentile(lags, 0.5),
    p99Ms: percentile(lags, 0.99),
    ...{ samples: lags.length, unseen, frames: frames.length, messages: measured.length },
    cpuMicrosPerGift: perGift(sumOf(of) - (sumOf(idle.of) * lasted) / idle.seconds),
    cpuMicrosPerGiftOf: mapped(of, (micros, name) => perGift(micros - ((idle.of[name] ?? 0) * lasted) / idle.seconds)),
    idleCpuMicrosPerSecondOf: mapped(idle.of, (micros) => Math.round(micros / idle.seconds)),
    cpuMicrosPerGiftOfAll: mapped(all, perGift),
    exact: differing.length === 0,
    conserved: problems.length === 0 && differing.length === 0,
  };
}

/** CPU since the last call, µs. */
interface Costs {
  seconds: number;
  /** By process. */
  all: Record<string, number>;
  /** What it takes for battles: the battle service, the database server for its login, NATS by its deliveries. */
  of: Record<string, number>;
}

/** Starts counting what battles cost. The database server's part is missing where it does not count by login. */
async function countCosts(
  { servers }: Pick<BenchContext, "servers">,
  system: Pick<WholeSystem, "pids">,
  { events, queue }: { events: DurableQueue; queue: DurableQueue },
): Promise<() => Promise<Costs>> {
  const { user } = loginOf(servers.env[serviceUrlName("MYSQL_URL", service)] as string, service);
  const cpuOfLogin = await countLoginCpu();
  const read = async () => ({
    at: performance.now(),
    cpuSince: countCpu({ ...system.pids, ...servers.pids }),
    mysql: await cpuOfLogin(user),
    delivered: await events.deliveriesTo(consumer),
    deliveredInAll: (await events.deliveries()) + (await queue.deliveries()),
  });
  let last = await read();
  return async () => {
    const all = last.cpuSince();
    const now = await read();
    const inAll = now.deliveredInAll - last.deliveredInAll;
    const nats = inAll > 0 ? ((all.nats ?? 0) * (now.delivered - last.delivered)) / inAll : 0;
    const mysql = now.mysql === undefined ? undefined : { mysql: now.mysql - (last.mysql ?? 0) };
    const seconds = (now.at - last.at) / 1_000;
    last = now;
    return { seconds, all, of: { battle: all[service] ?? 0, nats, ...mysql } };
  };
}

const sumOf = (costs: Record<string, number>) => Object.values(costs).reduce((sum, micros) => sum + micros, 0);

const mapped = (costs: Record<string, number>, by: (micros: number, name: string) => number) =>
  Object.fromEntries(Object.entries(costs).map(([name, micros]) => [name, by(micros, name)]));

/** From the first to the last event of settled gifts. */
function settledSeconds(messages: readonly SettledMessage[]): number {
  return Math.max(1, ((messages.at(-1)?.at ?? 0) - (messages[0]?.at ?? 0)) / 1_000);
}

/** What each room gets of gifts that the senders send in turn, in each of several runs. */
function sentTo(senders: number, rooms: number, runs: readonly number[]): Map<number, SideResult> {
  const sent = new Map<number, SideResult>();
  for (const gifts of runs)
    for (let n = 0; n < gifts; n++) {
      const roomId = roomIdOf((n % senders) % rooms);
      const { score, gifts: orders } = sent.get(roomId) ?? { score: 0, gifts: 0 };
      sent.set(roomId, { score: score + giftPrice, gifts: orders + 1 });
    }
  return sent;
}
