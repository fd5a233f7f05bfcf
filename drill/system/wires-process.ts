import { carryOutJobs } from "../../bench/support/job-process.ts";
import { type CuttableServer, cuttable } from "../../test/support/cuttable-server.ts";
import type { Wired, WiresJob } from "./wires.ts";

/*
 * The wires between a node and the servers: a stand-in for each server, in a process of its own, so that nothing else
 * delays what passes.
 */

const wires = new Map<number, CuttableServer>();

async function open(job: Extract<WiresJob, { do: "open" }>): Promise<Wired> {
  const ports: Wired = {};
  const lead = async (port: number, translate?: (piece: Buffer) => Buffer) => {
    const wire = await cuttable(`tcp://127.0.0.1:${port}`, translate);
    ports[port] = Number(new URL(wire.url).port);
    wires.set(ports[port], wire);
  };
  for (const port of job.servers) await lead(port);
  // Sentinels name servers by their ports, which have five digits like those of the wires: the length stays.
  const pairs = Object.entries(ports).map(([from, to]) => [Buffer.from(from), Buffer.from(String(to))] as const);
  const translate = (piece: Buffer) => {
    let translated: Buffer | undefined;
    for (const [from, to] of pairs)
      for (let at = piece.indexOf(from); at >= 0; at = piece.indexOf(from, at + to.length)) {
        translated ??= Buffer.from(piece);
        to.copy(translated, at);
      }
    return translated ?? piece;
  };
  for (const port of job.sentinels) await lead(port, translate);
  return ports;
}

async function carryOut(job: WiresJob): Promise<unknown> {
  if (job.do === "open") return open(job);
  const all = job.ports.map((port) => wires.get(port) as CuttableServer);
  if (job.do === "made") return all.reduce((sum, { made }) => sum + made, 0);
  for (const wire of all) job.do === "cut" ? wire.isolate() : wire.thaw();
  return null;
}

carryOutJobs(carryOut);
