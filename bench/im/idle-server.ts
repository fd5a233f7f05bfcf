/** The server whose memory is measured: an im-server node, or with the argument `bare` a ws server that only answers. */
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

const tell = (message: FromIdleServer) => process.send?.(message);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as (options?: object) => void;

/** All sockets come in from one machine at once: the rate at which a crowd is let in is none of what is measured here. */
const unpaced = { connectsPerSecond: 1e6, connectsBurst: 1e6 };

async function startIm(): Promise<void> {
  const broker = new ServiceBroker(brokerOptions("im-server"));
  broker.createService({ ...imServer, settings: unpaced });
  await broker.start();
  tell({ say: "ready" });
}

function greetAndAnswer(socket: WebSocket): void {
  socket.on("message", echo);
  socket.send('{"code":1001,"body":{}}');
}

function echo(this: WebSocket): void {
  this.send('{"code":1004,"body":{}}');
}

/** What ws itself costs, with the options of the im-server's listener. */
async function startBare(): Promise<void> {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.im.frameBytes,
  });
  const server = createServer();
  server.on("upgrade", (request, socket, head) => sockets.handleUpgrade(request, socket, head, greetAndAnswer));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  tell({ say: "ready", address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/im` });
}

/** The last resort is a collection that also gives room back, so that two of them leave comparable memory behind. */
process.on("message", (message: ToIdleServer) => {
  if (message.collect) for (let i = 0; i < 3; i++) collect({ type: "major", execution: "sync", flavor: "last-resort" });
  tell({ say: "memory", ...process.memoryUsage() });
});
process.on("disconnect", () => process.exit());
void (process.argv[2] === "bare" ? startBare() : startIm());
