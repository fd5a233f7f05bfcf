import { setTimeout as pause } from "node:timers/promises";
import { limits } from "../../config/limits.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";
import { tokenKeys } from "../../services/token-keys.ts";
import { signToken } from "../../services/tokens.ts";
import { countCpu } from "../support/cpu.ts";
import { untilLetsIn } from "../support/lets-in.ts";
import { percentile, sortedNumbers } from "../support/percentiles.ts";
import type { ImBenchContext } from "./context.ts";
import { Crowd, type Member, type SentToRooms } from "./crowd.ts";
import { type Offered, offer } from "./offer.ts";
import { startReady, startServices } from "./processes.ts";
import { openGiftSource } from "./room.ts";

const backDeadlineMs = 60_000;
const seenDeadlineMs = 10_000;
/** A gift that is not shown within this time after the last one counts as missed. */
const lateMs = 10_000;
const pollMs = 100;
const firstUser = 1_000;

/** Logged-in users, spread over the rooms. */
function members(count: number, rooms: number): Member[] {
  const { signing } = tokenKeys();
  const issuedAt = Date.now();
  return Array.from({ length: count }, (_, i) => {
    const userId = String(firstUser + i);
    const claims = { userId, sessionId: 1 + i, issuedAt, expiresAt: issuedAt + limits.user.tokenTtlMs };
    return { userId, session: signToken(signing, claims), roomId: 1 + (i % rooms) };
  });
}

/** The n-th gift of an offer goes to the n-th room in turn. */
export function sentToRooms({ gifts, sums }: Pick<Offered, "gifts" | "sums">): SentToRooms {
  const share = Math.floor(gifts / sums.size);
  const more = gifts % sums.size;
  return new Map([...sums].map(([roomId, sum], i) => [roomId, { orders: share + (i < more ? 1 : 0), sum }]));
}

/**
 * Kills one of two nodes while gifts are sent in its rooms. Measures when all users are connected to the other one, and
 * what each saw. Users run the published client with its back-off and ask im/getImConfig for a token each time.
 */
export async function run(context: ImBenchContext) {
  const { progress, quick } = context;
  const { connections = quick ? 500 : 5_000, rooms: count = quick ? 5 : 50, rates = [1], senders = 50 } = context;
  const { seconds = 90 } = context;
  // How long gifts are sent before the kill, and after everybody is back.
  const aroundMs = quick ? 1_000 : 3_000;
  const entrance = ["api-gateway", "user"];
  const env = await context.servers.envOf(entrance);
  const [gateway, killed, imRouter] = await Promise.all([
    startReady(context, "api-gateway", "scripts/node.ts", { args: entrance, env }),
    startServices(context, "im-server-1", ["im-server"]),
    startServices(context, "im-router", ["im-router"]),
    startServices(context, "provisioner", ["provisioner"]),
  ]);
  const source = await openGiftSource(context);
  const people = members(connections, count);
  const port = gateway.about.ports?.["api-gateway"] as number;
  await untilLetsIn(port, people[0]?.session as string);
  const crowd = new Crowd(context, people);
  await crowd.come(port, progress);
  const [before] = await source.serverNodes();
  const imServer2 = await startServices(context, "im-server-2", ["im-server"], context.profile);
  if (!(await becomesTrue(async () => (await source.serverNodes()).length === 2, seenDeadlineMs)))
    throw new Error("the second im-server is not seen");
  progress(`${connections} connected in ${count} rooms; gifts are sent, and their node is killed`);
  const rooms = Array.from({ length: count }, (_, i) => i + 1);
  const perSecond = (rates[0] as number) * count;
  let enough = false;
  const offering = offer(source.send, { rooms, perSecond, seconds, senders, enough: () => enough });
  await pause(aroundMs);
  const killedAt = Date.now();
  process.kill(killed, "SIGKILL");
  const cpuUsed = countCpu({ gateway: gateway.child.pid, imRouter, imServer2, ...crowd.pids });
  await becomesTrue(watched(crowd, before as string, connections, progress), backDeadlineMs, pollMs);
  const cpuMs = Object.fromEntries(
    Object.entries(cpuUsed()).map(([name, micros]) => [name, Math.round(micros / 1_000)]),
  );
  await pause(aroundMs);
  enough = true;
  const offered = await offering;
  const sent = sentToRooms(offered);
  let last = await crowd.report(sent);
  for (const until = performance.now() + lateMs; last.off > 0 && performance.now() < until; ) {
    await pause(200);
    last = await crowd.report(sent);
  }
  const { missed, duplicates, off, gaps, setbacks } = last;
  const times = backTimes(last.onlineAt, killedAt);
  progress(`${times.back} of ${connections} back: ${JSON.stringify(times)}; setbacks: ${JSON.stringify(setbacks)}`);
  const conserved = times.backMs !== null && missed === 0 && duplicates === 0 && off === 0 && offered.refused === 0;
  const load = { rooms: count, giftsPerSecond: perSecond, gifts: offered.gifts };
  return { connections, ...times, missed, duplicates, gaps, setbacks, cpuMs, ...load, conserved };
}

/** The times at which users were back, ms since the kill; `backMs` is when all were, `null` where some were not. */
export function backTimes(onlineAt: readonly number[], killedAt: number) {
  const back = sortedNumbers(onlineAt.filter((at) => at >= killedAt).map((at) => at - killedAt));
  const allMs = back.length === onlineAt.length ? percentile(back, 1) : null;
  return { backMs: allMs, backP50Ms: percentile(back, 0.5), back: back.length };
}

/** Whether all users are back or have given up; reports their number once a second. */
function watched(crowd: Crowd, before: string, connections: number, progress: (line: string) => void) {
  const startedAt = performance.now();
  let reportedAt = startedAt;
  return async (): Promise<boolean> => {
    const { here, gone } = await crowd.elsewhere(before);
    if (performance.now() - reportedAt >= 1_000) {
      reportedAt = performance.now();
      progress(
        `${here} back after ${((reportedAt - startedAt) / 1_000).toFixed(1)} s${gone ? `, ${gone} gave up` : ""}`,
      );
    }
    return here + gone === connections;
  };
}
