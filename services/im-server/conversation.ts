import { randomUUID } from "node:crypto";
import { isFailure, isUnavailable } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { call } from "../contracts.ts";
import { bizCodes, closeCodes, frameCodes } from "../im-frames.ts";
import { type ClientFrame, readClientFrame } from "./client-frame.ts";
import { nowMs } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { ImNode } from "./im-node.ts";
import { type ImSocket, wireText } from "./im-socket.ts";

const heartbeatAnswer = wireText(JSON.stringify({ code: frameCodes.heartbeat, body: {} }));

/**
 * Keeps what a client says while it is being let in. The socket is read all the same: only so it is seen that a client
 * has gone, and that its place must not be taken from where it came back meanwhile.
 */
export function holdEarly(socket: ImSocket, data: Buffer, isBinary: boolean): void {
  if (socket.readyState !== socket.OPEN) return;
  const early = socket.early ?? [];
  early.push({ data, isBinary });
  const bytes = early.reduce((sum, message) => sum + message.data.length, 0);
  if (early.length > limits.im.messagesBurst || bytes > limits.im.frameBytes)
    socket.close(closeCodes.tooManyMessages, "too many messages before the greeting");
}

/** Handles the frames that came before admission, as events of the socket; later frames are handled at once. */
export function hearEarly(socket: ImSocket): void {
  const { early = [] } = socket;
  socket.early = undefined;
  for (const { data, isBinary } of early) socket.emit("message", data, isBinary);
}

function counted(connection: Connection): boolean {
  if (connection.heard()) return true;
  connection.close(closeCodes.tooManyMessages, "too many messages");
  return false;
}

/**
 * Answers what a connected client says. Acks of notices that were sent do not count as messages: there are no more of
 * them than we asked for, and a client that was away may have many to send at once.
 */
export function hear(node: ImNode, connection: Connection, data: Buffer, isBinary: boolean): void {
  if (!connection.open) return;
  const frame = isBinary ? undefined : readClientFrame(data.toString(), limits.im.chatChars);
  if (frame?.kind === "ack" && node.notices.acked(connection, frame.msgId)) connection.heardAt = nowMs();
  else if (counted(connection)) answer(node, connection, frame ?? { kind: "fault", reason: "frames are text" });
}

/** A ping is a message like others: who sends too many of them is let go. */
export function hearPing(connection: Connection, data: Buffer): void {
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
      refuse(connection, frame.bizCode, frame.msgId, frame.error);
      return;
    case "fault":
      node.log.info({ userId: connection.userId, reason: frame.reason }, "protocol fault: the connection is closed");
      connection.close(closeCodes.protocolFault, frame.reason);
      return;
    // The token logged the client in already; an ack of what we wait for never comes here.
    case "login":
    case "ack":
      return;
  }
}

/** Sender and room are the connection's; nothing of the frame but its content is used. */
async function sendChat(
  node: ImNode,
  connection: Connection,
  content: string,
  msgId: string | undefined,
): Promise<void> {
  const { userId, roomId } = connection;
  const message = { roomId, senderId: userId, msgId: randomUUID(), bizCode: bizCodes.chat };
  try {
    await call(node.broker, "im-router.sendToRoom", { ...message, data: { content, senderId: userId } });
  } catch (error) {
    const about = { userId, roomId, err: error };
    // Of a flooded room the router says it, once for all its senders.
    if (isFailure(error, "tooMany")) node.log.debug(about, "a chat message was not sent: the client is told");
    else if (isUnavailable(error)) node.log.warn(about, "a chat message was not sent: the client is told");
    else node.log.error(about, "a chat message was not sent: the client is told");
    refuse(connection, bizCodes.chat, msgId, "not sent, try again");
  }
}

/** An ack with an `error`: clients that show business frames are not confused by it. */
function refuse(connection: Connection, bizCode: number, msgId: string | undefined, error: string): void {
  connection.send(JSON.stringify({ code: frameCodes.ack, body: { ...(msgId ? { msgId } : {}), bizCode, error } }));
}
