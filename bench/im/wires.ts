import type { WebSocket } from "ws";
import type { Wire } from "./viewers.ts";

/** A gift entry of a frame: its orders, and their count together. */
export interface ShownGifts {
  orderIds: readonly string[];
  count: number;
}

interface Speech {
  /** What the client answers to a frame while it connects; "in" once it is in the room. */
  greet(text: Buffer): { say: string } | "in" | undefined;
  /** Said by the client from time to time. */
  heartbeat: string | undefined;
  /** What the client answers to a frame of the server. */
  answer(text: Buffer): string | undefined;
  /** The gifts of a frame; `undefined` where it shows none. */
  gifts(text: Buffer): ShownGifts[] | undefined;
}

const [zero, two, four] = [0x30, 0x32, 0x34];

/** The IM protocol of the im-servers. */
const im: Speech = {
  greet: () => "in",
  heartbeat: JSON.stringify({ code: 1004, body: {} }),
  answer: () => undefined,
  gifts(text) {
    const { code, body } = JSON.parse(text.toString());
    return code === 1003 && body.bizCode === 5556 ? body.data.gifts : undefined;
  },
};

/** Engine.IO 4 with Socket.IO 5 inside, text frames: 0 open, 2 ping, 3 pong, 40 connect, 42 event. */
const socketio: Speech = {
  greet(text) {
    if (text[0] === zero) return { say: "40" };
    return text[0] === four && text[1] === zero ? "in" : undefined;
  },
  heartbeat: undefined,
  answer: (text) => (text[0] === two ? "3" : undefined),
  gifts(text) {
    if (text[0] !== four || text[1] !== two) return undefined;
    const [event, { orderId, count }] = JSON.parse(text.toString("utf8", 2));
    return event === "gift" ? [{ orderIds: [orderId], count }] : undefined;
  },
};

export const wires: Record<Wire, Speech> = { im, socketio };

/** Resolves to whether the socket came into its room; false where the server takes nobody for the moment. */
export function cameIn(socket: WebSocket, speech: Speech): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const listen = (text: Buffer) => {
      const next = speech.greet(text);
      if (next === "in") {
        socket.off("message", listen);
        resolve(true);
      } else if (next) socket.send(next.say);
    };
    socket.on("message", listen);
    socket.once("error", reject);
    socket.once("close", (code) => {
      if (code === 4503) resolve(false);
      else reject(new Error(`closed with ${code} instead of greeted`));
    });
  });
}
