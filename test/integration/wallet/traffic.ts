import { randomUUID } from "node:crypto";
import type { Service, ServiceBroker, ServiceSchema } from "moleculer";
import { isUnavailable } from "../../../broker/failure.ts";
import { call } from "../../../services/contracts.ts";
import type { GiftCharge, GiftOutcome } from "../../../services/wallet/wallet.contract.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import type { WalletState } from "../../../services/wallet/wallet-state.ts";
import { bucketOf } from "../../../services/wallet-buckets.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { recharge } from "../../support/recharge.ts";
import { eventually, startNode } from "../../support/system.ts";

const price = 10;
const giftsPerCall = 3;
const retryPauseMs = 40;

let nextUser = 0;

/** New users, each with coins for `affordable` gifts. */
export async function fundedUsers(caller: ServiceBroker, count: number, affordable: number): Promise<string[]> {
  const users = Array.from({ length: count }, () => String(9_200_000_000_000_000_000n + BigInt(nextUser++)));
  if (affordable > 0) await Promise.all(users.map((user) => recharge(caller, `r-${user}`, user, affordable * price)));
  return users;
}

export function giftOf(senderId: string, over: Partial<GiftCharge> = {}): GiftCharge {
  return {
    orderId: randomUUID(),
    senderId,
    receiverId: "77",
    roomId: 1,
    giftId: 22,
    count: 1,
    price,
    sharePercent: 50,
    ...over,
  };
}

/** A wallet with a short interval of the roll-up, so that tests need not wait. */
export function startWallet(label: string): Promise<ServiceBroker> {
  const settings = { ...(wallet.settings as object), incomeRollupEveryMs: 50 } as ServiceSchema["settings"];
  return startNode(label, [{ ...wallet, settings }]);
}

export function walletOn(node: ServiceBroker): Service & WalletState {
  return node.getLocalService("wallet") as unknown as Service & WalletState;
}

/** How often the node's wallet has run something again that the database rolled back, by its metric. */
export function retriesOn(node: ServiceBroker): number {
  const [metric] = node.metrics.list({ includes: "ovation.database.retries" }) as unknown as {
    values: { labels: { service: string }; value: number }[];
  }[];
  return metric?.values.find(({ labels }) => labels.service === "wallet")?.value ?? Number.NaN;
}

export async function settle(caller: ServiceBroker, gifts: GiftCharge[]): Promise<GiftOutcome[]> {
  const bucket = bucketOf(gifts[0]?.senderId as string);
  return (await call(caller, "wallet.consumeForSendGift", { bucket, gifts })).outcomes;
}

/** What an outcome says of the gift, whether it was written at this call or before. */
export function ofGift({ repeated: _repeated, ...outcome }: GiftOutcome): Omit<GiftOutcome, "repeated"> {
  return outcome;
}

/**
 * Gifts of many users in flight, in order for each user, as settlers send them: a failed call is repeated until there is
 * an outcome. Every user can pay the first `affordable` of her gifts.
 */
export class Traffic {
  private readonly caller: ServiceBroker;
  private readonly affordable: number;
  private readonly gifts = new Map<string, GiftCharge[]>();
  private readonly outcomes = new Map<string, GiftOutcome>();
  /** Calls that were repeated. */
  repeats = 0;

  private constructor(caller: ServiceBroker, users: readonly string[], perUser: number, affordable: number) {
    this.caller = caller;
    this.affordable = affordable;
    for (const user of users)
      this.gifts.set(
        user,
        Array.from({ length: perUser }, () => giftOf(user)),
      );
  }

  static async prepare(caller: ServiceBroker, users: number, perUser: number, affordable: number): Promise<Traffic> {
    return new Traffic(caller, await fundedUsers(caller, users, affordable), perUser, affordable);
  }

  /** Sends more gifts of the same users once these are charged. */
  again(): Traffic {
    const [gifts] = this.gifts.values();
    const perUser = (gifts as GiftCharge[]).length;
    return new Traffic(this.caller, this.users, perUser, Math.max(0, this.affordable - perUser));
  }

  private get all(): GiftCharge[] {
    return [...this.gifts.values()].flat();
  }

  get users(): string[] {
    return [...this.gifts.keys()];
  }

  /** Resolves once every gift has an outcome. */
  async run(): Promise<void> {
    await Promise.all([...this.gifts.values()].map((gifts) => this.sendInOrder(gifts)));
  }

  /** Resolves once this share of all gifts, 0 to 1, has an outcome. */
  async reached(part: number): Promise<void> {
    await eventually(`${part} of the gifts`, () => this.outcomes.size >= part * this.all.length, 30_000);
  }

  private async sendInOrder(gifts: GiftCharge[]): Promise<void> {
    for (let from = 0; from < gifts.length; from += giftsPerCall)
      for (const outcome of await this.untilKnown(gifts.slice(from, from + giftsPerCall)))
        this.outcomes.set(outcome.orderId, outcome);
  }

  private async untilKnown(gifts: GiftCharge[]): Promise<GiftOutcome[]> {
    for (;;) {
      try {
        return await settle(this.caller, gifts);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        this.repeats++;
        await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
      }
    }
  }

  /** Checks that every gift has one outcome, also when it is repeated, and one row, and that balances match outcomes. */
  async expectSettledOnce(): Promise<void> {
    const trades = await rows<{ biz_id: string; status: number; num: string }>(
      "wallet",
      "SELECT biz_id, status, num FROM t_qiyu_currency_trade WHERE biz_id IN (?) ORDER BY id",
      [this.all.map(({ orderId }) => orderId)],
    );
    expect(trades.map(({ biz_id }) => biz_id).sort()).toEqual(this.all.map(({ orderId }) => orderId).sort());
    const place = new Map(trades.map(({ biz_id }, at) => [biz_id, at]));
    await Promise.all([...this.gifts].map(([user, gifts]) => this.expectUser(user, gifts, place)));
    await expectBooksBalanced();
  }

  private async expectUser(user: string, gifts: GiftCharge[], place: ReadonlyMap<string, number>): Promise<void> {
    const first = gifts.map(({ orderId }) => ofGift(this.outcomes.get(orderId) as GiftOutcome));
    expect(first).toEqual(
      gifts.map(({ orderId }, at) =>
        at < this.affordable
          ? {
              orderId,
              status: "succeeded",
              income: price / 2,
              incomePoints: price * 50,
              balanceAfter: (this.affordable - at - 1) * price,
            }
          : { orderId, status: "failed", reason: "balanceShort", income: 0, incomePoints: 0, balanceAfter: 0 },
      ),
    );
    expect((await this.untilKnown(gifts)).map(ofGift)).toEqual(first);
    const places = gifts.map(({ orderId }) => place.get(orderId) as number);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    const { balance } = await call(this.caller, "wallet.balance", { userId: user });
    expect(balance).toBe(Math.max(0, this.affordable - gifts.length) * price);
  }
}
