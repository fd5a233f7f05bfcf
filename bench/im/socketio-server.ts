import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdapter } from "@socket.io/redis-adapter";
import { Server } from "socket.io";
import { config } from "../../config/config.ts";
import { redisOf } from "../../mixins/redis/address.ts";
import { adapterKey } from "./socketio.ts";

/*
 * The server that a room is compared with: Socket.IO as its documentation sets it up for several nodes. WebSocket only,
 * no compression, the Redis adapter; everything else is its default. The address has the viewer's room.
 */

const publisher = redisOf(config().REDIS_URL);
const subscriber = publisher.duplicate();
const server = createServer();
const io = new Server(server, {
  transports: ["websocket"],
  perMessageDeflate: false,
  serveClient: false,
  adapter: createAdapter(publisher, subscriber, { key: adapterKey() }),
});

io.on("connection", (socket) => {
  const { roomId } = socket.handshake.query;
  if (typeof roomId === "string") void socket.join(roomId);
});

server.listen(0, "127.0.0.1", () => {
  console.log(`ready ${JSON.stringify({ port: (server.address() as AddressInfo).port })}`);
});
process.on("disconnect", () => process.exit());
