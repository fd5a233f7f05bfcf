import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface CuttableServer {
  /** The server's URL, with this stand-in's port in it. */
  readonly url: string;
  /** Breaks every connection and refuses new ones, as a server that went away. */
  cut(): void;
  /** Lets the connections that are there hang, as when a machine loses its power; new ones work. */
  freeze(): void;
  /** As freeze, and new connections hang too: a process that is stopped. */
  silence(): void;
  /** Frozen connections go on with all that was sent meanwhile, and new ones work. */
  thaw(): void;
  mend(): void;
  /** Connections made from now on lead to another server, as after a failover; those that are there stay with theirs. */
  leadTo(target: string): void;
  /** Connections that were made so far. */
  readonly made: number;
  close(): Promise<void>;
}

/** Stands between the code under test and a server of the test stack, so that a test can take the server away. */
export async function cuttable(target: string): Promise<CuttableServer> {
  let { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  /** The other end of each socket. */
  const others = new Map<Socket, Socket>();
  let whole = true;
  let silent = false;
  let made = 0;
  const server = createServer((client) => {
    made++;
    if (!whole) return client.destroy();
    const upstream = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      others.set(socket, other);
      // Either end's fault ends both, which is all that a wire does.
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        others.delete(socket);
        other.destroy();
      });
      if (silent) socket.pause();
      else socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
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
      this.freeze();
    },
    thaw() {
      silent = false;
      for (const [socket, other] of others) socket.pipe(other);
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
