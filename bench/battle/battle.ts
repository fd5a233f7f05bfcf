import { setTimeout as pause } from "node:timers/promises";
import { serviceUrlName } from "../../config/config.ts";
import { loginOf } from "../../mixins/mysql/grants.ts";
import type { BattleView } from "../../services/battle/battle.contract.ts";
import { eventStream } from "../../services/streams.ts";
import { post } from "../../test/support/client.ts";
import { roomIdOf } from "../burst/burst-gifts.ts";
import { seedPeople } from "../burst/people.ts";
import { seedTokens } from "../burst/seed-tokens.ts";
import { startSystem } from "../burst/system.ts";
import { giftPrice, openGiftQueue } from "../settle/gifts.ts";
import { conservationProblems, incomesRollUp, productBooks } from "../support/conservation.ts";
import type { BenchContext, BenchResult } from "../support/context.ts";
import { DurableQueue } from "../support/durable-queue.ts";
import { JobProcess } from "../support/job-process.ts";
import { countLoginCpu } from "../support/login-cpu.ts";
import { percentile, rounded, sortedNumbers } from "../support/percentiles.ts";
import { anchorId } from "../support/seed.ts";
import { usageOf } from "../support/usage.ts";
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
const warmUpSeconds = 3;
const sendersPerRoom = 5;
const coins = 1_000_000_000;
/** Longer than a run: each battle is ended by its anchor. */
const durationS = 1_800;
const togetherAtMost = 20;
const endedDeadlineMs = 60_000;
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

/**
 * Battles between rooms at once, while gifts are settled for all of them at a steady rate. The battle service is a
 * process of its own: the cost of a gift in battles is the CPU of this process, of the database server for its login,
 * and of NATS by its part of the deliveries.
 */
export async function run(context: BenchContext): Promise<BenchResult> {
  const { closing, progress, servers } = context;
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
  progress("warming up");
  await giftsFor(Math.min(seconds, warmUpSeconds));

  progress(`${battles} battles begin`);
  const pairs = Array.from({ length: battles }, (_, n): Pair => {
    return { rooms: [roomIdOf(2 * n), roomIdOf(2 * n + 1)], tokens: [tokenOfAnchor(2 * n), tokenOfAnchor(2 * n + 1)] };
  });
  const battleIds = await onAll(pairs, begin);
  const since = new Date();
  const usage = usageOf({ ...system.pids, ...servers.pids });
  const cpuOfLogin = await countLoginCpu();
  const delivered = async () => ({
    battle: await events.deliveriesTo(consumer),
    all: (await events.deliveries()) + (await queue.deliveries()),
  });
  const before = await delivered();
  const during = await giftsFor(seconds);
  const cpu = usage.cpuSince();
  usage.memorySince();
  const after = await delivered();
  const { user } = loginOf(servers.env[serviceUrlName("MYSQL_URL", service)] as string, service);
  const mysql = await cpuOfLogin(user);
  const part = (after.battle - before.battle) / (after.all - before.all);
  const of = { battle: cpu[service] ?? 0, mysql, nats: (cpu.nats ?? 0) * part };
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
  const differing = await resultProblems(ended, sentTo(senders, rooms, during.sent));
  const problems = [...faults, ...(await conservationProblems(productBooks(sentInAll, sentInAll)))];
  for (const problem of differing) progress(`NOT EXACT: ${problem}`);
  for (const problem of problems) progress(`NOT CONSERVED: ${problem}`);
  const viewersOf = new Map(
    anchors.map((userId, room) => [userId, [roomIdOf(room), roomIdOf(room % 2 === 0 ? room + 1 : room - 1)]]),
  );
  const { lagsMs, unseen } = scoreLags(messages, frames, viewersOf);
  const lags = sortedNumbers(lagsMs);
  return {
    ...{ topology: context.topology, battles },
    giftsPerSecond: Math.round(during.sent / settledSeconds(messages)),
    p50Ms: percentile(lags, 0.5),
    p99Ms: percentile(lags, 0.99),
    ...{ samples: lags.length, unseen, frames: frames.length, messages: messages.length },
    cpuMicrosPerGift: perGift(of.battle + (of.mysql ?? 0) + of.nats),
    cpuMicrosPerGiftOf: {
      ...{ battle: perGift(of.battle), nats: perGift(of.nats) },
      ...(of.mysql !== undefined && { mysql: perGift(of.mysql) }),
    },
    cpuMicrosPerGiftOfAll: Object.fromEntries(Object.entries(cpu).map(([name, micros]) => [name, perGift(micros)])),
    exact: differing.length === 0,
    conserved: problems.length === 0 && differing.length === 0,
  };
}

/** From the first to the last event of settled gifts. */
function settledSeconds(messages: readonly SettledMessage[]): number {
  return Math.max(1, ((messages.at(-1)?.at ?? 0) - (messages[0]?.at ?? 0)) / 1_000);
}

/** What each room gets of `gifts` gifts, which the senders send in turn. */
function sentTo(senders: number, rooms: number, gifts: number): Map<number, SideResult> {
  const sent = new Map<number, SideResult>();
  for (let n = 0; n < gifts; n++) {
    const roomId = roomIdOf((n % senders) % rooms);
    const { score, gifts: orders } = sent.get(roomId) ?? { score: 0, gifts: 0 };
    sent.set(roomId, { score: score + giftPrice, gifts: orders + 1 });
  }
  return sent;
}
