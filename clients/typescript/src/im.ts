import {
  BIZ,
  createImClient,
  type ImBusiness,
  type ImEvents,
  type ImGift,
  type ImLimits,
  type ImState,
} from "../../../public/js/im-client.js";
import { type FailureName, nameOfCode, OvationError } from "./errors.ts";
import type { paths } from "./generated/user-api.d.ts";
import type { DataAt } from "./operations.ts";

export type { ImGift, ImState };
/** A battle: the data of `pk/show`. */
export type Battle = DataAt<paths, "/live/api/pk/show">;
/** An address of an IM server and a token that works once: the data of `im/getImConfig`. */
export type ImTicket = DataAt<paths, "/live/api/im/getImConfig">;

/** What happens in a room. Messages and gift orders come once each, also after a reconnect. */
export interface RoomEvents {
  /** The state of the connection. `waiting`: it tries again after `retryInMs`; `stopped`: it does not, see `code`. */
  state: ImState;
  /** The server's greeting, at every connection. `recovered` false: see `gap`. */
  online: ImEvents["login"];
  /** Messages of the room are lost (`recovered: false`): read again what the room shows. */
  gap: ImEvents["gap"];
  /** Gifts of the room, without those already seen. */
  gifts: { gifts: ImGift[] };
  chat: { msgId: string; senderId: string; content: string };
  /** A chat message was removed, by its `msgId`: show it no longer. */
  chatRemoved: { msgId: string };
  /** The state of the room's battle; a newer one replaces it. */
  battle: Battle;
  scores: { battleId: string; scores: { userId: string; score: number }[]; remainingMs: number };
  /** To the sender alone: an accepted gift failed, and nothing was charged. */
  giftFailed: { msgId: string; orderId: string; msg: string; code: number; name: FailureName | "unknownCode" };
  /** To the payer alone: coins have arrived. */
  payment: {
    msgId: string;
    orderId: string;
    /** Of coins that the platform credited. */
    externalOrderId?: string;
    coins: number;
    balance: number;
    msg: string;
  };
  roomClosed: { msgId: string };
  /** What was sent to the room was not carried out. */
  refused: ImEvents["refused"];
  /** A business message of another kind. */
  other: ImBusiness;
}

export interface RoomOptions extends ImLimits {
  /** The version of the protocol: 2, whose frames are a fifth as large. In version 1 gifts have order ids, prices and urls. */
  version?: 1 | 2;
  /** Whether frames may be compressed, where this runtime can read that: true. In version 2 alone. */
  compress?: boolean;
  /** The constructor of sockets, where there is no global one (Node before 22): that of package `ws`. */
  WebSocket?: unknown;
  /** Closes the connection. */
  signal?: AbortSignal;
  /** Called with the error of a listener; by default `reportError` where there is one, else `console.error`. */
  report?: (error: unknown) => void;
}

export interface RoomConnection {
  readonly state: ImState["state"];
  /** Listens; the answer ends it. Listeners that are added at once get everything. */
  on<Name extends keyof RoomEvents>(name: Name, listener: (event: RoomEvents[Name]) => void): () => void;
  /** Chat of 1 to 500 characters; false where there is no connection to send it on. A refusal is event `refused`. */
  sendChat(content: string): boolean;
  /** Connects at once where it is waiting or stopped. */
  connect(): void;
  close(): void;
}

/** The token was bad, used or too old: a new one may work. */
const TOKEN_REFUSED = 4401;

/** What some runtimes have and others have not. */
const runtime = globalThis as { WebSocket?: unknown; reportError?: (error: unknown) => void };

/**
 * A connection to a room, which begins in the next microtask. It gets a ticket for each connection, sends heartbeats and
 * acks, reconnects where it left off after growing random pauses, and stops where the server said not to come back
 * (4400 to 4499), except that a refused token is replaced once.
 */
export function roomConnection(
  ticket: (signal: AbortSignal) => Promise<ImTicket>,
  roomId: number,
  { version = 2, WebSocket = runtime.WebSocket, signal, ...limits }: RoomOptions = {},
): RoomConnection {
  if (!WebSocket) throw new TypeError("there is no global WebSocket: give one in the options");
  const listeners = new Map<keyof RoomEvents, Set<(event: never) => void>>();
  const report = limits.report ?? runtime.reportError ?? console.error;
  let tokenReplaced = false;

  const client = createImClient({
    ...limits,
    ...{ version, WebSocket, report },
    url: async (attempt) => {
      const { token, wsImServerAddress } = await ticket(attempt.signal).catch(endIfFinal);
      const address = new URL(wsImServerAddress);
      address.searchParams.set("token", token);
      address.searchParams.set("roomId", String(roomId));
      return address.href;
    },
  });

  function emit<Name extends keyof RoomEvents>(name: Name, event: RoomEvents[Name]): void {
    for (const listener of [...(listeners.get(name) ?? [])])
      try {
        listener(event as never);
      } catch (error) {
        report(error);
      }
  }

  client.on("login", (greeting) => {
    tokenReplaced = false;
    emit("online", greeting);
  });
  client.on("gap", (gap) => emit("gap", gap));
  client.on("refused", (refused) => emit("refused", refused));
  client.on("state", (state) => {
    const again = state.state === "stopped" && state.code === TOKEN_REFUSED && !tokenReplaced;
    if (!again) return emit("state", state);
    tokenReplaced = true;
    queueMicrotask(() => client.state === "stopped" && client.connect());
  });
  client.on("business", (message) => show(message, emit));

  // A signal that outlives the connection must not keep it.
  const obeySignal = () => signal?.addEventListener("abort", client.close, { once: true });
  obeySignal();
  queueMicrotask(() => !signal?.aborted && client.connect());

  return {
    get state() {
      return client.state;
    },
    on(name, listener) {
      const those = listeners.get(name) ?? new Set();
      listeners.set(name, those.add(listener));
      return () => those.delete(listener);
    },
    sendChat: (content) => client.send(BIZ.CHAT, { content }),
    connect() {
      if (!signal?.aborted) obeySignal();
      client.connect();
    },
    close() {
      signal?.removeEventListener("abort", client.close);
      client.close();
    },
  };
}

/** A refusal of the ticket is final: only what may pass by itself is tried again. */
function endIfFinal(error: unknown): never {
  const { status } = error instanceof OvationError ? error : {};
  const final = status !== undefined && status < 500 && status !== 429 && status !== 408;
  throw final ? Object.assign(error as OvationError, { fatal: true }) : error;
}

type Emit = <Name extends keyof RoomEvents>(name: Name, event: RoomEvents[Name]) => void;

function show(message: ImBusiness, emit: Emit): void {
  const { bizCode, msgId } = message;
  const data = message.data as never;
  if (bizCode === BIZ.GIFT) emit("gifts", { gifts: message.data.gifts ?? [] });
  else if (bizCode === BIZ.CHAT) emit("chat", chatOf(message));
  else if (bizCode === BIZ.BATTLE_STATE) emit("battle", data);
  else if (bizCode === BIZ.BATTLE_SCORES) emit("scores", data);
  else if (bizCode === BIZ.GIFT_FAILED) {
    const failed = data as { orderId: string; msg: string; code: number };
    emit("giftFailed", { ...failed, name: nameOfCode(failed.code), msgId });
  } else if (bizCode === BIZ.PAYMENT) emit("payment", { ...(data as RoomEvents["payment"]), msgId });
  else if (bizCode === BIZ.ROOM_CLOSED) emit("roomClosed", { msgId });
  else if (bizCode === BIZ.CHAT_REMOVED) emit("chatRemoved", { msgId: (data as { msgId: string }).msgId });
  else emit("other", message);
}

/** Version 2 leaves the sender out where it is the message's user. */
function chatOf({ msgId, userId, data }: ImBusiness): RoomEvents["chat"] {
  const { content, senderId = userId } = data as { content: string; senderId?: string };
  return { msgId, senderId, content };
}
