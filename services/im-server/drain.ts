import { setTimeout as pause } from "node:timers/promises";
import { closeCodes } from "../im-frames.ts";
import type { ImNode } from "./im-node.ts";
import { batchesOf, touchRooms } from "./maintenance.ts";

const portionsMax = 50;

/** How many connections are closed at a time, and how long it is from one portion to the next. */
export interface DrainPlan {
  portion: number;
  pauseMs: number;
}

/**
 * Closes `connections` within `drainMs`, in portions of at least `leastPortion`: few are closed at once, many are spread
 * over the whole time, so that they do not come to the other nodes all at once. Pure.
 */
export function drainPlan(connections: number, leastPortion: number, drainMs: number): DrainPlan {
  const portion = Math.max(leastPortion, Math.ceil(connections / portionsMax));
  const portions = Math.max(1, Math.ceil(connections / portion));
  return { portion, pauseMs: drainMs / portions };
}

/** Closes all connections, within `drainMs`, and takes the node out of Redis. Never rejects. */
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
    node.log.warn({ err: error, rooms: rooms.length }, "rooms not left in Redis: this node's leases there run out");
  }
}
