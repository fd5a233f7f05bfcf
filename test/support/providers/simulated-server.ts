import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface SimulatedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface SimulatedAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: string | Buffer;
}

export interface SimulatedServer {
  readonly url: string;
  /** Every call that came, in order. */
  readonly calls: SimulatedRequest[];
  /** `true`: connections are broken as they come; a number: everything is answered with this status. */
  down: boolean | number;
  stop(): Promise<void>;
}

/** An HTTP server in this process that stands where a provider stands. */
export async function simulate(
  answer: (request: SimulatedRequest) => SimulatedAnswer | Promise<SimulatedAnswer>,
): Promise<SimulatedServer> {
  const calls: SimulatedRequest[] = [];
  const server = createServer(async (incoming, response) => {
    let body = "";
    for await (const chunk of incoming) body += chunk;
    const request = { method: incoming.method ?? "", path: incoming.url ?? "", headers: incoming.headers, body };
    calls.push(request);
    if (simulated.down === true) return incoming.socket.destroy();
    if (typeof simulated.down === "number") return response.writeHead(simulated.down).end("not now");
    const { status, headers, body: text } = await answer(request);
    response.writeHead(status, headers).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const simulated: SimulatedServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    down: false,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return simulated;
}

/** Seconds between a provider's calls of one webhook, by its documentation. */
export const retrySeconds = {
  wechat: [15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600],
  alipay: [240, 600, 600, 3_600, 7_200, 21_600, 54_000],
  cashier: [0.5, 1, 2, 4, 8, 15, 30, 60],
} as const;

/**
 * Calls as a provider does until it is answered with success, or its schedule is over; the whole schedule runs in about
 * a second. How many calls it took; `null` where it gave up.
 */
export async function insist(channel: keyof typeof retrySeconds, send: () => Promise<boolean>): Promise<number | null> {
  const delays = retrySeconds[channel];
  const whole = delays.reduce((sum: number, seconds) => sum + seconds, 0);
  for (let made = 1; made <= delays.length + 1; made++) {
    if (await send()) return made;
    await new Promise((resolve) => setTimeout(resolve, ((delays[made - 1] ?? 0) / whole) * 1_000));
  }
  return null;
}
