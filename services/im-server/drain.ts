import { setTimeout as pause } from "node:timers/promises";
import { closeCodes } from "../im-frames.ts";
import type { ImNode } from "./im-node.ts";
import { batchesOf, touchRooms } from "./maintenance.ts";

const portionsMax = 50;

/** The number of connections that are closed at a time, and the time between portions. */
export interface DrainPlan {
  portion: number;
  pauseMs: number;
}

/**
 * Closes `connections` within `drainMs`, in portions of at least `leastPortion`. Few connections are closed at once;
 * many are spread over the whole time, so that they do not all reconnect to the other nodes at once. Pure.
 */
export function drainPlan(connections: number, leastPortion: number, drainMs: number): DrainPlan {
  const portion = Math.max(leastPortion, Math.ceil(connections / portionsMax));
  const portions = Math.max(1, Math.ceil(connections / portion));
  return { portion, pauseMs: drainMs / portions };
}

/** Closes all connections, within `drainMs`, and removes the node from Redis. Never rejects. */
export async function drain(node: ImNode): Promise<void> {
  const everybody = node.connections.all();
  const rooms = node.connections.rooms;
  const { portion: size, pauseMs } = drainPlan(everybody.length, node.limits.drainPortion, node.limits.drainMs);
  const portions = batchesOf(everybody, size);
  for (const [at, portion] of portions.entries()) {
    for (const connection of portion) {
      connection.close(closeCodes.draining, "this node is going away");
      node.leave(connection);
    }
    if (at < portions.length - 1) await pause(pauseMs);
  }
  await node.allLeft();
  await node.unreported.report();
  try {
    await touchRooms(node, rooms);
    await node.presence.removeMark();
  } catch (error) {
    node.log.warn(
      { err: error, rooms: rooms.length },
      "this node could not be removed from its rooms in Redis: its leases there expire",
    );
  }
}
