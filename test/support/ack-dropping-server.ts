import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface AckDroppingServer {
  /** The server's URL, with this stand-in's port in it. */
  readonly url: string;
  /** Drops messages of the server to its clients whose payload matches, until `times` of them are dropped. */
  drop(payload: RegExp, times: number): void;
  /** How many were dropped since the last `drop`. */
  readonly dropped: number;
  close(): Promise<void>;
}

const operation = /^(MSG|HMSG) .*?(\d+)\r\n/;

/** Passes on whole operations of NATS' protocol, except for those that are dropped. */
class Filter {
  private pending = Buffer.alloc(0);

  /** What of the bytes so far is to be passed on. */
  take(chunk: Buffer, drops: (payload: string) => boolean): Buffer[] {
    this.pending = Buffer.concat([this.pending, chunk]);
    const passed: Buffer[] = [];
    for (let end = this.end(); end > 0; end = this.end()) {
      const one = this.pending.subarray(0, end);
      this.pending = this.pending.subarray(end);
      if (!one.includes("MSG ") || !drops(one.toString("latin1"))) passed.push(one);
    }
    return passed;
  }

  /** Where the first operation ends; 0 while it is incomplete. */
  private end(): number {
    const lineEnd = this.pending.indexOf("\r\n");
    if (lineEnd < 0) return 0;
    const line = this.pending.toString("latin1", 0, lineEnd + 2);
    const payload = operation.exec(line)?.[2];
    const end = lineEnd + 2 + (payload === undefined ? 0 : Number(payload) + 2);
    return end <= this.pending.length ? end : 0;
  }
}

/** Stands between processes and the NATS server of the test stack, so that a test can lose acks that the server sent. */
export async function ackDropping(target: string): Promise<AckDroppingServer> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let watch: { payload: RegExp; times: number } | undefined;
  let dropped = 0;
  const drops = (text: string) => {
    if (!watch || dropped >= watch.times || !watch.payload.test(text)) return false;
    dropped++;
    return true;
  };
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const filter = new Filter();
    client.pipe(upstream);
    upstream.on("data", (chunk) => {
      for (const part of filter.take(chunk, drops)) client.write(part);
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      // Either end's fault ends both, which is all that a wire does.
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    drop(payload, times) {
      dropped = 0;
      watch = { payload, times };
    },
    get dropped() {
      return dropped;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
