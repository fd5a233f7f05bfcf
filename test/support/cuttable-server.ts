import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Transform } from "node:stream";

export interface CuttableServer {
  /** The server's URL, with this stand-in's port in it. */
  readonly url: string;
  /** Breaks every connection and refuses new ones, as a server that went away. */
  cut(): void;
  /** Lets the connections that are there hang, as when a machine loses its power; new ones work. */
  freeze(): void;
  /** As freeze, and new connections hang too. What the connections have begun is undone: another server takes over. */
  silence(): void;
  /** As freeze, and new connections hang too. The server keeps what the connections have begun: nobody tells it. */
  isolate(): void;
  /** Frozen connections go on with all that was sent meanwhile, silenced ones break, and new ones work. */
  thaw(): void;
  mend(): void;
  /** Connections made from now on lead to another server, as after a failover; those that are there stay with theirs. */
  leadTo(target: string): void;
  /** Connections that were made so far. */
  readonly made: number;
  close(): Promise<void>;
}

/**
 * Stands between the code under test and a server of the test stack, so that a test can take the server away. `translate`
 * changes what the server says, e.g. the addresses of others; each piece is given to it as it arrives.
 */
export async function cuttable(target: string, translate?: (piece: Buffer) => Buffer): Promise<CuttableServer> {
  let { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  /** Client and server of each connection, and clients that have no server any more. */
  const pairs = new Map<Socket, Socket>();
  const lead = (client: Socket, upstream: Socket) => {
    client.pipe(upstream);
    if (translate === undefined) return void upstream.pipe(client);
    const transform = (piece: Buffer, _encoding: unknown, done: (error: null, data: Buffer) => void) =>
      done(null, translate(piece));
    upstream.pipe(new Transform({ transform })).pipe(client);
  };
  const silenced = new Set<Socket>();
  let whole = true;
  let silent = false;
  let made = 0;
  const server = createServer((client) => {
    made++;
    if (!whole) return client.destroy();
    if (silent) return void silenced.add(client.on("error", () => {}));
    const upstream = connect(Number(port), hostname);
    pairs.set(client, upstream);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      // Either end's fault ends both, which is all that a wire does.
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        pairs.delete(socket);
        if (!silenced.has(other)) other.destroy();
      });
    }
    lead(client, upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const breakAll = () => {
    for (const socket of [...sockets, ...silenced]) socket.destroy();
  };
  return {
    url: url.href,
    cut() {
      whole = false;
      breakAll();
    },
    freeze() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    silence() {
      silent = true;
      for (const [client, upstream] of pairs) {
        silenced.add(client.unpipe().pause());
        upstream.destroy();
      }
      pairs.clear();
    },
    isolate() {
      silent = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    thaw() {
      silent = false;
      for (const socket of silenced) socket.destroy();
      silenced.clear();
      for (const [client, upstream] of pairs) lead(client, upstream);
    },
    mend() {
      whole = true;
    },
    leadTo(next) {
      ({ hostname, port } = new URL(next));
    },
    get made() {
      return made;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      breakAll();
      await closed;
    },
  };
}
