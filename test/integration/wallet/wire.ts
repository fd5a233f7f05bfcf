import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A point at which a connection breaks once. */
export interface Break {
  /** Only a connection that has sent this in its transaction. */
  readonly after?: string;
  readonly at: string;
  /** `reply lost`: the server ran the command and its reply is lost. `half sent`: the server got half of the command. */
  readonly how: "reply lost" | "half sent";
}

/** A TCP proxy between the code under test and a server, with faults that a test chooses. */
export interface Wire {
  /** The server's URL with the port of this proxy. */
  readonly url: string;
  /** Connections that were refused so far. */
  readonly refused: number;
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  mend(): void;
  /** Delays every reply by so many ms, in order; 0 ends it. */
  slow(ms: number): void;
  /** Breaks the first connection that reaches this point; resolves when it is broken. */
  breakOnce(fault: Break): Promise<void>;
  close(): Promise<void>;
}

interface Waiting extends Break {
  broke(): void;
}

export async function openWire(target: string): Promise<Wire> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const faults: Waiting[] = [];
  let whole = true;
  let delayMs = 0;
  let refused = 0;

  const server = createServer((client) => {
    if (!whole) {
      refused++;
      return client.destroy();
    }
    const upstream = connect(Number(port), hostname);
    const breakOff = () => {
      client.resetAndDestroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // An error on one side closes both.
      socket.on("error", breakOff);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    let sentInTransaction = "";
    let replyLost: Waiting | undefined;
    client.on("data", (chunk: Buffer) => {
      const said = chunk.toString("latin1");
      if (faults.length > 0) {
        const hit = faults.findIndex(({ at, after }) => said.includes(at) && sentInTransaction.includes(after ?? ""));
        const fault = hit < 0 ? undefined : (faults.splice(hit, 1)[0] as Waiting);
        if (fault?.how === "half sent") {
          upstream.write(chunk.subarray(0, chunk.length / 2), breakOff);
          return fault.broke();
        }
        replyLost = fault;
      }
      sentInTransaction = /COMMIT|ROLLBACK/.test(said) ? "" : sentInTransaction + said.slice(0, 100);
      upstream.write(chunk);
    });
    let lastReplyAt = 0;
    upstream.on("data", (chunk: Buffer) => {
      if (replyLost) {
        breakOff();
        return replyLost.broke();
      }
      const now = Date.now();
      lastReplyAt = Math.max(lastReplyAt, now + delayMs);
      if (lastReplyAt <= now) client.write(chunk);
      else setTimeout(() => client.write(chunk), lastReplyAt - now);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    get refused() {
      return refused;
    },
    cut() {
      whole = false;
      breakAll();
    },
    mend() {
      whole = true;
    },
    slow(ms) {
      delayMs = ms;
    },
    breakOnce: (fault) => new Promise((resolve) => faults.push({ ...fault, broke: resolve })),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      breakAll();
      await closed;
    },
  };
}
