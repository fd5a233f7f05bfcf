import { setTimeout as pause } from "node:timers/promises";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { guarded } from "../../mixins/guarded.ts";
import { call } from "../contracts.ts";
import { closeCodes } from "../im-frames.ts";
import { nowMs } from "./clock.ts";
import { drainPlan } from "./drain-plan.ts";
import type { ImNode } from "./im-node.ts";
import type { Presence } from "./presence-store.ts";
import { SilenceSweep } from "./silence.ts";

const reportTimeoutMs = 1_000;

function batches<T>(items: readonly T[], size: number): T[][] {
  const starts = Array.from({ length: Math.ceil(items.length / size) }, (_, i) => i * size);
  return starts.map((start) => items.slice(start, start + size));
}

/** Writes the members of rooms here, catches up where a room went on without us, and reports who watches. */
async function touchRooms(node: ImNode, roomIds: readonly number[]): Promise<void> {
  for (const batch of batches(roomIds, limits.im.presenceBatch)) {
    const rooms = batch.map((roomId) => ({ roomId, members: node.roster.inRoom(roomId).size }));
    const touched = await node.presence.touchRooms(rooms);
    for (const { roomId, position } of touched) if (position) node.rooms.catchUp(roomId, position);
    const watched = touched.map(({ roomId, watchNum }) => ({ roomId, watchNum }));
    await report(node, watched);
  }
}

/**
 * Tells the room list what changed; where it cannot be told the rooms count as changed until it can. What several nodes
 * tell may be written in another order than it was counted in: see `tellAgain`, and a room that was left empty is swept
 * as a deserted one a lease later.
 */
async function report(node: ImNode, watched: readonly { roomId: number; watchNum: number }[]): Promise<void> {
  const { reportedWatch, changedRooms, roster } = node;
  const rooms = watched.filter(({ roomId, watchNum }) => reportedWatch.get(roomId) !== watchNum);
  try {
    if (rooms.length > 0)
      await call(node.broker, "living-room.setWatchNumbers", { rooms }, { timeout: reportTimeoutMs });
    for (const { roomId, watchNum } of rooms) reportedWatch.set(roomId, watchNum);
  } catch (error) {
    for (const { roomId } of rooms) changedRooms.add(roomId);
    node.log.warn({ rooms: rooms.length, err: error }, "watch numbers were not reported: they are tried again");
  }
  // What others hold alone is theirs to report.
  for (const { roomId } of watched) if (roster.inRoom(roomId).size === 0) reportedWatch.delete(roomId);
}

/**
 * Counts rooms as changed whose number was told longest ago, a batch each time: what another node told late may stand
 * over it. The Map keeps the order in which they were told.
 */
function tellAgain({ reportedWatch, changedRooms }: ImNode): void {
  for (const roomId of [...reportedWatch.keys()].slice(0, limits.im.presenceBatch)) changedRooms.add(roomId);
}

/** Rooms that changed here are told of in any case: since this node told the same number others may have told another. */
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
 * Renews users' leases. Who was lost in Redis may have had notices meanwhile that did not find them. Who has left since
 * the users were listed is passed over, in the step that sends the renewal: it would write back the entry they took out.
 */
async function renewUsers(node: ImNode, users: readonly Presence[]): Promise<void> {
  const present = users.filter(({ userId, connectionId }) => node.roster.ofUser(userId)?.id === connectionId);
  const { replaced, lost } = await node.presence.renew(present);
  for (const connectionId of replaced) node.closeReplaced(connectionId);
  for (const connectionId of lost) {
    const connection = node.roster.byConnection(connectionId);
    if (connection) node.notices.catchUp(connection);
  }
}

/** Renews every lease of this node; what Redis has lost is there again afterwards. */
async function renewAll(node: ImNode): Promise<void> {
  for (const batch of batches(node.presences(), limits.im.presenceBatch)) await renewUsers(node, batch);
  await touchRooms(node, node.roster.rooms);
  const deserted = (await node.presence.desertedRooms()).map((roomId) => ({ roomId, watchNum: 0 }));
  await report(node, deserted);
  tellAgain(node);
  await node.presence.keepMark();
}

/** What keeps this node's entries in Redis and its sockets in order, until `stop`. */
export function startUpkeep(node: ImNode): { stop(): Promise<void> } {
  const { silenceMs, pingAfterMs, presenceRefreshMs, watchFlushMs, noticesCheckMs } = node.settings;
  let renewedAt = Date.now();
  const presence = new BackgroundLoop({
    name: "presence",
    idleMs: watchFlushMs,
    errorBackoffMs: watchFlushMs,
    log: node.log,
    round: async () => {
      await node.untold.tell();
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
  const sweepEveryMs = Math.max(20, Math.min(silenceMs, pingAfterMs) / 15);
  const silence = new SilenceSweep(node.settings, sweepEveryMs, nowMs());
  const sweepSilent = guarded(node.log, "closing silent connections", () => {
    if (silence.sweep(node.roster.all(), nowMs()))
      node.log.warn("this node was held up: nobody counts as silent for that time");
  });
  const checkAll = guarded(node.log, "looking for kept notices", () => checkNotices(node));
  const sweep = setInterval(sweepSilent, sweepEveryMs);
  const check = setInterval(checkAll, Math.max(20, noticesCheckMs / 30));
  return {
    async stop() {
      clearInterval(sweep);
      clearInterval(check);
      await presence.stop();
      await node.notices.stop();
    },
  };
}

/** A notice whose call did not reach this node stands in the stream all the same: each connection looks now and then. */
function checkNotices(node: ImNode): void {
  const checkedBefore = nowMs() - node.settings.noticesCheckMs;
  for (const connection of node.roster.claimed())
    if (connection.noticesAt < checkedBefore) node.notices.catchUp(connection);
}

/** Lets everybody go in portions, so that they do not come to the other nodes all at once; takes `drainMs` at the most. */
export async function drain(node: ImNode): Promise<void> {
  const everybody = node.roster.all();
  const rooms = node.roster.rooms;
  const { portion: size, pauseMs } = drainPlan(everybody.length, node.settings.drainPortion, node.settings.drainMs);
  const portions = batches(everybody, size);
  for (const [at, portion] of portions.entries()) {
    for (const connection of portion) {
      connection.close(closeCodes.draining, "this node is going away");
      node.leave(connection);
    }
    if (at < portions.length - 1) await pause(pauseMs);
  }
  await node.allLeft();
  await node.untold.tell();
  try {
    await touchRooms(node, rooms);
    await node.presence.removeMark();
  } catch (error) {
    node.log.warn({ err: error, rooms: rooms.length }, "rooms not left in Redis: this node's leases there run out");
  }
}
