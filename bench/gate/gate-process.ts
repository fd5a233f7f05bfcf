import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { carryOutJobs } from "../support/job-process.ts";

/** The platform's side of the gate, in a process of its own: allows every gift, in the way of the last job. */

export interface Behaviour {
  /** It answers after this time, ms. */
  answerMs: number;
  /** `all`: no call is answered. Otherwise so many calls in a row, once every `everyMs`. */
  hangs: "all" | { calls: number; everyMs: number };
}

export interface GateJob {
  kind: "listen" | "behave" | "report";
  behaviour?: Behaviour;
}

/** Since the last `behave`. */
export interface GateReport {
  port: number;
  calls: number;
  gifts: number;
  /** The orders of calls that were not answered. */
  hung: readonly string[];
}

const answersAtOnce: Behaviour = { answerMs: 0, hangs: { calls: 0, everyMs: 1_000 } };
let behaviour = answersAtOnce;
let calls = 0;
let gifts = 0;
let hung: string[] = [];
let hangsFrom = 0;
let hangsLeft = 0;

/** Whether the call that has just arrived is not answered. */
function isToHang(): boolean {
  const { hangs } = behaviour;
  if (hangs === "all") return true;
  const now = performance.now();
  if (now >= hangsFrom) {
    hangsFrom = now + hangs.everyMs;
    hangsLeft = hangs.calls;
  }
  return hangsLeft-- > 0;
}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  // The caller ends calls that are not answered.
  request.on("error", () => undefined);
  const toHang = isToHang();
  const body = Buffer.concat(await request.toArray()).toString();
  const { gifts: asked } = JSON.parse(body) as { gifts: { orderId: string }[] };
  calls++;
  gifts += asked.length;
  if (toHang) {
    for (const { orderId } of asked) hung.push(orderId);
    return;
  }
  if (behaviour.answerMs > 0) await pause(behaviour.answerMs);
  const decisions = asked.map(({ orderId }) => ({ orderId, allow: true }));
  response.setHeader("content-type", "application/json").end(JSON.stringify({ decisions }));
}

const server = createServer((request, response) => {
  // A caller that has given up before its body is read.
  receive(request, response).catch(() => undefined);
});

carryOutJobs<GateJob>(async (job): Promise<GateReport> => {
  if (job.kind === "listen") await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  if (job.kind === "behave") {
    behaviour = job.behaviour ?? answersAtOnce;
    [calls, gifts, hung, hangsFrom, hangsLeft] = [0, 0, [], 0, 0];
  }
  return { port: (server.address() as AddressInfo).port, calls, gifts, hung };
});
