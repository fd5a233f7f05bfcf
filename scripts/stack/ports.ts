import { connect, createServer } from "node:net";

export const LOOPBACK = "127.0.0.1";
const PORTS_TO_TRY = 500;

/** Whether nothing listens on that port of this machine. */
export async function isPortFree(port: number): Promise<boolean> {
  // Binding is not enough: on some systems 127.0.0.1 can be bound beside a listener on every address.
  return (await canListen(port)) && !(await canConnect(port));
}

/** The first free port from `preferred` on that is not in `taken`; it is added to `taken`. */
export async function claimFreePort(preferred: number, taken: Set<number>): Promise<number> {
  const last = Math.min(preferred + PORTS_TO_TRY, 65_535);
  for (let port = preferred; port <= last; port += 1) {
    if (taken.has(port) || !(await isPortFree(port))) continue;
    taken.add(port);
    return port;
  }
  throw new Error(`no free port between ${preferred} and ${last}; end what listens there or prefer another range`);
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(false);
      else reject(error);
    });
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port, timeout: 1000 });
    const answer = (connected: boolean) => {
      socket.destroy();
      resolve(connected);
    };
    socket.once("connect", () => answer(true));
    socket.once("error", () => answer(false));
    socket.once("timeout", () => answer(true));
  });
}
