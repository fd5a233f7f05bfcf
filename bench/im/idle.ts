import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { countCpu } from "../support/cpu.ts";
import { startDeadlineMs } from "../support/nodes.ts";
import type { ImBenchContext } from "./context.ts";
import type { FromIdleClients, FromIdleServer, Memory, ToIdleClients, ToIdleServer } from "./idle-messages.ts";
import { startScript, startServices } from "./processes.ts";
import { openGiftSource } from "./room.ts";

const viewersPerRoom = 100;
const clientProcesses = 2;
/** Connections before the measurement, so that code is loaded and buffers are allocated. */
const warmUpAtMost = 500;
const settleMs = 2_000;

/** A child process that answers each message with one message. */
class Partner<To extends object, From> {
  readonly child: ChildProcess;

  constructor(child: ChildProcess) {
    this.child = child;
  }

  /** Rejects where the process ends instead. */
  async received(): Promise<From> {
    const over = new AbortController();
    const ended = once(this.child, "exit", { signal: over.signal }).then(([code]) => {
      throw new Error(`a process of the benchmark ended with ${code}`);
    });
    const message = once(this.child, "message", { signal: over.signal });
    for (const other of [ended, message]) other.catch(() => undefined);
    try {
      return ((await Promise.race([message, ended])) as [From])[0];
    } finally {
      over.abort();
    }
  }

  ask(message: To): Promise<From> {
    const answer = this.received();
    this.child.send(message);
    return answer;
  }
}

type Server = Partner<ToIdleServer, FromIdleServer>;
type Clients = Partner<ToIdleClients, FromIdleClients>;

/** The connections that are measured, and those before. */
function sizesOf({ quick, connections = quick ? 2_000 : 15_000 }: ImBenchContext) {
  return { connections, warmUp: Math.min(connections, warmUpAtMost) };
}

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

/** Bytes per connection: resident memory, and V8's parts of it. */
function perConnection(before: Memory, after: Memory, connections: number) {
  const each = (of: (memory: Memory) => number) => Math.round((of(after) - of(before)) / connections);
  return {
    resident: each(({ rss }) => rss),
    heapUsed: each(({ heapUsed }) => heapUsed),
    heapReserved: each(({ heapTotal }) => heapTotal),
    external: each(({ external }) => external),
  };
}

/**
 * Opens connections to a server and lets them send heartbeats. Memory is compared with that after the warm-up's connections,
 * both times after the garbage was collected and its memory freed. This leaves out the process itself and the nursery,
 * which grows with the traffic and not with the connections. `withGarbage` is measured after a minute of heartbeats
 * without the second collection.
 */
async function measure(context: ImBenchContext, label: string, server: Server, urls: readonly string[]) {
  const { progress, quick, seconds = quick ? 30 : 60 } = context;
  const { connections, warmUp } = sizesOf(context);
  const clients: Clients[] = Array.from(
    { length: clientProcesses },
    (_, i) => new Partner(startScript(context, `${label}-clients-${i + 1}`, "bench/im/idle-clients.ts")),
  );
  await connectAll(clients, urls.slice(0, warmUp));
  const before = await memoryOf(server, true);
  const startedAt = performance.now();
  await connectAll(clients, urls.slice(warmUp));
  const connectMs = performance.now() - startedAt;
  progress(`${label}: ${connections} connected in ${Math.round(connectMs)} ms`);
  const cpuUsed = countCpu({ server: server.child.pid });
  await pause(seconds * 1_000);
  const cpuPercent = Number(((cpuUsed().server ?? 0) / seconds / 10_000).toFixed(1));
  const stands = await memoryOf(server, false);
  const after = await memoryOf(server, true);
  const reports = await Promise.all(clients.map((some) => some.ask({ do: "report" })));
  const faults = reports.flatMap((report) => (report.kind === "report" ? report.faults : []));
  if (faults.length > 0) progress(`${label}: ${faults.slice(0, 3).join("; ")}`);
  const { resident: bytesPerConnection, ...parts } = perConnection(before, after, connections);
  const result = {
    connections,
    bytesPerConnection,
    ...parts,
    withGarbage: perConnection(before, stands, connections).resident,
    processBytes: { empty: before.rss, full: stands.rss },
    cpuPercent,
    connectsPerSecond: Math.round((connections * 1_000) / connectMs),
  };
  progress(JSON.stringify({ server: label, ...result }));
  for (const { child } of [...clients, server]) child.disconnect();
  return { ...result, conserved: faults.length === 0 };
}

async function started(context: ImBenchContext, label: string, args: string[] = []): Promise<[Server, string]> {
  const env = await context.servers.envOf(["im-server"]);
  const server: Server = new Partner(startScript(context, label, "bench/im/idle-server.ts", { args, env }));
  const tooLate = setTimeout(() => server.child.kill("SIGKILL"), startDeadlineMs());
  const ready = await server.received();
  clearTimeout(tooLate);
  return [server, ready.kind === "ready" ? (ready.address ?? "") : ""];
}

/**
 * Connections to one im-server node that only send heartbeats: the memory of each, and the rate of connects, each with a
 * token in Redis. For comparison `bareWs` is a server of ws alone that answers the same frames.
 */
export async function run(context: ImBenchContext) {
  const { connections, warmUp } = sizesOf(context);
  const all = connections + warmUp;
  const [bare, address] = await started(context, "bare", ["bare"]);
  const bareWs = await measure(context, "bare", bare, new Array<string>(all).fill(address));
  await startServices(context, "provisioner", ["provisioner"]);
  await startServices(context, "im-router", ["im-router"]);
  const [server] = await started(context, "im-server");
  const source = await openGiftSource(context);
  const urls: string[] = [];
  for (let roomId = 1; urls.length < all; roomId++)
    urls.push(...(await source.addresses(roomId, 1_000 + urls.length, Math.min(viewersPerRoom, all - urls.length))));
  context.progress(`${urls.length} tokens made`);
  const result = await measure(context, "im-server", server, urls);
  return { ...result, bareWs, conserved: result.conserved && bareWs.conserved };
}
