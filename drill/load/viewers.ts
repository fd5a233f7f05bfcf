import { WebSocket } from "ws";
import { createImClient, type ImClient, orderTag } from "../../public/js/im-client.js";
import { Client, envelopeOf } from "./client.ts";
import { FrameNumbers } from "./frame-numbers.ts";
import type { SentGift, Unseen, User } from "./jobs.ts";

/** Shorter than the published client's, so that a row need not wait for it: an option of that client. */
const heartbeats = { heartbeatMs: 8_000, heartbeatTimeoutMs: 5_000 };

const keyOf = (senderId: string, tag: string) => `${senderId} ${tag}`;

/** A viewer with the published client, who notes what she was shown and what she was told to be lost. */
export class Viewer {
  readonly roomId: number;
  private readonly client: ImClient;
  private readonly numbers = new FrameNumbers();
  private readonly seen = new Set<string>();
  /** When she was told that frames are lost. */
  private gapsAt: number[] = [];
  private reconnects = 0;
  /** The node that greeted her last. */
  nodeId = "";

  constructor(port: number, { user, roomId, version }: { user: User; roomId: number; version: 1 | 2 }) {
    this.roomId = roomId;
    const http = new Client(port, user.token);
    const { numbers } = this;
    /** The frames as they arrive, before the client drops repeats. */
    class Socket extends WebSocket {
      constructor(url: string) {
        super(url, { perMessageDeflate: false });
        this.on("message", (data) => numbers.take(JSON.parse(String(data))));
      }
    }
    this.client = createImClient({
      ...{ WebSocket: Socket, version, compress: false, ...heartbeats },
      async url() {
        const reply = await http.post("/live/api/im/getImConfig", {});
        const answer = envelopeOf(reply);
        if (answer?.code !== 200) throw new Error(`im/getImConfig: ${reply.status}`);
        const { token, wsImServerAddress } = answer.data as { token: string; wsImServerAddress: string };
        return `${wsImServerAddress}?token=${token}&roomId=${roomId}`;
      },
    });
    this.client.on("login", ({ nodeId }) => {
      this.nodeId = nodeId;
    });
    this.client.on("gap", () => this.gapsAt.push(Date.now()));
    this.client.on("state", ({ state }) => {
      if (state === "waiting") this.reconnects++;
    });
    this.client.on("business", ({ data }) => {
      for (const { senderId, orderTags } of data.gifts ?? [])
        for (const tag of orderTags) this.seen.add(keyOf(senderId, tag));
    });
    this.client.connect();
  }

  get isOnline(): boolean {
    return this.client.state === "online";
  }

  /** What of these gifts of the room she has not seen. */
  unseen(gifts: readonly SentGift[]): Unseen {
    let [told, silent] = [0, 0];
    for (const { senderId, orderId, sentAt } of gifts) {
      if (this.seen.has(keyOf(senderId, orderTag(orderId)))) continue;
      // She was told that what came before is lost.
      if (this.gapsAt.some((at) => at >= sentAt)) told++;
      else silent++;
    }
    const { holes } = this.numbers;
    const stopped = this.client.state === "stopped" ? 1 : 0;
    return { told, silent, holes, stopped, reconnects: this.reconnects };
  }

  /** What was seen before counts no more. */
  forget(): void {
    this.seen.clear();
    this.gapsAt = [];
    this.reconnects = 0;
    this.numbers.forget();
    // One who was sent away for good comes back for the next row.
    if (this.client.state === "stopped") this.client.connect();
  }
}
