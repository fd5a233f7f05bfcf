/** The measured server: an im-server node, or with the argument `bare` a ws server that only answers. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ServiceBroker } from "moleculer";
import { type WebSocket, WebSocketServer } from "ws";
import { brokerOptions } from "../../broker/options.ts";
import { limits } from "../../config/limits.ts";
import imServer from "../../services/im-server/im-server.service.ts";
import type { FromIdleServer, ToIdleServer } from "./idle-messages.ts";

const send = (message: FromIdleServer) => process.send?.(message);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as (options?: object) => void;

/** The limit of connects a second is lifted: all sockets come from one machine at once. */
const unpaced = { connectsPerSecond: 1e6, connectsBurst: 1e6 };

async function startIm(): Promise<void> {
  const broker = new ServiceBroker(brokerOptions({ role: "im-server" }));
  broker.createService({ ...imServer, settings: unpaced });
  await broker.start();
  send({ kind: "ready" });
}

function greetAndAnswer(socket: WebSocket): void {
  socket.on("message", echo);
  socket.send('{"code":1001,"body":{}}');
}

function echo(this: WebSocket): void {
  this.send('{"code":1004,"body":{}}');
}

/** A server of ws alone, with the options of the im-server's listener. */
async function startBare(): Promise<void> {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.im.frameBytes,
  });
  const server = createServer();
  server.on("upgrade", (request, socket, head) => sockets.handleUpgrade(request, socket, head, greetAndAnswer));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  send({ kind: "ready", address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/im` });
}

/** A last-resort collection also frees memory, so that two measurements can be compared. */
process.on("message", (message: ToIdleServer) => {
  if (message.collect) for (let i = 0; i < 3; i++) collect({ type: "major", execution: "sync", flavor: "last-resort" });
  send({ kind: "memory", ...process.memoryUsage() });
});
process.on("disconnect", () => process.exit());
void (process.argv[2] === "bare" ? startBare() : startIm());
