/** The messages between the drill and its load process. Times are Unix ms. */

export interface Room {
  readonly roomId: number;
  readonly anchorId: string;
}

export interface User {
  readonly userId: string;
  readonly token: string;
}

export interface Scene {
  /** The port of the entrance. */
  readonly port: number;
  readonly rooms: readonly Room[];
  /** With more coins than they can send. */
  readonly senders: readonly User[];
  /** Without coins: they buy some and send more than these pay for. */
  readonly payers: readonly User[];
  readonly viewersOfRoom: number;
}

export type LoadJob =
  /** Connects the viewers; answered once they are. */
  | { do: "open"; scene: Scene }
  /** Begins to send; `name` makes request ids. */
  | { do: "begin"; name: string; perSecond: number; paymentsPerSecond: number }
  | { do: "progress" }
  /** Sends nothing new; answered once everything sent has its last answer. */
  | { do: "end" }
  /** What the viewers have not seen of the row's gifts; `failed` are the orders that nobody has to see. */
  | { do: "unseen"; failed: readonly string[] }
  /** Forgets the row. */
  | { do: "forget" };

/** `unknown`: it may have been accepted, the last answer too did not say. */
export type GiftOutcome = "accepted" | "refused" | "unknown";

export interface SentGift {
  readonly orderId: string;
  readonly senderId: string;
  readonly roomId: number;
  /** Among the sender's: she sends the next one when this one has its last answer. */
  readonly number: number;
  readonly coins: number;
  /** Of the first request. */
  readonly sentAt: number;
  /** Of the last answer. */
  readonly answeredAt: number;
  readonly outcome: GiftOutcome;
  /** Of somebody who may lack the coins. */
  readonly isPoor: boolean;
}

export interface SentPayment {
  readonly orderId: string;
  readonly userId: string;
  readonly coins: number;
  readonly paidAt: number;
  /** `unknown`: the cashier may have been paid. */
  readonly outcome: "accepted" | "unknown";
}

export interface Progress {
  readonly accepted: number;
  readonly payments: number;
  /** Connected viewers by the id of their im-server's node. */
  readonly viewersAt: Readonly<Record<string, number>>;
}

export interface Sent {
  readonly gifts: readonly SentGift[];
  readonly payments: readonly SentPayment[];
  /** Answers that were no success, by what they said; a request that is repeated may have several. */
  readonly errors: Readonly<Record<string, number>>;
  /** Answers that name another order than that of the request, which is never right. */
  readonly misnamed: number;
}

export interface Unseen {
  /** Effects that a viewer did not get and was told to be lost, summed over viewers. */
  readonly told: number;
  /** Effects that a viewer did not get and was not told of. */
  readonly silent: number;
  /** Numbers of frames that a viewer did not get and was not told of. */
  readonly holes: number;
  /** Viewers who were told not to come back. */
  readonly stopped: number;
  /** How often viewers were without a connection. */
  readonly reconnects: number;
}
