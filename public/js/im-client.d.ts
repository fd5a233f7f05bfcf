/** Types of im-client.js, for those who write TypeScript. */
export declare const FRAME: Readonly<Record<"LOGIN" | "LOGOUT" | "BUSINESS" | "HEARTBEAT" | "ACK", number>>;
export declare const BIZ: Readonly<
  Record<"CHAT" | "GIFT" | "GIFT_FAILED" | "PK_GIFT" | "PAYMENT" | "ROOM_CLOSED", number>
>;

export interface ImGift {
  orderIds: string[];
  senderId: string;
  receiverId: string;
  giftId: number;
  /** Of all orders of the entry together. */
  count: number;
  price: number;
  url: string;
}

export interface ImBusiness {
  msgId: string;
  userId: string;
  bizCode: number;
  data: Record<string, unknown> & { gifts?: ImGift[]; seq?: number; epoch?: string };
}

export interface ImState {
  state: "idle" | "connecting" | "online" | "waiting" | "stopped";
  code?: number;
  reason?: string;
  replaced?: boolean;
  retryInMs?: number;
  error?: unknown;
}

export interface ImEvents {
  state: ImState;
  login: { userId: string; nodeId: string; epoch: string; seq: number; recovered?: boolean };
  gap: { epoch: string; seq: number };
  refused: { bizCode: number; error: string; msgId?: string };
  business: ImBusiness;
}

export interface ImClientOptions {
  /** Asked for the address, with a fresh token, at every connection. An error with `fatal` ends the attempts. */
  url: () => Promise<string>;
  WebSocket?: unknown;
  /** 0 to 1, for the back-off. */
  random?: () => number;
  heartbeatMs?: number;
  greetingTimeoutMs?: number;
  /** For which a heartbeat may stay unanswered, where the server is one that answers them. */
  silenceMs?: number;
  backoffBaseMs?: number;
  backoffCapMs?: number;
  stableAfterMs?: number;
  /** How many message ids, and how many order ids, are known again. */
  rememberedIds?: number;
}

export interface ImClient {
  readonly state: ImState["state"];
  connect(): void;
  close(): void;
  send(bizCode: number, data: object): boolean;
  on<Name extends keyof ImEvents>(type: Name, listener: (event: ImEvents[Name]) => void): () => void;
}

export declare function createImClient(options: ImClientOptions): ImClient;
