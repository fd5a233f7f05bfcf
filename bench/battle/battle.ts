import { setTimeout as pause } from "node:timers/promises";
import type { BattleView } from "../../services/battle/battle.contract.ts";
import { post } from "../../test/support/client.ts";
import { roomIdOf } from "../burst/burst-gifts.ts";
import { seedPeople } from "../burst/people.ts";
import { seedTokens } from "../burst/seed-tokens.ts";
import { startSystem } from "../burst/system.ts";
import { Generator } from "../load/generator-process.ts";
import type { Sender, SteadyReport } from "../load/jobs.ts";
import { openGiftQueue } from "../settle/gifts.ts";
import { conservationProblems, incomesRollUp, productBooks } from "../support/conservation.ts";
import type { BenchContext, BenchResult } from "../support/context.ts";
import { JobProcess } from "../support/job-process.ts";
import { percentile, rounded, sortedNumbers } from "../support/percentiles.ts";
import { anchorId } from "../support/seed.ts";
import { usageOf } from "../support/usage.ts";
import { resultProblems, type SideResult } from "./results.ts";
import { scoreLags } from "./score-lags.ts";
import { settledSince } from "./settled-messages.ts";
import type { ViewersReport } from "./viewers-process.ts";

const usualBattles = 100;
const usualRate = 2_000;
const usualSeconds = 10;
const warmUpSeconds = 3;
const sendersPerRoom = 5;
const coins = 1_000_000_000;
const connections = 128;
const giftId = 22;
const giftPrice = 90;
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
 * Battles between rooms at once, while gifts are sent to all of them at a steady rate. The same gifts are sent before
 * without battles and after they have ended; the cost of battles is the difference in CPU of services and servers.
 */
export async function run(context: BenchContext): Promise<BenchResult> {
  const { closing, progress, servers } = context;
  // Each battle is between two rooms.
  const { rooms: battles = usualBattles, rates = [usualRate], seconds = usualSeconds } = context;
  const perSecond = rates[0] as number;
  const rooms = battles * 2;
  progress(`seeding ${rooms * sendersPerRoom} senders and ${rooms} rooms`);
  const ids = await seedPeople(rooms * sendersPerRoom, rooms, progress, coins);
  const anchors = Array.from({ length: rooms }, (_, room) => anchorId(room));
  const tokens = seedTokens([...ids, ...anchors]);
  const tokenOfAnchor = (room: number) => tokens[ids.length + room] as string;
  const senders = ids.map((_, n): Sender => {
    const room = n % rooms;
    return { token: tokens[n] as string, roomId: roomIdOf(room), receiverId: anchorId(room) };
  });

  progress("starting every service");
  const system = await startSystem(context);
  const port = system.ports[0] as number;
  process.env.API_URL = `http://127.0.0.1:${port}`;
  const viewers = JobProcess.start(closing, "bench/battle/viewers-process.ts");
  progress(`connecting ${rooms} anchors`);
  const entering = await onAll(anchors, async (userId) => {
    const room = anchors.indexOf(userId);
    const path = "im/getImConfig";
    const im = await ask<{ token: string; wsImServerAddress: string }>(path, tokenOfAnchor(room), {});
    return { roomId: roomIdOf(room), url: `${im.wsImServerAddress}?token=${im.token}&roomId=${roomIdOf(room)}` };
  });
  await viewers.do({ kind: "enter", viewers: entering });
  const generator = Generator.start(closing);
  const queue = await openGiftQueue(closing);

  const reports: SteadyReport[] = [];
  /** Gifts at the rate, until they are settled: the CPU of services and servers, µs a gift. */
  const giftsFor = async (forSeconds: number) => {
    const usage = usageOf({ ...system.pids, ...servers.pids });
    const target = { host: "127.0.0.1", port, connections };
    const load = { senders, giftId, success: '{"code":200,', seconds: forSeconds, perSecond, lostAfterMs: 0 };
    const report = await generator.do({ kind: "steady", ...target, ...load });
    for (const [answer, times] of Object.entries(report.refused)) progress(`refused ${times} times: ${answer}`);
    await queue.untilEmpty(report.accepted, () => {});
    // The frames of the last gifts belong to the cost too, and every run waits as long.
    await pause(framesMs);
    usage.memorySince();
    reports.push(report);
    const cpu = Object.values(usage.cpuSince()).reduce((sum, micros) => sum + micros, 0) / report.accepted;
    return { report, cpu };
  };
  progress("warming up");
  await giftsFor(Math.min(seconds, warmUpSeconds));
  progress("gifts without battles");
  const before = await giftsFor(seconds);

  progress(`${battles} battles begin`);
  const pairs = Array.from({ length: battles }, (_, n): Pair => {
    return { rooms: [roomIdOf(2 * n), roomIdOf(2 * n + 1)], tokens: [tokenOfAnchor(2 * n), tokenOfAnchor(2 * n + 1)] };
  });
  const battleIds = await onAll(pairs, begin);
  const since = new Date();
  const during = await giftsFor(seconds);
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
  progress("gifts after the battles");
  const after = await giftsFor(seconds);
  await viewers.end();
  await incomesRollUp();
  await system.stop();

  progress("checking conservation over all rows");
  const sent = sentTo(senders, during.report.accepted);
  const differing = [...(during.report.unknown === 0 ? await resultProblems(ended, sent) : ["answers were lost"])];
  const accepted = reports.reduce((sum, report) => sum + report.accepted, 0);
  const unknown = reports.reduce((sum, report) => sum + report.unknown, 0);
  const problems = [...faults, ...(await conservationProblems(productBooks(accepted, accepted + unknown)))];
  for (const problem of differing) progress(`NOT EXACT: ${problem}`);
  for (const problem of problems) progress(`NOT CONSERVED: ${problem}`);
  const viewersOf = new Map(
    anchors.map((userId, room) => [userId, [roomIdOf(room), roomIdOf(room % 2 === 0 ? room + 1 : room - 1)]]),
  );
  const { lagsMs, unseen } = scoreLags(messages, frames, viewersOf);
  const lags = sortedNumbers(lagsMs);
  const withoutBattles = (before.cpu + after.cpu) / 2;
  return {
    ...{ topology: context.topology, battles },
    giftsPerSecond: Math.round(during.report.accepted / during.report.seconds),
    p50Ms: percentile(lags, 0.5),
    p99Ms: percentile(lags, 0.99),
    ...{ samples: lags.length, unseen, frames: frames.length },
    cpuMicrosPerGift: rounded(during.cpu - withoutBattles, 1),
    cpuMicrosPerGiftOfAll: {
      before: rounded(before.cpu, 1),
      during: rounded(during.cpu, 1),
      after: rounded(after.cpu, 1),
    },
    exact: differing.length === 0,
    conserved: problems.length === 0 && differing.length === 0,
  };
}

/** What each room gets of `gifts` gifts, which the senders send in turn. */
function sentTo(senders: readonly Sender[], gifts: number): Map<number, SideResult> {
  const sent = new Map<number, SideResult>();
  for (let n = 0; n < gifts; n++) {
    const { roomId } = senders[n % senders.length] as Sender;
    const { score, gifts: orders } = sent.get(roomId) ?? { score: 0, gifts: 0 };
    sent.set(roomId, { score: score + giftPrice, gifts: orders + 1 });
  }
  return sent;
}
