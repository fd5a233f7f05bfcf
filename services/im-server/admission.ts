import { randomUUID } from "node:crypto";
import { closeCodes } from "../im-frames.ts";
import { redeemToken } from "../im-tokens.ts";
import { nowMs } from "./clock.ts";
import { type Admitted, Connection } from "./connection.ts";
import { type FrameForm, type FrameForms, requestedForm } from "./frame-forms.ts";
import { bannedText, type ImNode } from "./im-node.ts";
import type { ImSocket } from "./im-socket.ts";
import type { KeptFrame, Position } from "./room-feed.ts";

/** The reason why a socket is refused. */
interface Refusal {
  code: number;
  reason: string;
}

type Who = Omit<Admitted, "connectionId">;

/** A client that asks to connect. */
export interface Newcomer {
  readonly query: URLSearchParams;
  /** The key of its address for limits (services/client-address.ts). */
  readonly address: string;
}

const away: Refusal = { code: closeCodes.draining, reason: "not available now, try again" };

const bannedRefusal: Refusal = { code: closeCodes.banned, reason: bannedText };

/** Fails: unavailable, while this node does not know who is banned. */
function isBanned(node: ImNode, userId: string, roomId: number): boolean {
  node.requireRestrictions();
  return node.restrictions.isBanned(userId, roomId);
}

function roomIdOf(query: URLSearchParams): number | undefined {
  const text = query.get("roomId") ?? "";
  const roomId = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(roomId) ? roomId : undefined;
}

/** The last frame that the client has. A position that cannot be read counts as one before the history. */
function seenBy(query: URLSearchParams): Position | undefined {
  const since = query.get("since");
  if (since === null) return undefined;
  const readable = /^\d{1,15}$/.test(since);
  return { seq: readable ? Number(since) : 0, epoch: readable ? (query.get("epoch") ?? "").slice(0, 100) : "" };
}

/**
 * The token is checked first: without a valid one a client learns nothing. It is used up in any case. Rejects without
 * Redis.
 */
async function findWho(node: ImNode, { query, address }: Newcomer): Promise<Who | { refusal: Refusal }> {
  const redeemed = await redeemToken(node.redis, query.get("token") ?? "");
  if (redeemed === null) {
    node.connectRate.badToken(address, nowMs());
    return { refusal: { code: closeCodes.badToken, reason: "bad, used or expired token" } };
  }
  if (!node.connectRate.takeUser(redeemed.userId, nowMs()))
    return { refusal: { code: closeCodes.draining, reason: "too many connections in a short time" } };
  const roomId = roomIdOf(query);
  if (roomId === undefined) return { refusal: { code: closeCodes.protocolFault, reason: "roomId is missing" } };
  if (isBanned(node, redeemed.userId, roomId)) return { refusal: bannedRefusal };
  const form = requestedForm(query);
  if (form instanceof Error) return { refusal: { code: closeCodes.protocolFault, reason: form.message } };
  const anchorId = await node.anchorOf(roomId);
  const own = anchorId === redeemed.userId;
  if (anchorId === null || (own && !(await node.anchorEnters(anchorId, roomId))))
    return { refusal: { code: closeCodes.roomNotLive, reason: "the room is not live" } };
  return { ...redeemed, roomId, anchorId, form };
}

function full(node: ImNode, sockets: number): boolean {
  const { connectionsPerNode } = node.limits;
  return node.draining || sockets > connectionsPerNode || !node.connectRate.take(nowMs());
}

/**
 * Admits a new socket, or closes it with the reason. When it resolves, the socket is registered and greeted, and gets
 * every frame of its room from then on; or it is closing.
 */
export async function admit(node: ImNode, socket: ImSocket, newcomer: Newcomer, sockets: number): Promise<void> {
  if (node.connectRate.isSuspected(newcomer.address, nowMs())) {
    node.countSuspected();
    socket.close(closeCodes.draining, "too many bad tokens from this address, try again later");
    return;
  }
  if (full(node, sockets)) {
    socket.close(closeCodes.draining, "this node accepts no more connections now");
    return;
  }
  try {
    const who = await findWho(node, newcomer);
    if ("refusal" in who) socket.close(who.refusal.code, who.refusal.reason);
    else if (socket.readyState === socket.OPEN) await join(node, socket, who, seenBy(newcomer.query));
  } catch (error) {
    node.log.warn(
      { err: error },
      "a connection could not be admitted: it is closed with 4503, and the client tries again",
    );
    socket.close(away.code, away.reason);
  }
}

async function join(node: ImNode, socket: ImSocket, who: Who, seen: Position | undefined): Promise<void> {
  const connection = new Connection(socket, node, { ...who, connectionId: randomUUID() });
  socket.connection = connection;
  node.enter(connection);
  try {
    const joined = await node.presence.join(connection, seen);
    if (joined.refused === "closed") connection.close(closeCodes.roomNotLive, "the room is not live");
    if (joined.refused === "older") connection.close(closeCodes.replaced, "replaced by a newer connection");
    // A ban that came meanwhile did not find the connection, which has no user before it is claimed.
    if (node.restrictions.isBanned(who.userId, who.roomId)) connection.close(closeCodes.banned, bannedText);
    // The client may have left meanwhile. If its connection were claimed after that, nothing would remove it.
    if (joined.refused || !connection.open) {
      node.leave(connection);
      return;
    }
    node.connections.claim(connection);
    node.rooms.start(who.roomId, joined.position);
    if (joined.replaced) node.replaceFormer(joined.replaced);
    if (node.draining) connection.close(away.code, away.reason);
    greet(node, connection, joined, seen);
    node.battles.enter(connection);
    node.notifications.catchUp(connection);
  } catch (error) {
    node.leave(connection);
    throw error;
  }
}

function greet(
  node: ImNode,
  connection: Connection,
  { position, replay }: { position: Position; replay: KeptFrame[] | undefined },
  seen: Position | undefined,
): void {
  if (!seen) {
    connection.greet(position, [], undefined);
    return;
  }
  const missed = replay && node.rooms.replay(connection, position.epoch, replay);
  // A replay that fills the send queue would close the connection.
  const recovered = missed !== undefined && isWithin(node.limits.sendQueueBytes / 2, missed, connection.form);
  connection.greet(position, recovered ? missed : [], recovered);
}

/** Whether the frames have so many bytes at the most in this form. Frames beyond the bound are not made. */
function isWithin(bytesMax: number, frames: readonly FrameForms[], form: FrameForm): boolean {
  let bytes = 0;
  return frames.every((frame) => {
    bytes += frame.wire(form).length;
    return bytes <= bytesMax;
  });
}
