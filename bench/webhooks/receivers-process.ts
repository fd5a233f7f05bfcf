import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { carryOutJobs } from "../support/job-process.ts";
import { Received } from "./received.ts";

/** Receivers of webhooks in a process of their own, each at a port of its own. */
export type ReceiversJob =
  | { kind: "listen"; count: number }
  /** Those from this one on accept every call and answer none. */
  | { kind: "hang"; from: number }
  | { kind: "progress" }
  | { kind: "take" };

export interface ReceiversReport {
  urls: readonly string[];
  /** In all, each delivery once. */
  answered: number;
  /** Since the last `take`. */
  lagsMs: readonly number[];
  doubled: number;
  hung: number;
}

const received = new Received();
const urls: string[] = [];
let hangsFrom = Number.POSITIVE_INFINITY;

async function receive(receiver: number, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // The caller gives up calls that are not answered.
  request.on("error", () => undefined);
  const text = Buffer.concat(await request.toArray()).toString();
  if (receiver >= hangsFrom) return received.hungCall();
  const { id, timestamp } = JSON.parse(text) as { id: string; timestamp: string };
  response.on("finish", () => received.answeredCall(receiver, { id, eventAt: Date.parse(timestamp), at: Date.now() }));
  response.end("thank you");
}

async function listen(receiver: number): Promise<void> {
  const server = createServer((request, response) => {
    receive(receiver, request, response).catch(() => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  urls[receiver] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ovation`;
}

carryOutJobs<ReceiversJob>(async (job): Promise<ReceiversReport> => {
  if (job.kind === "listen") await Promise.all(Array.from({ length: job.count }, (_, receiver) => listen(receiver)));
  if (job.kind === "hang") hangsFrom = job.from;
  const nothing = { answered: received.answered, lagsMs: [], doubled: 0, hung: 0 };
  return { urls, ...(job.kind === "take" ? received.take() : nothing) };
});
