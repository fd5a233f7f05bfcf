import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface SwitchableServer {
  /** An address that leads to one server after the other. */
  readonly url: string;
  /** Connections made from now on lead there; those that are there stay with their server. */
  leadTo(target: string): void;
  /** Connections that were made so far. */
  readonly made: number;
  close(): Promise<void>;
}

/** One address before several servers, as a proxy or a virtual address does a failover. */
export async function switchable(target: string): Promise<SwitchableServer> {
  const sockets = new Set<Socket>();
  let { hostname, port } = new URL(target);
  let made = 0;
  const server = createServer((client) => {
    made++;
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
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    leadTo(next) {
      ({ hostname, port } = new URL(next));
    },
    get made() {
      return made;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
