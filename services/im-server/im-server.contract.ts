import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { id, integer, traceparent, userId } from "../fields.ts";

const { deliverFrames, replacesPerCall } = limits.im;
const seq = integer(0);
const name = z.string().max(100);
const traces = z.array(traceparent).max(limits.traces.carried).optional();
const roomFrame = z.object({ roomId: id, frame: z.string(), seq, epoch: name, traces });
const userFrame = z.object({ userId, frame: z.string(), seq, msgId: name });

/** The actions of an im-server for other services. Each is called on a node by its id. */
export const imServerActions = {
  /**
   * Frames for this node, each serialized once. `userId` frames go to that user's connection, `roomId` frames to every
   * member on this node. A `userId` frame is in the notification stream under `seq`: it is sent again until the client
   * acks `msgId`, and is then removed from the stream.
   */
  deliver: action({ frames: z.array(z.union([roomFrame, userFrame])).max(deliverFrames) }).returns<null>(),
  /** Closes connections that were replaced by newer ones elsewhere. */
  replace: action({ connectionIds: z.array(z.string().min(1).max(100)).max(replacesPerCall) }).returns<null>(),
  /** Closes the connections of a room that was closed (4410). */
  emptyRoom: action({ roomId: id }).returns<null>(),
  /** In which of these rooms the users are connected to this node. */
  holding: action({ members: z.array(z.object({ userId, roomId: id })).max(1_000) }).returns<{ roomIds: number[] }>(),
  /** This node's public address and how many connections it has. */
  status: action({}).returns<{ address: string; connections: number; rooms: number; draining: boolean }>(),
};
