import { afterAnswers } from "../../../broker/after-answers.ts";
import { messageOf } from "../../../broker/unknown-values.ts";
import { limits } from "../../../config/limits.ts";
import { Breaker, type BreakerPass, type BreakerState } from "./breaker.ts";
import { type Decision, decisionsOf } from "./decisions.ts";

const bounds = limits.gift.gate;

/** A gift that the gate is asked about. */
export interface GateGift {
  readonly orderId: string;
  readonly userId: string;
  readonly receiverId: string;
  readonly roomId: number;
  readonly giftId: number;
  readonly count: number;
  /** Of one, coins. */
  readonly price: number;
}

/** The platform's own ids of users and rooms; those without one are missing. */
export interface GateNames {
  readonly users: ReadonlyMap<string, string>;
  readonly rooms: ReadonlyMap<number, string>;
}

/** `unanswered`: GIFT_GATE_ON_FAILURE decides. */
export type GateVerdict = Decision | "unanswered";

export interface GatePorts {
  /** Fails: unavailable. */
  names(gifts: readonly GateGift[]): Promise<GateNames>;
  /** One call to the gate: its status and whole answer. Rejects where it has none within the time limit. */
  post(body: string): Promise<{ readonly status: number; readonly body: string }>;
  nowMs(): number;
  /** A call ended; `failure`: why it counts as not answered. */
  called(ms: number, failure: string | undefined): void;
  decided(verdict: GateVerdict): void;
  /** Gifts could not be asked about at all. */
  unasked(why: string): void;
  breakerIs(state: BreakerState): void;
}

/** A group of gifts while it is asked about. */
class Asking {
  readonly verdicts = new Map<string, GateVerdict>();
  readonly over: Promise<void>;
  isOver = false;
  private readonly orders: ReadonlySet<string>;
  private readonly callOff: () => void;
  private readonly resolve: () => void;

  constructor(gifts: readonly GateGift[], timeoutMs: number) {
    this.orders = new Set(gifts.map(({ orderId }) => orderId));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.resolve = resolve;
    this.callOff = afterAnswers(timeoutMs, () => this.end());
  }

  decide(orderId: string, verdict: GateVerdict): void {
    if (this.isOver) return;
    this.verdicts.set(orderId, verdict);
    if (this.verdicts.size === this.orders.size) this.end();
  }

  /** What is not decided yet is unanswered. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.callOff();
    for (const orderId of this.orders) if (!this.verdicts.has(orderId)) this.verdicts.set(orderId, "unanswered");
    this.resolve();
  }
}

interface Waiting {
  readonly gift: GateGift;
  readonly names: GateNames;
  readonly asking: Asking;
}

/**
 * Asks the platform about gifts, many in one call. Gifts that arrive in one turn of the event loop share a call. A call
 * under way does not delay the next one until `limits.gift.gate.callsInFlight` are; then gifts wait, and all that wait
 * share the next call, of at most `limits.gift.gate.giftsPerCall`.
 *
 * Nobody waits longer than the time limit, which begins when `ask` is called: what is not decided by then is
 * `unanswered`. While the breaker is open that is so at once.
 */
export class GiftGate {
  private readonly ports: GatePorts;
  private readonly timeoutMs: number;
  private readonly breaker: Breaker;
  private waiting: Waiting[] = [];
  private inFlight = 0;
  private isScheduled = false;

  constructor(timeoutMs: number, ports: GatePorts) {
    this.timeoutMs = timeoutMs;
    this.ports = ports;
    this.breaker = new Breaker(bounds, (state) => ports.breakerIs(state));
  }

  /** A verdict for each gift, by its order. Never rejects. */
  async ask(gifts: readonly GateGift[]): Promise<ReadonlyMap<string, GateVerdict>> {
    const asking = new Asking(gifts, this.timeoutMs);
    if (this.breaker.mayBegin(this.ports.nowMs())) this.name(gifts, asking);
    else asking.end();
    await asking.over;
    for (const verdict of asking.verdicts.values()) this.ports.decided(verdict);
    return asking.verdicts;
  }

  private name(gifts: readonly GateGift[], asking: Asking): void {
    this.ports.names(gifts).then(
      (names) => {
        for (const gift of gifts) this.waiting.push({ gift, names, asking });
        this.schedule();
      },
      (error: unknown) => {
        this.ports.unasked(`the platform's ids of users or rooms: ${messageOf(error)}`);
        asking.end();
      },
    );
  }

  private schedule(): void {
    if (this.isScheduled || this.inFlight >= bounds.callsInFlight) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.waiting = this.waiting.filter(({ asking }) => !asking.isOver);
      while (this.waiting.length > 0 && this.inFlight < bounds.callsInFlight) this.start();
    });
  }

  private start(): void {
    const pass = this.breaker.begin(this.ports.nowMs());
    if (pass) {
      void this.call(this.waiting.splice(0, bounds.giftsPerCall), pass);
      return;
    }
    for (const { asking } of this.waiting.splice(0)) asking.end();
  }

  private async call(asked: readonly Waiting[], pass: BreakerPass): Promise<void> {
    const startedAt = this.ports.nowMs();
    this.inFlight++;
    let failure: string | undefined;
    try {
      const { status, body } = await this.ports.post(bodyOf(asked));
      if (status !== 200) throw new Error(`it answered ${status}`);
      const decisions = decisionsOf(body);
      if (!asked.some(({ gift }) => decisions.has(gift.orderId))) throw new Error("it decided about no gift");
      for (const { gift, asking } of asked) asking.decide(gift.orderId, decisions.get(gift.orderId) ?? "unanswered");
    } catch (error) {
      failure = messageOf(error);
      for (const { gift, asking } of asked) asking.decide(gift.orderId, "unanswered");
    } finally {
      this.inFlight--;
      const now = this.ports.nowMs();
      this.breaker.end(pass, failure === undefined, now);
      this.ports.called(now - startedAt, failure);
      if (this.waiting.length > 0) this.schedule();
    }
  }
}

function bodyOf(asked: readonly Waiting[]): string {
  const gifts = asked.map(({ gift, names: { users, rooms } }) => {
    const { orderId, userId, receiverId, roomId, giftId, count, price } = gift;
    return {
      ...{ orderId, userId, externalId: users.get(userId), receiverId, receiverExternalId: users.get(receiverId) },
      ...{ roomId, externalRoomId: rooms.get(roomId), giftId, count, price },
    };
  });
  return JSON.stringify({ gifts });
}
