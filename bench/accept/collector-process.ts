import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { carryOutJobs } from "../support/job-process.ts";

/** A collector of traces in a process of its own: takes spans by OTLP over HTTP, and counts them. */
export interface CollectorReport {
  url: string;
  spans: number;
}

interface CollectorJob {
  kind: "listen" | "report";
}

let spans = 0;

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = Buffer.concat(await request.toArray()).toString("latin1");
  spans += body.split('"spanId":').length - 1;
  response.setHeader("content-type", "application/json").end("{}");
}

const server = createServer((request, response) => {
  // A caller that has given up before its body is read.
  receive(request, response).catch(() => undefined);
});

carryOutJobs<CollectorJob>(async ({ kind }): Promise<CollectorReport> => {
  if (kind === "listen") await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`, spans };
});
