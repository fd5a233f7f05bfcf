import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { guarded } from "../../mixins/guarded.ts";
import { call } from "../contracts.ts";
import { nowMs } from "./clock.ts";
import type { ImNode } from "./im-node.ts";
import { LivenessSweep } from "./liveness-sweep.ts";
import type { Presence } from "./presence-store.ts";

const reportTimeoutMs = 1_000;

export function batchesOf<T>(items: readonly T[], size: number): T[][] {
  const starts = Array.from({ length: Math.ceil(items.length / size) }, (_, i) => i * size);
  return starts.map((start) => items.slice(start, start + size));
}

/** Writes the numbers of members on this node, fetches missed frames of rooms, and reports the watch numbers. */
export async function touchRooms(node: ImNode, roomIds: readonly number[]): Promise<void> {
  for (const batch of batchesOf(roomIds, limits.im.presenceBatch)) {
    const rooms = batch.map((roomId) => ({ roomId, members: node.connections.inRoom(roomId).size }));
    const touched = await node.presence.touchRooms(rooms);
    for (const { roomId, position } of touched) if (position) node.rooms.catchUp(roomId, position);
    const watched = touched.map(({ roomId, watchNum }) => ({ roomId, watchNum }));
    await report(node, watched);
  }
}

/**
 * Reports changed watch numbers to living-room. Without an answer the rooms stay changed. Reports of several nodes may
 * be written in another order than they were counted: `reportAgain` corrects that. A room that was left empty is
 * removed as a deserted one after its lease.
 */
async function report(node: ImNode, watched: readonly { roomId: number; watchNum: number }[]): Promise<void> {
  const { reportedWatch, changedRooms, connections } = node;
  const rooms = watched.filter(({ roomId, watchNum }) => reportedWatch.get(roomId) !== watchNum);
  try {
    if (rooms.length > 0)
      await call(node.broker, "living-room.setWatchNumbers", { rooms }, { timeout: reportTimeoutMs });
    for (const { roomId, watchNum } of rooms) reportedWatch.set(roomId, watchNum);
  } catch (error) {
    for (const { roomId } of rooms) changedRooms.add(roomId);
    node.log.warn({ rooms: rooms.length, err: error }, "watch numbers were not reported: they are tried again");
  }
  // The nodes that have members of a room report it.
  for (const { roomId } of watched) if (connections.inRoom(roomId).size === 0) reportedWatch.delete(roomId);
}

/**
 * Reports the rooms again whose number was reported longest ago, a batch each time, since a late report of another node
 * may have overwritten it. The Map keeps the order of the reports.
 */
function reportAgain({ reportedWatch, changedRooms }: ImNode): void {
  for (const roomId of [...reportedWatch.keys()].slice(0, limits.im.presenceBatch)) changedRooms.add(roomId);
}

/** Rooms that changed on this node are always reported: other nodes may have reported another number meanwhile. */
async function flushChanges(node: ImNode): Promise<void> {
  const changed = [...node.changedRooms];
  node.changedRooms.clear();
  for (const roomId of changed) node.reportedWatch.delete(roomId);
  try {
    await touchRooms(node, changed);
  } catch (error) {
    for (const roomId of changed) node.changedRooms.add(roomId);
    throw error;
  }
}

/**
 * Renews users' leases. While a user's entry was lost in Redis, routers did not find the user, so the stream is read. A
 * user who has left since the list was made is removed from it in the same step that sends the renewal, which would
 * write the removed entry again.
 */
async function renewUsers(node: ImNode, users: readonly Presence[]): Promise<void> {
  const { connections, notifications } = node;
  const present = users.filter(({ userId, connectionId }) => connections.ofUser(userId)?.connectionId === connectionId);
  const { replaced, lost } = await node.presence.renew(present);
  for (const connectionId of replaced) node.closeReplaced(connectionId);
  for (const connectionId of lost) {
    const connection = connections.byConnection(connectionId);
    if (connection) notifications.catchUp(connection);
  }
}

/** Renews every lease of this node; entries that Redis lost are written again. */
async function renewAll(node: ImNode): Promise<void> {
  for (const batch of batchesOf(node.connections.claimed(), limits.im.presenceBatch)) await renewUsers(node, batch);
  await touchRooms(node, node.connections.rooms);
  const deserted = (await node.presence.desertedRooms()).map((roomId) => ({ roomId, watchNum: 0 }));
  await report(node, deserted);
  reportAgain(node);
  await node.presence.keepMark();
}

/** Keeps this node's entries in Redis and its connections in order, until `stop`. */
export function startMaintenance(node: ImNode): { stop(): Promise<void> } {
  const { heartbeatTimeoutMs, pingAfterMs, presenceRefreshMs, watchFlushMs, notificationsCheckMs } = node.limits;
  let renewedAt = Date.now();
  const presence = new BackgroundLoop({
    name: "presence",
    idleMs: watchFlushMs,
    errorBackoffMs: watchFlushMs,
    log: node.log,
    round: async () => {
      await node.unreported.report();
      const due = Date.now() - renewedAt >= presenceRefreshMs;
      if (due || (await node.presence.forgotten())) {
        await renewAll(node);
        renewedAt = Date.now();
      }
      await flushChanges(node);
      return false;
    },
  });
  node.onLost = () => presence.wake();
  const sweepEveryMs = Math.max(20, Math.min(heartbeatTimeoutMs, pingAfterMs) / 15);
  const liveness = new LivenessSweep(node.limits, sweepEveryMs, nowMs());
  const sweepConnections = guarded(node.log, "closing dead connections", () => {
    if (liveness.sweep(node.connections.all(), nowMs()))
      node.log.warn({}, "this node was paused: no connection is closed for silence meanwhile");
  });
  const checkAll = guarded(node.log, "checking for stored notifications", () => checkNotifications(node));
  const sweep = setInterval(sweepConnections, sweepEveryMs);
  const check = setInterval(checkAll, Math.max(20, notificationsCheckMs / 30));
  return {
    async stop() {
      clearInterval(sweep);
      clearInterval(check);
      await presence.stop();
      await node.notifications.stop();
    },
  };
}

/**
 * A notification whose call did not reach this node is in the stream: so the stream is read for each connection now and
 * then.
 */
function checkNotifications(node: ImNode): void {
  const readBefore = nowMs() - node.limits.notificationsCheckMs;
  for (const connection of node.connections.claimed())
    if (connection.notificationsReadAt < readBefore) node.notifications.catchUp(connection);
}
