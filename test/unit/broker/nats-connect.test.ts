import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { connectNats } from "../../../broker/nats-connect.ts";
import { eventually } from "../../support/eventually.ts";

/** A server that speaks as much of NATS as a login needs, and leaves the first connections without an answer. */
async function silentAtFirst(silent: number, at = 0): Promise<{ server: Server; port: number; logins: () => number }> {
  let connections = 0;
  const server = createServer((socket) => {
    const isSilent = ++connections <= silent;
    socket.on("error", () => {});
    socket.write('INFO {"server_id":"one","version":"2.9.10","proto":1,"max_payload":1048576}\r\n');
    socket.on("data", (data) => {
      if (!isSilent && data.includes("PING")) socket.write("PONG\r\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(at, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port, logins: () => connections };
}

test("a login that nats-server does not answer while it reads its configuration is tried again", async () => {
  const { server, port, logins } = await silentAtFirst(1);
  const connection = await connectNats({ servers: `127.0.0.1:${port}`, timeout: 100, reconnect: false });
  // More where one of them took too long on a busy machine.
  expect(logins()).toBeGreaterThanOrEqual(2);
  await connection.close();
  server.close();
});

test("a server that never answers is an error in the end", async () => {
  const { server, port, logins } = await silentAtFirst(Number.POSITIVE_INFINITY);
  const options = { servers: `127.0.0.1:${port}`, timeout: 50, reconnect: false };
  await expect(connectNats(options)).rejects.toThrow("TIMEOUT");
  await eventually("five logins", () => logins() === 5);
  server.close();
});

test("a server that was down when the others were connected to is used once the others are down", async () => {
  const reserved = await silentAtFirst(0);
  reserved.server.close();
  const first = await silentAtFirst(0);
  const sockets = new Set<Socket>();
  first.server.on("connection", (socket) => sockets.add(socket));
  const servers = [`127.0.0.1:${reserved.port}`, `127.0.0.1:${first.port}`];
  const options = { servers, noRandomize: true, maxReconnectAttempts: -1, reconnectTimeWait: 20 };
  const connection = await connectNats(options);
  expect(connection.getServer()).toBe(servers[1]);

  const second = await silentAtFirst(0, reserved.port);
  first.server.close();
  for (const socket of sockets) socket.destroy();
  for await (const { type } of connection.status()) if (type === "reconnect") break;
  expect(connection.getServer()).toBe(servers[0]);
  await connection.close();
  second.server.close();
});
