import { userIdPattern } from "../user-id-pattern.ts";

/** What other services may use of an im-server node. All but `token` are called on a node by its id. */
export interface ImServerActions {
  /** A token for one connection of the user: lives `limits.im.tokenTtlMs`, works once, on any node. Fails: unavailable. */
  token: { params: { userId: string }; result: { token: string } };
  /**
   * Frames for this node, each serialized once. `userId` frames go to that user's connection, `roomId` frames to
   * every member here. Returns how many connections took them. A `userId` frame stands in the notice stream under `seq`,
   * is sent again until the client acks `msgId`, and leaves the stream then.
   */
  deliver: {
    params: {
      frames: (
        | { userId: string; frame: string; msgId: string; seq: number }
        | { roomId: number; frame: string; seq: number; epoch: string }
      )[];
    };
    result: { delivered: number };
  };
  /** Closes connections that were replaced by newer ones elsewhere; says how many of them were still here. */
  replace: { params: { connectionIds: string[] }; result: { closed: number } };
  /** Lets everybody of a room go after they were told that it closed. */
  emptyRoom: { params: { roomId: number }; result: { members: number } };
  /** In which of these rooms the user is connected here. */
  holding: { params: { members: { userId: string; roomId: number }[] }; result: { roomIds: number[] } };
  /** This node's public address and how many connections it has. */
  status: {
    params: Record<string, never>;
    result: { address: string; connections: number; rooms: number; draining: boolean };
  };
}

const userId = { type: "string", pattern: userIdPattern } as const;
const roomId = { type: "number", integer: true, positive: true } as const;
const seq = { type: "number", integer: true, min: 0 } as const;
const text = { type: "string", max: 100 } as const;
const frame = { type: "string" } as const;
const roomFrame = { type: "object", props: { roomId, frame, seq, epoch: text } } as const;
const userFrame = { type: "object", props: { userId, frame, seq, msgId: text } } as const;

export const imServerParams = {
  token: { userId },
  deliver: { frames: { type: "array", max: 20_000, items: { type: "multi", rules: [roomFrame, userFrame] } } },
  replace: { connectionIds: { type: "array", max: 20_000, items: { type: "string", min: 1, max: 100 } } },
  emptyRoom: { roomId },
  holding: { members: { type: "array", max: 1_000, items: { type: "object", props: { userId, roomId } } } },
  status: {},
} as const;
