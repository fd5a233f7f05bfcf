import { createAdapter } from "@socket.io/redis-adapter";
import type { Redis } from "ioredis";
import { Server } from "socket.io";
import { config } from "../../config/config.ts";
import { redisOf } from "../../mixins/redis/address.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";
import type { ImBenchContext } from "./context.ts";
import type { Audience } from "./measure.ts";
import type { SendGifts } from "./offer.ts";
import { end, startReady } from "./processes.ts";
import { Viewers } from "./viewers.ts";

const seesDeadlineMs = 10_000;

/** The prefix of the adapter's channels. */
export const adapterKey = (): string => `${config().NAMESPACE}:socket.io`;

/** A second Socket.IO node without viewers: its gifts reach the viewers through the Redis adapter. */
export class SocketIoEmitter {
  private readonly redis: Redis;
  private readonly io: Server;

  constructor({ closing }: ImBenchContext) {
    this.redis = redisOf(config().REDIS_URL);
    const subscriber = this.redis.duplicate();
    const adapter = createAdapter(this.redis, subscriber, { key: adapterKey() });
    this.io = new Server({ serveClient: false, adapter });
    closing.add(async () => {
      this.redis.disconnect();
      subscriber.disconnect();
    });
  }

  /** Sends each gift at once as one event. */
  readonly send: SendGifts = async (rooms) => {
    for (const { roomId, gifts } of rooms) for (const gift of gifts) this.io.to(String(roomId)).emit("gift", gift);
  };

  /** Resolves once this number of nodes, this one included, subscribe in Redis. */
  async sees(nodes: number): Promise<void> {
    const channel = `${adapterKey()}-request#/#`;
    const seen = await becomesTrue(
      async () => Number((await this.redis.pubsub("NUMSUB", channel))[1]) === nodes,
      seesDeadlineMs,
      50,
    );
    if (!seen) throw new Error("the Socket.IO server does not listen in Redis");
  }
}

/** A Socket.IO server in a process of its own, with one room of viewers. */
export async function openSocketIo(context: ImBenchContext, emitter: SocketIoEmitter, size: number): Promise<Audience> {
  await emitter.sees(1);
  const { child, about } = await startReady(context, "socketio", "bench/im/socketio-server.ts");
  await emitter.sees(2);
  const viewers = new Viewers(context, `viewers-socketio-${size}`);
  const roomId = 1;
  const address = `ws://127.0.0.1:${about.port}/socket.io/?EIO=4&transport=websocket&roomId=${roomId}`;
  await viewers.connect(new Array<string>(size).fill(address), "socketio");
  return {
    name: "Socket.IO",
    rooms: [roomId],
    viewersPerRoom: size,
    viewers: [viewers],
    send: emitter.send,
    pids: { socketio: child.pid as number },
    end: async () => void (await Promise.all([viewers.end(), end(child)])),
  };
}
