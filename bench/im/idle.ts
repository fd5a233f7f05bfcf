import { readFileSync } from "node:fs";
import { countCpu } from "../support/cpu.ts";
import type { ImBenchContext } from "./context.ts";
import { startServices } from "./processes.ts";
import { openGiftSource } from "./room.ts";
import { Viewers } from "./viewers.ts";

const viewersPerRoom = 100;
const roomsAtOnce = 5;

/** Resident memory of a process, bytes. */
function residentBytes(pid: number): number {
  const [, kB] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kB) * 1024;
}

/** Connections to one node that do nothing but beat their hearts: what each costs, and how fast they come in. */
export async function run(context: ImBenchContext) {
  const { progress, quick } = context;
  const connections = quick ? 2_000 : 15_000;
  await startServices(context, "im-router", ["im-router"]);
  const server = await startServices(context, "im-server", ["im-server"]);
  const source = await openGiftSource(context);
  const viewers = [new Viewers(context, "viewers-1"), new Viewers(context, "viewers-2")];
  // What the first ones make the server load and compile is not a connection's.
  const first = await source.addresses(1, 1, viewersPerRoom);
  await viewers[0]?.connect(first);
  const before = residentBytes(server);
  let connectMs = 0;
  const perRound = viewersPerRoom * roomsAtOnce * viewers.length;
  for (let done = 0; done < connections; done += perRound) {
    const urls = await Promise.all(
      viewers.map(async (_, process) => {
        const user = 1_000 + done + process * viewersPerRoom * roomsAtOnce;
        const rooms = Array.from({ length: roomsAtOnce }, (_each, i) => 2 + user / viewersPerRoom + i);
        const all = rooms.map((roomId, i) => source.addresses(roomId, user + i * viewersPerRoom, viewersPerRoom));
        return (await Promise.all(all)).flat();
      }),
    );
    const startedAt = performance.now();
    await Promise.all(viewers.map((some, i) => some.connect(urls[i] as string[])));
    connectMs += performance.now() - startedAt;
  }
  progress(`${connections} connected`);
  const cpuUsed = countCpu({ server });
  const seconds = quick ? 30 : 60;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const cpuPercent = Number(((cpuUsed().server ?? 0) / seconds / 10_000).toFixed(1));
  const after = residentBytes(server);
  const lost = (await Promise.all(viewers.map((some) => some.report()))).flatMap(({ faults }) => faults);
  if (lost.length > 0) progress(`faults: ${lost.slice(0, 3).join("; ")}`);
  return {
    connections,
    bytesPerConnection: Math.round((after - before) / connections),
    cpuPercent,
    connectsPerSecond: Math.round((connections * 1_000) / connectMs),
    conserved: lost.length === 0,
  };
}
