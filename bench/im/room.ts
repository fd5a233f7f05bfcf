import { ServiceBroker, type ServiceSchema } from "moleculer";
import { WebSocket } from "ws";
import { brokerOptions } from "../../broker/options.ts";
import { call } from "../../services/contracts.ts";
import { routerBucketOf } from "../../services/im-buckets.ts";
import type { ImBenchContext } from "./context.ts";
import type { SendGifts } from "./offer.ts";

/** A living-room service in which every room is live: the measured path is from the router to the viewers. */
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

/** A user service in which nobody is muted or banned: without one an im-server admits nobody. */
const noRestrictions = {
  name: "user",
  actions: { restrictionsSince: () => ({ list: [], now: Date.now(), next: null }) },
} as unknown as ServiceSchema;

const tokensAtOnce = 100;
const startDeadlineMs = 20_000;
/** The next user id for probes of an im-server. */
let stranger = 900_000_000;

/** Replaces the gift service in a benchmark: it sends settled gifts to the router. */
export class GiftSource {
  private readonly broker: ServiceBroker;

  constructor(broker: ServiceBroker) {
    this.broker = broker;
  }

  /** The addresses of `count` users from `firstUser` on, each with a token. */
  async addresses(roomId: number, firstUser: number, count: number): Promise<string[]> {
    const urls: string[] = [];
    for (let at = 0; at < count; at += tokensAtOnce) {
      const users = Array.from({ length: Math.min(tokensAtOnce, count - at) }, (_, i) => String(firstUser + at + i));
      const { tickets } = await call(this.broker, "im-router.tickets", { userIds: users });
      urls.push(...tickets.map(({ address, token }) => `${address}?token=${token}&roomId=${roomId}`));
    }
    return urls;
  }

  /** The address to connect to, as im/getImConfig gives it. */
  async address(roomId: number, userId: string): Promise<string> {
    return (await this.addresses(roomId, Number(userId), 1))[0] as string;
  }

  /** The node ids of the im-servers in this node's registry. */
  async serverNodes(): Promise<string[]> {
    const services = (await this.broker.call("$node.services", { onlyAvailable: true, grouping: true })) as {
      name: string;
      nodes: string[];
    }[];
    return services.find(({ name }) => name === "im-server")?.nodes ?? [];
  }

  /** Sends gifts as the settlers do: one call for the rooms of each router bucket. */
  readonly send: SendGifts = async (rooms) => {
    const buckets = Map.groupBy(rooms, ({ roomId }) => routerBucketOf(roomId));
    const calls = [...buckets].map(([bucket, some]) =>
      call(this.broker, "im-router.roomGifts", { bucket, rooms: some }),
    );
    await Promise.all(calls);
  };
}

/** The node that a probe was connected to; `undefined` where none accepted it. */
async function probe(source: GiftSource): Promise<string | undefined> {
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
 * Starts a node that replaces the neighbours of the IM services. Resolves once it sees them and a probe was connected
 * to each of `servers` im-servers.
 */
export async function openGiftSource({ closing }: ImBenchContext, servers = 1): Promise<GiftSource> {
  const broker = new ServiceBroker(brokerOptions({ role: "all", label: "bench" }));
  broker.createService(liveRooms);
  broker.createService(noRestrictions);
  await broker.start();
  closing.add(() => broker.stop());
  await broker.waitForServices(["im-router", "im-server"], startDeadlineMs);
  const source = new GiftSource(broker);
  // All nodes must see each other, which a connected probe shows.
  const nodes = new Set<string>();
  for (const until = Date.now() + startDeadlineMs; nodes.size < servers; ) {
    const nodeId = await probe(source);
    if (nodeId) nodes.add(nodeId);
    else await new Promise((resolve) => setTimeout(resolve, 200));
    if (Date.now() > until) throw new Error("no im-server accepts a connection");
  }
  return source;
}
