import { ServiceBroker, type ServiceSchema } from "moleculer";
import { WebSocket } from "ws";
import { brokerOptions } from "../../broker/options.ts";
import { call } from "../../services/contracts.ts";
import { routerBucketOf } from "../../services/im-buckets.ts";
import type { ImBenchContext } from "./context.ts";
import type { SendGifts } from "./offer.ts";

/** Every room is live and nobody asks who watches: what is measured is the way from the router to the viewers. */
const liveRooms = {
  name: "living-room",
  actions: {
    find: (ctx: { params: { roomId: number } }) => ({
      roomId: ctx.params.roomId,
      anchorId: "1",
      type: 1,
      roomName: "",
    }),
    setWatchNumbers: () => null,
  },
} as unknown as ServiceSchema;

const tokensAtOnce = 100;
const startDeadlineMs = 20_000;
/** Users who only look whether somebody is let in. */
let stranger = 900_000_000;

/** The gift service's place in a benchmark: it hands gifts to the router as they are settled. */
export class GiftSource {
  private readonly broker: ServiceBroker;

  constructor(broker: ServiceBroker) {
    this.broker = broker;
  }

  /** Addresses with a token each for so many users. Users are told apart from those of earlier calls. */
  async addresses(roomId: number, firstUser: number, count: number): Promise<string[]> {
    const urls: string[] = [];
    for (let at = 0; at < count; at += tokensAtOnce) {
      const users = Array.from({ length: Math.min(tokensAtOnce, count - at) }, (_, i) => String(firstUser + at + i));
      urls.push(...(await Promise.all(users.map((userId) => this.address(roomId, userId)))));
    }
    return urls;
  }

  /** What a client is told by im/getImConfig, as the address to connect to. */
  async address(roomId: number, userId: string): Promise<string> {
    const { address, token } = await call(this.broker, "im-router.ticket", { userId });
    return `${address}?token=${token}&roomId=${roomId}`;
  }

  /** The ids of the im-servers that this node knows to be there. */
  async serverNodes(): Promise<string[]> {
    const services = (await this.broker.call("$node.services", { onlyAvailable: true })) as {
      name: string;
      nodes: string[];
    }[];
    return services.find(({ name }) => name === "im-server")?.nodes ?? [];
  }

  /** As the settlers do: a call for the rooms of each router bucket. */
  readonly send: SendGifts = async (rooms) => {
    const buckets = Map.groupBy(rooms, ({ roomId }) => routerBucketOf(roomId));
    const calls = [...buckets].map(([bucket, some]) =>
      call(this.broker, "im-router.roomGifts", { bucket, rooms: some }),
    );
    await Promise.all(calls);
  };
}

/** The node that lets a user in where one is known and does. */
async function cameInOn(source: GiftSource): Promise<string | undefined> {
  const url = await source.address(999_999, String(stranger++)).catch(() => undefined);
  if (!url) return undefined;
  const socket = new WebSocket(url);
  const nodeId = await new Promise<string | undefined>((resolve) => {
    socket.once("message", (text) => resolve(JSON.parse(text.toString()).body.nodeId));
    socket.once("close", () => resolve(undefined));
    socket.once("error", () => resolve(undefined));
  });
  socket.terminate();
  return nodeId;
}

/**
 * A node of the benchmark's own that plays the neighbours of the IM services; resolves once it sees them and somebody
 * comes in on each of so many im-servers.
 */
export async function openGiftSource({ closing }: ImBenchContext, servers = 1): Promise<GiftSource> {
  const broker = new ServiceBroker(brokerOptions("bench-gifts"));
  broker.createService(liveRooms);
  await broker.start();
  closing.add(() => broker.stop());
  await broker.waitForServices(["im-router", "im-server"], startDeadlineMs);
  const source = new GiftSource(broker);
  // All have to see each other: the proof is that somebody comes in.
  const nodes = new Set<string>();
  for (const until = Date.now() + startDeadlineMs; nodes.size < servers; ) {
    const nodeId = await cameInOn(source);
    if (nodeId) nodes.add(nodeId);
    else await new Promise((resolve) => setTimeout(resolve, 200));
    if (Date.now() > until) throw new Error("nobody is let in by an im-server");
  }
  return source;
}
