/** Types of im-client.js, for those who write TypeScript. */
export declare const FRAME: Readonly<Record<"LOGIN" | "LOGOUT" | "BUSINESS" | "HEARTBEAT" | "ACK", number>>;
export declare const BIZ: Readonly<
  Record<
    "CHAT" | "GIFT" | "GIFT_FAILED" | "BATTLE_SCORES" | "BATTLE_STATE" | "PAYMENT" | "ROOM_CLOSED" | "CHAT_REMOVED",
    number
  >
>;

/** Why the client ended an attempt or a connection by itself, as `reason` of a state. */
export declare const REASON: Readonly<{
  NO_ADDRESS: "no address";
  NOT_OPEN: "not open";
  NO_GREETING: "no greeting";
  NO_HEARTBEAT: "no heartbeat";
  /** A compressed frame could not be decompressed. The next connection brings it again. */
  UNREADABLE: "unreadable frame";
}>;
/** The limits that the options leave open; see ImClientOptions. */
export declare const DEFAULTS: Readonly<Required<ImLimits>>;

/** The tag of an order among its sender's. */
export declare function orderTag(orderId: string): string;

export interface ImGift {
  /** The tags of its orders: a sender finds the own orders by `orderTag`. */
  orderTags: string[];
  senderId: string;
  receiverId: string;
  giftId: number;
  /** Of all orders of the entry together. */
  count: number;
  /**
   * The streak of its sender, gift and room, and all pieces in it so far. The id is the same within a streak; in version 2
   * this client makes it.
   */
  combo?: { id: string; count: number };
  /** These three in version 1 alone; `gift/listGift` has prices and urls. */
  orderIds?: string[];
  price?: number;
  url?: string;
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
  /** One of REASON where the client ended it, else the reason of the server's close. */
  reason?: string;
  replaced?: boolean;
  retryInMs?: number;
  error?: unknown;
}

export interface ImEvents {
  state: ImState;
  login: {
    userId: string;
    nodeId: string;
    epoch: string;
    seq: number;
    recovered?: boolean;
    /** In version 2, with the id of the room's anchor. */
    v?: 2;
    anchorId?: string;
  };
  gap: { epoch: string; seq: number };
  /** `until`: when a mute ends (code 10013), null for ever. */
  refused: { bizCode: number; code?: number; error: string; until?: string | null; msgId?: string };
  business: ImBusiness;
}

/** Milliseconds where the name ends in Ms. A step that takes longer ends the attempt; the next one follows by itself. */
export interface ImLimits {
  /** How long `url` may take to settle: 15,000. */
  urlTimeoutMs?: number;
  /** From the address to an open socket: 10,000. */
  openTimeoutMs?: number;
  /** From the open socket to the server's greeting: 10,000. */
  greetingTimeoutMs?: number;
  /** How often a heartbeat is sent: 30,000. */
  heartbeatMs?: number;
  /** How long nothing may arrive after a heartbeat: 15,000. */
  heartbeatTimeoutMs?: number;
  /** After which a socket that does not finish its closing is cut, where it can be (Node): 5,000. */
  closeTimeoutMs?: number;
  /** The longest pause before the second attempt, doubled with each failure up to the cap: 500 and 15,000. */
  backoffBaseMs?: number;
  backoffCapMs?: number;
  /** A connection that lasted so long resets the back-off: 10,000. */
  stableAfterMs?: number;
  /** How many message ids, and how many order ids, are remembered to drop duplicates: 20,000. */
  rememberedIds?: number;
}

export interface ImClientOptions extends ImLimits {
  /**
   * Called for the address, with a fresh token, at every connection; `signal` ends with the attempt. An error with
   * `fatal` ends the attempts. An answer that arrives after the end of its attempt is not used.
   */
  url: (attempt: { signal: AbortSignal }) => string | Promise<string>;
  /**
   * The version of the protocol: 1 by default. In version 2 gifts have no order ids, prices and urls, and chat no
   * `senderId` where that is `userId`.
   */
  version?: 1 | 2;
  /** Whether version 2 may be compressed, where this browser has `DecompressionStream`: true by default. */
  compress?: boolean;
  WebSocket?: unknown;
  /** 0 to 1, for the back-off. */
  random?: () => number;
  /** Called with the error of a listener; by default `reportError` where there is one, else `console.error`. */
  report?: (error: unknown) => void;
}

export interface ImClient {
  readonly state: ImState["state"];
  connect(): void;
  /** Ends the connection or the attempt, at any step: `idle` until the next `connect`. */
  close(): void;
  send(bizCode: number, data: object): boolean;
  on<Name extends keyof ImEvents>(type: Name, listener: (event: ImEvents[Name]) => void): () => void;
}

export declare function createImClient(options: ImClientOptions): ImClient;
