import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { countCpu } from "../support/cpu.ts";
import type { ImBenchContext } from "./context.ts";
import type { FromIdleClients, FromIdleServer, Memory, ToIdleClients, ToIdleServer } from "./idle-messages.ts";
import { startScript, startServices } from "./processes.ts";
import { openGiftSource } from "./room.ts";

const viewersPerRoom = 100;
const clientProcesses = 2;
/** What the first ones make the server load, compile and set aside is not a connection's. */
const warmUp = 500;
const settleMs = 2_000;

/** A child process that answers each message with one. */
class Partner<To extends object, From> {
  readonly child: ChildProcess;

  constructor(child: ChildProcess) {
    this.child = child;
  }

  async heard(): Promise<From> {
    return (await once(this.child, "message"))[0] as From;
  }

  ask(message: To): Promise<From> {
    const answer = this.heard();
    this.child.send(message);
    return answer;
  }
}

type Server = Partner<ToIdleServer, FromIdleServer>;
type Clients = Partner<ToIdleClients, FromIdleClients>;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function memoryOf(server: Server, collect: boolean): Promise<Memory> {
  if (collect) await pause(settleMs);
  return (await server.ask({ do: "memory", collect })) as unknown as Memory;
}

async function connectAll(clients: readonly Clients[], urls: readonly string[]): Promise<void> {
  await Promise.all(
    clients.map((some, at) => some.ask({ do: "connect", urls: urls.filter((_, i) => i % clients.length === at) })),
  );
}

function perConnection(before: Memory, after: Memory, connections: number) {
  const each = (of: (memory: Memory) => number) => Math.round((of(after) - of(before)) / connections);
  return {
    resident: each(({ rss }) => rss),
    heap: each(({ heapUsed }) => heapUsed),
    heapReserved: each(({ heapTotal }) => heapTotal),
    external: each(({ external }) => external),
  };
}

/**
 * Connects so many to a server and lets them beat. Resident memory is counted from what `warmUp` connections have left
 * it at, both times after the garbage was collected; `asItStands` is without the second collection.
 */
async function measure(
  context: ImBenchContext,
  label: string,
  server: Server,
  urls: readonly string[],
): Promise<Record<string, unknown> & { faults: string[] }> {
  const { progress, quick } = context;
  const clients: Clients[] = Array.from(
    { length: clientProcesses },
    (_, i) => new Partner(startScript(context, `${label}-clients-${i + 1}`, "bench/im/idle-clients.ts")),
  );
  await connectAll(clients, urls.slice(0, warmUp));
  const before = await memoryOf(server, true);
  const startedAt = performance.now();
  await connectAll(clients, urls.slice(warmUp));
  const connectMs = performance.now() - startedAt;
  const connections = urls.length - warmUp;
  progress(`${label}: ${connections} connected in ${Math.round(connectMs)} ms`);
  const pid = server.child.pid;
  const cpuUsed = countCpu({ server: pid });
  const seconds = Number(process.env.IDLE_S) || (quick ? 30 : 60);
  await pause(seconds * 1_000);
  const cpuPercent = Number(((cpuUsed().server ?? 0) / seconds / 10_000).toFixed(1));
  const stands = await memoryOf(server, false);
  const after = await memoryOf(server, true);
  const reports = await Promise.all(clients.map((some) => some.ask({ do: "report" })));
  const faults = reports.flatMap((report) => (report.say === "report" ? report.faults : []));
  if (process.env.IDLE_SNAPSHOT)
    await server.ask({ do: "snapshot", file: `${process.env.IDLE_SNAPSHOT}-${label}.heapsnapshot` });
  const memory = perConnection(before, after, connections);
  const result = {
    connections,
    bytesPerConnection: memory.resident,
    asItStands: perConnection(before, stands, connections).resident,
    memory,
    emptyBytes: before.rss,
    cpuPercent,
    connectsPerSecond: Math.round((connections * 1_000) / connectMs),
    faults,
  };
  progress(JSON.stringify({ server: label, ...result, faults: faults.slice(0, 3) }));
  for (const { child } of [...clients, server]) child.disconnect();
  return result;
}

async function started(context: ImBenchContext, label: string, args: string[] = []): Promise<[Server, string]> {
  const server: Server = new Partner(startScript(context, label, "bench/im/idle-server.ts", args));
  const ready = await server.heard();
  return [server, ready.say === "ready" ? (ready.address ?? "") : ""];
}

/** Connections to one node that do nothing but beat their hearts: what each costs, and how fast they come in. */
export async function run(context: ImBenchContext) {
  const connections = Number(process.env.IDLE_N) || (context.quick ? 2_000 : 15_000);
  const all = connections + warmUp;
  const [bare, address] = await started(context, "bare", ["bare"]);
  const reference = await measure(context, "bare", bare, new Array<string>(all).fill(address));
  await startServices(context, "im-router", ["im-router"]);
  const [server] = await started(context, "im-server");
  const source = await openGiftSource(context);
  const urls: string[] = [];
  for (let roomId = 1; urls.length < all; roomId++)
    urls.push(...(await source.addresses(roomId, 1_000 + urls.length, Math.min(viewersPerRoom, all - urls.length))));
  context.progress(`${urls.length} tokens made`);
  const { faults, ...result } = await measure(context, "im-server", server, urls);
  const { faults: bareFaults, ...bareResult } = reference;
  return { ...result, bareWs: bareResult, conserved: faults.length + bareFaults.length === 0 };
}
