import { inflateRawSync } from "node:zlib";
import type { WebSocket } from "ws";
import { orderTag } from "../../services/im-server/frames-v2.ts";
import type { Wire } from "./viewers.ts";

/** A gift entry of a frame: the tags of its orders, and the sum of their counts. */
export interface ShownGifts {
  tags: readonly string[];
  count: number;
}

interface Protocol {
  /** The client's reply to a frame while it connects; "in" once it is in the room. */
  greet(text: Buffer): { reply: string } | "in" | undefined;
  /** The client's periodic frame. */
  heartbeat: string | undefined;
  /** The client's reply to a frame of the server. */
  answer(text: Buffer): string | undefined;
  /** The gifts of a message; `undefined` where it has none. */
  gifts(data: Buffer, isBinary: boolean): ShownGifts[] | undefined;
}

const [zero, two, four] = [0x30, 0x32, 0x34];

/** An entry of version 1, or an item of version 2. */
function shownGifts(gift: { orderIds: string[]; count: number } | (string | number)[]): ShownGifts {
  if (!Array.isArray(gift)) return { tags: gift.orderIds.map(orderTag), count: gift.count };
  const tags: string[] = [];
  let each = 0;
  let count = 0;
  for (const part of gift.slice(2))
    if (typeof part === "number") each = part;
    else if (typeof part === "string") {
      tags.push(part);
      count += each;
    }
  return { tags, count };
}

/** The IM protocol of the im-servers, in each version. */
const im: Protocol = {
  greet: () => "in",
  heartbeat: JSON.stringify({ code: 1004, body: {} }),
  answer: () => undefined,
  gifts(data, isBinary) {
    const { code, body } = JSON.parse((isBinary ? inflateRawSync(data) : data).toString());
    return code === 1003 && body.bizCode === 5556 ? body.data.gifts.map(shownGifts) : undefined;
  },
};

/** Engine.IO 4 with Socket.IO 5 inside, text frames: 0 open, 2 ping, 3 pong, 40 connect, 42 event. */
const socketio: Protocol = {
  greet(text) {
    if (text[0] === zero) return { reply: "40" };
    return text[0] === four && text[1] === zero ? "in" : undefined;
  },
  heartbeat: undefined,
  answer: (text) => (text[0] === two ? "3" : undefined),
  gifts(text) {
    if (text[0] !== four || text[1] !== two) return undefined;
    const [event, { orderId, count }] = JSON.parse(text.toString("utf8", 2));
    return event === "gift" ? [{ tags: [orderTag(orderId)], count }] : undefined;
  },
};

export const wires: Record<Wire, Protocol> = { im, socketio };

/** Resolves to `true` once the socket is in its room, to `false` where the server takes no connections now (4503). */
export function cameIn(socket: WebSocket, protocol: Protocol): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const listen = (text: Buffer) => {
      const next = protocol.greet(text);
      if (next === "in") {
        socket.off("message", listen);
        resolve(true);
      } else if (next) socket.send(next.reply);
    };
    socket.on("message", listen);
    socket.once("error", reject);
    socket.once("close", (code) => {
      if (code === 4503) resolve(false);
      else reject(new Error(`closed with ${code} instead of greeted`));
    });
  });
}
