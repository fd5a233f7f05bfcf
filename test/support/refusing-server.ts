import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Refusal {
  /** Found in a statement: it is not handed on but answered with this error. */
  readonly at: string;
  /** Only on a connection that has said this in its transaction. */
  readonly after?: string;
  readonly errno: number;
  readonly sqlState: string;
  readonly times: number;
}

export interface RefusingServer {
  /** The server's URL, with this stand-in's port in it. */
  readonly url: string;
  /** From now on; resolves once it has refused so often. */
  refuse(refusal: Refusal): Promise<void>;
  close(): Promise<void>;
}

/** An answer of MySQL's protocol that is an error. */
function errorPacket(errno: number, sqlState: string): Buffer {
  const body = Buffer.from(`\xff\0\0#${sqlState}refused by the test`, "latin1");
  body.writeUInt16LE(errno, 1);
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.length, 0, 3);
  head[3] = 1;
  return Buffer.concat([head, body]);
}

/** Stands between a client and MySQL, and answers statements with errors that a healthy server cannot be brought to. */
export async function refusing(target: string): Promise<RefusingServer> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let current: { refusal: Refusal; left: number; done(): void } | undefined;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    let said = "";
    /** Bytes of the refused statement that are still to come. */
    let missing = 0;
    let answer: Buffer | undefined;
    const answered = () => {
      if (missing > 0 || !answer) return;
      client.write(answer);
      answer = undefined;
    };
    client.on("data", (chunk: Buffer) => {
      if (missing > 0) {
        missing -= chunk.length;
        return answered();
      }
      const text = chunk.toString("latin1");
      const hit = current && text.includes(current.refusal.at) && said.includes(current.refusal.after ?? "");
      said = /COMMIT|ROLLBACK/.test(text) && !hit ? "" : said + text.slice(0, 200);
      if (!current || !hit) return upstream.write(chunk);
      const { refusal, done } = current;
      answer = errorPacket(refusal.errno, refusal.sqlState);
      missing = chunk.readUIntLE(0, 3) + 4 - chunk.length;
      if (--current.left === 0) {
        current = undefined;
        done();
      }
      answered();
    });
    upstream.on("data", (chunk) => client.write(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    refuse: (refusal) =>
      new Promise((done) => {
        current = { refusal, left: refusal.times, done };
      }),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
