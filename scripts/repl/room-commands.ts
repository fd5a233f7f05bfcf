import type { ServiceBroker } from "moleculer";
import { call } from "../../services/contracts.ts";
import { errorText, type ReplCommand, userIdOf } from "./command.ts";
import { table } from "./table.ts";

const roomTypes = { 1: "normal", 2: "PK" } as const;
const roomsShown = 100;

const where: ReplCommand = {
  command: "where <userId>",
  description: "the im-server node and the room that a user is connected to",
  async run(broker, args) {
    const userId = userIdOf(args.userId);
    const places = await call(broker, "im-router.whereIs", { userId });
    if (places.length === 0) return `user ${userId} is not connected`;
    return table(
      ["room", "since", "node"],
      places.map(({ roomId, since, nodeId }) => [roomId, since, nodeId]),
    );
  },
};

const rooms: ReplCommand = {
  command: "rooms",
  description: `the newest live rooms, up to ${roomsShown} of each type`,
  async run(broker) {
    const pages = await Promise.all(
      ([1, 2] as const).map(async (type) => ({
        type,
        ...(await call(broker, "living-room.list", { type, page: 1, pageSize: roomsShown })),
      })),
    );
    const rows = pages.flatMap(({ type, list }) =>
      list.map(({ id, anchorId, watchNum, roomName }) => [id, roomTypes[type], anchorId, watchNum, roomName]),
    );
    const more = pages.some(({ hasNext }) => hasNext) ? "\n(there are older ones)" : "";
    return table(["room", "type", "anchor", "watching", "name"], rows) + more;
  },
};

async function imNodes(broker: ServiceBroker): Promise<string[]> {
  const query = { onlyAvailable: true, skipInternal: true, grouping: true };
  const services = (await broker.call("$node.services", query)) as { name: string; nodes: string[] }[];
  return services.flatMap(({ name, nodes }) => (name === "im-server" ? nodes : [])).sort();
}

const ims: ReplCommand = {
  command: "ims",
  description: "the im-servers: address, connections, rooms, draining or not",
  async run(broker) {
    const rows = await Promise.all(
      (await imNodes(broker)).map(async (nodeID) => {
        try {
          const status = await call(broker, "im-server.status", {}, { nodeID, timeout: 2_000 });
          const { address, connections, rooms: held, draining } = status;
          return [nodeID, connections, held, draining ? "draining" : "open", address];
        } catch (error) {
          return [nodeID, 0, 0, "silent", errorText(error)];
        }
      }),
    );
    return table(["node", "connections", "rooms", "state", "address"], rows);
  },
};

export const roomCommands = [where, rooms, ims];
