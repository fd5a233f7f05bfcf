import { Generator } from "../load/generator-process.ts";
import type { Sender, SteadyReport } from "../load/jobs.ts";
import { richPeople } from "../load/people.ts";
import { openGiftQueue } from "../settle/gifts.ts";
import { conservationProblems, incomesRollUp, productBooks } from "../support/conservation.ts";
import type { BenchContext, BenchResult } from "../support/context.ts";
import { startServices } from "../support/nodes.ts";
import { rounded } from "../support/percentiles.ts";

const rooms = 20;
const viewersPerRoom = 10;
const connections = 128;
const giftId = 22;
const usualRates = [500, 1_000, 3_000];
const warmUpSeconds = 3;
const usualSeconds = 10;
const lostAfterMs = 10_000;

/** The time from a gift's HTTP answer to its frame at each viewer of the room, at steady rates. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const { closing, profile, progress, rates = usualRates, seconds = usualSeconds } = context;
  const generator = Generator.start(closing);
  progress("starting every service in one process");
  const system = await startServices(context, "all", ["all"], profile);
  const port = system.about.ports?.["api-gateway"] as number;
  process.env.API_URL = `http://127.0.0.1:${port}`;
  const people = await richPeople(rooms * (viewersPerRoom + 1), progress);
  const anchors = people.slice(0, rooms);
  const roomIds = await Promise.all(anchors.map((anchor) => anchor.openRoom("bench")));
  const viewers = people.slice(rooms).map((person, i) => ({ person, room: i % rooms }));
  progress(`connecting ${viewers.length} viewers`);
  await generator.do({
    kind: "watch",
    viewers: await Promise.all(
      viewers.map(async ({ person, room }) => {
        const im = await person.ask<{ token: string; wsImServerAddress: string }>("im/getImConfig");
        const roomId = roomIds[room] as number;
        return { roomId, url: `${im.wsImServerAddress}?token=${im.token}&roomId=${roomId}` };
      }),
    ),
  });
  const senders = viewers.map(({ person, room }): Sender => {
    return { token: person.token, roomId: roomIds[room] as number, receiverId: anchors[room]?.userId as string };
  });

  const reports: SteadyReport[] = [];
  const offer = async (perSecond: number, forSeconds: number) => {
    const target = { host: "127.0.0.1", port, connections };
    const load = { senders, giftId, success: '{"code":200,', seconds: forSeconds, perSecond, lostAfterMs };
    const report = await generator.do({ kind: "steady", ...target, ...load });
    for (const [answer, times] of Object.entries(report.refused)) progress(`refused ${times} times: ${answer}`);
    reports.push(report);
    return report;
  };
  progress("warming up");
  await offer(rates[0] as number, Math.min(seconds, warmUpSeconds));
  const runs = [];
  for (const offered of rates) {
    const report = await offer(offered, seconds);
    const { p50Ms, p99Ms, p999Ms, samples, lost } = report;
    const achieved = Math.round(report.accepted / report.seconds);
    progress(`${achieved} gifts a second of ${offered} offered: p50 ${p50Ms.toFixed(1)} ms, ${lost} lost`);
    const times = { p50Ms: rounded(p50Ms, 1), p99Ms: rounded(p99Ms, 1), p999Ms: rounded(p999Ms, 1) };
    runs.push({ offered, achieved, ...times, lost, samples });
  }

  await generator.do({ kind: "leave" });
  const queue = await openGiftQueue(closing);
  await queue.untilEmpty(await queue.left(), progress);
  await incomesRollUp();
  await system.stop();
  progress("checking conservation over all rows");
  const accepted = reports.reduce((sum, report) => sum + report.accepted, 0);
  const unknown = reports.reduce((sum, report) => sum + report.unknown, 0);
  const problems = await conservationProblems(productBooks(accepted, accepted + unknown));
  for (const problem of problems) progress(`NOT CONSERVED: ${problem}`);
  return { runs, rooms, viewers: viewers.length, accepted, conserved: problems.length === 0 };
}
