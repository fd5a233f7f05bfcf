import { type AddressInfo, createServer, type Server } from "node:net";
import { connectNats } from "../../../broker/nats-connect.ts";

/** A server that speaks as much of NATS as a login needs, and leaves the first connections without an answer. */
async function silentAtFirst(silent: number): Promise<{ server: Server; port: number; logins: () => number }> {
  let connections = 0;
  const server = createServer((socket) => {
    const isSilent = ++connections <= silent;
    socket.on("error", () => {});
    socket.write('INFO {"server_id":"one","version":"2.9.10","proto":1,"max_payload":1048576}\r\n');
    socket.on("data", (data) => {
      if (!isSilent && data.includes("PING")) socket.write("PONG\r\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port, logins: () => connections };
}

test("a login that nats-server does not answer while it reads its configuration is tried again", async () => {
  const { server, port, logins } = await silentAtFirst(1);
  const connection = await connectNats({ servers: `127.0.0.1:${port}`, timeout: 100, reconnect: false });
  expect(logins()).toBe(2);
  await connection.close();
  server.close();
});

test("a server that never answers is an error in the end", async () => {
  const { server, port, logins } = await silentAtFirst(Number.POSITIVE_INFINITY);
  const options = { servers: `127.0.0.1:${port}`, timeout: 50, reconnect: false };
  await expect(connectNats(options)).rejects.toThrow("TIMEOUT");
  expect(logins()).toBe(5);
  server.close();
});
