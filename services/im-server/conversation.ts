import { randomUUID } from "node:crypto";
import { failureName, isFailure, isUnavailable } from "../../broker/failure.ts";
import { failures } from "../../config/errors.ts";
import { limits } from "../../config/limits.ts";
import { call } from "../contracts.ts";
import { bizCodes, closeCodes, frameCodes } from "../im-frames.ts";
import { type ClientFrame, readClientFrame } from "./client-frame.ts";
import { nowMs } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { ImNode } from "./im-node.ts";
import type { ImSocket } from "./im-socket.ts";
import { wireText } from "./wire-frame.ts";

const heartbeatAnswer = wireText(JSON.stringify({ code: frameCodes.heartbeat, body: {} }));

/**
 * Holds a frame that arrives while the client is being admitted. The socket must be read: only then does the node see
 * that the client has left, and does not put its connection over a newer one.
 */
export function holdEarly(socket: ImSocket, data: Buffer, isBinary: boolean): void {
  if (socket.readyState !== socket.OPEN) return;
  const early = socket.early ?? [];
  early.push({ data, isBinary });
  const bytes = early.reduce((sum, message) => sum + message.data.length, 0);
  if (early.length > limits.im.messagesBurst || bytes > limits.im.frameBytes)
    socket.close(closeCodes.tooManyMessages, "too many messages before the greeting");
}

/** Handles the held frames, as events of the socket; later frames are handled at once. */
export function receiveEarly(socket: ImSocket): void {
  const { early = [] } = socket;
  socket.early = undefined;
  for (const { data, isBinary } of early) socket.emit("message", data, isBinary);
}

function counted(connection: Connection): boolean {
  if (connection.countMessage()) return true;
  connection.close(closeCodes.tooManyMessages, "too many messages");
  return false;
}

/**
 * Handles a frame of a client. Acks of sent notifications do not count as messages: there are no more acks than
 * notifications, and a client that was away may have many acks to send at once.
 */
export function receive(node: ImNode, connection: Connection, data: Buffer, isBinary: boolean): void {
  if (!connection.open) return;
  const frame = isBinary ? undefined : readClientFrame(data.toString(), limits.im.chatChars);
  if (frame?.kind === "ack" && node.notifications.acked(connection, frame.msgId)) connection.receivedAt = nowMs();
  else if (counted(connection)) answer(node, connection, frame ?? { kind: "fault", reason: "frames are text" });
}

/** A ping counts as a message. */
export function receivePing(connection: Connection, data: Buffer): void {
  if (connection.open && counted(connection)) connection.pong(data);
}

function answer(node: ImNode, connection: Connection, frame: ClientFrame): void {
  switch (frame.kind) {
    case "heartbeat":
      connection.sendWire(heartbeatAnswer);
      return;
    case "logout":
      connection.close(1000, "logged out");
      return;
    case "chat":
      sendChat(node, connection, frame.content, frame.msgId).catch((error) =>
        connection.closeForFault(node.log, "chat", error),
      );
      return;
    case "refused":
      refuse(connection, frame.bizCode, frame.msgId, { code: failures.invalidParam.code, error: frame.error });
      return;
    case "fault":
      node.log.info({ userId: connection.userId, reason: frame.reason }, "protocol error: the connection is closed");
      connection.close(closeCodes.protocolFault, frame.reason);
      return;
    // The token has logged the client in already; `receive` handles acks of notifications.
    case "login":
    case "ack":
      return;
  }
}

/** Why chat of this user is refused now, by the code of config/errors.ts; `undefined` where it is not. */
function refusalOf({ restrictions }: ImNode, { userId, roomId }: Connection): Refusal | undefined {
  const { banned, muted } = failures;
  if (restrictions.isBanned(userId, roomId)) return { code: banned.code, error: banned.en };
  const mute = restrictions.muteOf(userId, roomId);
  if (!mute) return undefined;
  const until = mute.until === null ? null : new Date(mute.until).toISOString();
  return { code: muted.code, error: muted.en, until };
}

/** Sends chat. Sender and room are the connection's; only the content is taken from the frame. */
async function sendChat(
  node: ImNode,
  connection: Connection,
  content: string,
  msgId: string | undefined,
): Promise<void> {
  const { userId, roomId } = connection;
  const refusal = refusalOf(node, connection);
  if (refusal) return refuse(connection, bizCodes.chat, msgId, refusal);
  const message = { roomId, senderId: userId, msgId: randomUUID(), bizCode: bizCodes.chat };
  try {
    await call(node.broker, "im-router.sendToRoom", { ...message, data: { content, senderId: userId } });
  } catch (error) {
    const about = { userId, roomId, err: error };
    const text = "a chat message was not sent: the client gets an error";
    // The router logs a flooded room once for all its senders.
    if (isUnavailable(error)) node.log.warn(about, text);
    else if (!isFailure(error, "tooMany")) node.log.error(about, text);
    const name = failureName(error) ?? (isUnavailable(error) ? "unavailable" : "internal");
    refuse(connection, bizCodes.chat, msgId, { code: failures[name].code, error: "not sent, try again" });
  }
}

/** What a client is told of something that was not carried out. */
interface Refusal {
  /** Of the failure, as over HTTP. */
  readonly code: number;
  readonly error: string;
  /** When a mute ends, ISO 8601; `null`: never. */
  readonly until?: string | null;
}

/** An ack with an `error`. It is no business frame, so clients do not show it as one. */
function refuse(connection: Connection, bizCode: number, msgId: string | undefined, refusal: Refusal): void {
  connection.send(JSON.stringify({ code: frameCodes.ack, body: { ...(msgId ? { msgId } : {}), bizCode, ...refusal } }));
}
