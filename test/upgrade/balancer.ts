import { Agent, request } from "node:http";
import { readinessPath } from "../../mixins/http/front-door.ts";
import type { SystemHealth } from "../../mixins/system-health.ts";
import { eventually } from "../support/eventually.ts";

/** A client's requests, over the gateways of a load balancer that looks at their readiness. */

const lookEveryMs = 1_000;
/** A gateway is left out after so many looks that found it not ready. */
const failedLooks = 2;

/** What became of a request: its answer, or why there is none. */
export type Reply = { readonly status: number; readonly body: string } | { readonly broken: string };

interface Gateway {
  readonly port: number;
  readonly agent: Agent;
  isThere: boolean;
  failed: number;
  isOut: boolean;
  underWay: number;
}

/** The error of a port that nobody listens on: nothing was sent. */
const refused = "ECONNREFUSED";

export class Balancer {
  private readonly gateways = new Map<number, Gateway>();
  private next = 0;
  private readonly timer: NodeJS.Timeout;

  constructor() {
    this.timer = setInterval(() => void this.look(), lookEveryMs);
  }

  /** A gateway takes requests once it was seen ready. */
  async add(port: number): Promise<void> {
    this.gateways.set(port, {
      port,
      agent: new Agent({ keepAlive: true, maxSockets: 64 }),
      isThere: true,
      failed: failedLooks,
      isOut: false,
      underWay: 0,
    });
    await this.look();
  }

  /** As an operator does: the gateway gets no new requests. Resolves once it has answered the others. */
  async takeOut(port: number): Promise<void> {
    const gateway = this.gateways.get(port);
    if (!gateway) return;
    gateway.isOut = true;
    await eventually(`the gateway at ${port} has answered everything`, () => gateway.underWay === 0, 30_000);
  }

  /** A gateway that has ended. */
  remove(port: number): void {
    this.gateways.get(port)?.agent.destroy();
    this.gateways.delete(port);
  }

  /** A gateway that refuses the connection is left out, and the next one is asked: nothing was sent. */
  async post(path: string, token: string, body: object): Promise<Reply> {
    for (;;) {
      const gateway = this.pick();
      if (!gateway) return { broken: "there is no gateway" };
      gateway.underWay++;
      const reply = await ask(gateway, { path, token, text: JSON.stringify(body) });
      gateway.underWay--;
      if (!("broken" in reply) || reply.broken !== refused) return reply;
      gateway.isThere = false;
    }
  }

  /** What the gateways at these ports say of all nodes. */
  health(ports: readonly number[]): Promise<SystemHealth[]> {
    return Promise.all(
      ports.map(async (port) => {
        const response = await fetch(`http://127.0.0.1:${port}${readinessPath}`, {
          headers: { authorization: `Bearer ${process.env.METRICS_TOKEN}` },
        });
        return ((await response.json()) as { services: SystemHealth }).services;
      }),
    );
  }

  close(): void {
    clearInterval(this.timer);
    for (const port of [...this.gateways.keys()]) this.remove(port);
  }

  /** One that is ready; where none is, any that listens, as load balancers do. */
  private pick(): Gateway | undefined {
    const there = [...this.gateways.values()].filter(({ isThere, isOut }) => isThere && !isOut);
    const ready = there.filter(({ failed }) => failed < failedLooks);
    const among = ready.length > 0 ? ready : there;
    return among[this.next++ % among.length];
  }

  private async look(): Promise<void> {
    const look = async (gateway: Gateway) => {
      const url = `http://127.0.0.1:${gateway.port}${readinessPath}`;
      const isReady = await fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
        async (response) => {
          await response.arrayBuffer();
          return response.ok;
        },
        () => false,
      );
      gateway.failed = isReady ? 0 : gateway.failed + 1;
    };
    await Promise.all([...this.gateways.values()].map(look));
  }
}

function ask({ port, agent }: Gateway, sent: { path: string; token: string; text: string }): Promise<Reply> {
  return new Promise((resolve) => {
    const headers = {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(sent.text),
      Authorization: `Bearer ${sent.token}`,
    };
    const one = request({ host: "127.0.0.1", port, path: sent.path, method: "POST", agent, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() }));
      response.on("error", (error) => resolve({ broken: String(error) }));
    });
    one.on("error", (error: NodeJS.ErrnoException) => resolve({ broken: error.code ?? error.message }));
    one.setTimeout(35_000, () => one.destroy(new Error("no answer within 35 s")));
    one.end(sent.text);
  });
}
