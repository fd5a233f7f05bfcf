import type { Service } from "moleculer";
import { fail, isFailure, isUnavailable } from "../../../broker/failure.ts";
import type { MessageSignatures } from "../../../mixins/jetstream/signatures.ts";
import { isDuplicateKey, type Transaction } from "../../../mixins/mysql/database.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { SealsState } from "../../../mixins/seals.mixin.ts";
import { call } from "../../contracts.ts";
import type { PlatformOrderOutcome } from "../../wallet/platform-orders.contract.ts";
import { bucketOf } from "../../wallet-buckets.ts";
import { findKey } from "../key-store.ts";
import type { ProposalState } from "../money.contract.ts";
import { needsApproval } from "./four-eyes.ts";
import {
  type AccountMove,
  accountsOfMove,
  deleteStaffMove,
  insertStaffMove,
  lockAccounts,
  movedLately,
  renewStaffMove,
} from "./moved-store.ts";
import { bizIdOf, faultOfRow, type MoneyOrder, type NewOrder, sameContent, signOrder, staffKey } from "./order.ts";
import { decideProposal, findOrder, insertOrder, orderById, storeOutcome } from "./order-store.ts";

type Platform = Service & MysqlState & SealsState;

/** The outcome of an order for who placed it, or what has become of its proposal by now. */
export type Placed =
  | { readonly status: "done"; readonly balanceAfter: number }
  | { readonly status: "proposed"; readonly proposalId: string; readonly state: ProposalState };

export interface ProposalDecision {
  readonly id: string;
  readonly approve: boolean;
  readonly decidedBy: string;
  /** Operators who count as the one who decides. */
  readonly near: readonly string[];
  readonly reason: string | null;
}

/** The second attempt is for a business id that another node wrote between our read and our write. */
const maxAttempts = 2;

/**
 * Places orders to move money and has the wallet carry them out. The row comes first, with its signature: from then on
 * the order is carried out once, by who placed it, by a repeat, or by the job that finishes pending orders
 * (pending-orders.ts).
 */
export class MoneyOrders {
  private readonly platform: Platform;
  private readonly signatures: MessageSignatures;
  private readonly fourEyesCoins: number;

  constructor(platform: Platform, signatures: MessageSignatures, fourEyesCoins: number) {
    this.platform = platform;
    this.signatures = signatures;
    this.fourEyesCoins = fourEyesCoins;
  }

  /**
   * Places an order, or finds it, and resolves to its outcome. Fails: idempotencyConflict; balanceShort and invalidParam,
   * which the order keeps for ever; unavailable, with `ordered: true` where the order stands and will be carried out.
   */
  async place(order: NewOrder): Promise<Placed> {
    const row = await this.written(order);
    if (!sameContent(row, order)) throw fail("idempotencyConflict", { bizId: bizIdOf(order) });
    if (row.state === "proposed" || row.state === "declined" || row.state === "expired")
      return { status: "proposed", proposalId: row.id, state: row.state };
    const outcome = outcomeOf(row) ?? (await this.ordered(row));
    if (outcome.status === "refused") throw fail(outcome.reason, { bizId: bizIdOf(order) });
    return { status: "done", balanceAfter: outcome.balanceAfter ?? 0 };
  }

  /**
   * Has the wallet carry out a pending order, and stores the outcome. It may be repeated. Fails: unavailable, where the
   * order stays pending, also where its row or its key is not right, which is logged.
   */
  async carryOut(order: MoneyOrder): Promise<PlatformOrderOutcome> {
    const { logger, broker, mysql } = this.platform;
    const about = { orderId: order.id, bizId: bizIdOf(order), userId: order.userId };
    const fault = faultOfRow(this.signatures, order);
    if (fault !== undefined) {
      const toDo = "compare t_money_order with its seals; with unknownKey, add the key to PLATFORM_KEYS again";
      logger.error(
        { ...about, fault, toDo },
        "an order of the platform is not as it was signed: it is not carried out",
      );
      throw fail("unavailable", { cause: fault });
    }
    const params = { bucket: bucketOf(order.userId), order: order.signed };
    const outcome = await call(broker, "wallet.platformOrder", params).catch((error: unknown) => {
      if (!isFailure(error, "orderForged")) throw error;
      const toDo = "compare PLATFORM_KEYS of platform and wallet nodes";
      logger.error({ ...about, err: error, toDo }, "the wallet does not know this service's signature: tried again");
      throw fail("unavailable", { cause: "orderForged" });
    });
    await storeOutcome(mysql, order.id, outcome);
    return outcome;
  }

  /**
   * Counts a move of staff on its accounts, from now on for 24 hours, and resolves to whether another person must approve
   * it. A repeat counts it once; attempts with one key do not count against each other.
   */
  countStaffMove(move: { moveId: string; key: string; moves: readonly AccountMove[] }): Promise<boolean> {
    const { moveId, key, moves } = move;
    return this.platform.mysql.transaction(async (tx) => {
      await lockAccounts(tx, userIdsOf(moves));
      await deleteStaffMove(tx, moveId);
      const exceeds = await this.exceed(tx, moves, key);
      await insertStaffMove(tx, move);
      return exceeds;
    });
  }

  /** Counts a move of staff from now on for 24 hours, whenever it was counted first. */
  renewStaffMove(moveId: string): Promise<void> {
    return this.platform.mysql.transaction(async (tx) => {
      const userIds = await accountsOfMove(tx, moveId);
      if (userIds.length === 0) return;
      await lockAccounts(tx, userIds);
      await renewStaffMove(tx, moveId);
    });
  }

  /** Takes a move of staff off the sums. It may be repeated. */
  uncountStaffMove(moveId: string): Promise<void> {
    return this.platform.mysql.transaction((tx) => deleteStaffMove(tx, moveId));
  }

  /**
   * Approves or declines a proposal, and has an approved one carried out. Resolves to the order as it is then: of many
   * decisions at once one counts, and the others see it. Where the wallet is away an approved one stays pending, and the
   * job carries it out. Fails: proposalUnknown; ownProposal, where who decides made the key; unavailable, also where the row is not as this service wrote it.
   */
  async decide({ id, approve, decidedBy, near, reason }: ProposalDecision): Promise<MoneyOrder> {
    const { mysql, logger } = this.platform;
    const proposal = await this.requireProposal(id);
    if (proposal.state !== "proposed") return proposal;
    const key = await findKey(mysql, proposal.keyId);
    if (key && [decidedBy, ...near].includes(key.createdBy)) throw fail("ownProposal", { proposalId: `p${id}` });
    const fault = approve ? faultOfRow(this.signatures, proposal, true) : undefined;
    if (fault !== undefined) {
      const toDo = "compare t_money_order with its seals, and decline it";
      logger.error({ proposalId: id, fault, toDo }, "a proposal is not as it was written: it cannot be approved");
      throw fail("unavailable", { cause: fault });
    }
    const signed = approve ? signOrder(this.signatures, proposal, false) : null;
    const to = approve ? "pending" : "declined";
    const decided = await decideProposal(mysql, id, { to, signed, decidedBy, reason });
    const order = await this.decidedProposal(id, decided);
    if (!decided || order.state !== "pending") return order;
    await this.carryOut(order).catch((err: unknown) => {
      if (!isUnavailable(err)) throw err;
      logger.warn({ err, proposalId: id }, "a proposal is approved and will be carried out later");
    });
    return this.decidedProposal(id, decided);
  }

  private async requireProposal(id: string): Promise<MoneyOrder> {
    const order = await orderById(this.platform.mysql, id);
    if (!order?.proposed) throw fail("proposalUnknown", { proposalId: `p${id}` });
    return order;
  }

  /** A proposal that is there for certain. A node of a database cluster may show a commit of another one a little later. */
  private async decidedProposal(id: string, decided: boolean): Promise<MoneyOrder> {
    const order = await orderById(this.platform.mysql, id);
    if (!order || (decided && order.state === "proposed")) throw fail("unavailable", { proposalId: `p${id}` });
    return order;
  }

  private async ordered(order: MoneyOrder): Promise<PlatformOrderOutcome> {
    try {
      return await this.carryOut(order);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      const about = { orderId: order.id, bizId: bizIdOf(order) };
      this.platform.logger.warn({ err: error, ...about }, "an order is written and will be carried out later");
      throw fail("unavailable", { ordered: true });
    }
  }

  /** The row of the order, which is written where there is none; it may be of other content. */
  private async written(order: NewOrder, attempt = 1): Promise<MoneyOrder> {
    const { mysql, seals } = this.platform;
    const bizId = bizIdOf(order);
    const known = await findOrder(mysql, bizId);
    if (known) return known;
    try {
      await seals.transaction(mysql, async (tx, sealing) => {
        const proposed = await this.mustBeApproved(tx, order);
        await insertOrder(tx, { ...order, proposed, signed: signOrder(this.signatures, order, proposed) }, sealing);
      });
    } catch (error) {
      if (isDuplicateKey(error) && attempt < maxAttempts) return this.written(order, attempt + 1);
      throw error;
    }
    const row = await findOrder(mysql, bizId);
    if (row) return row;
    // A node of a database cluster may show a commit of another one a little later.
    this.platform.logger.warn({ bizId }, "an order is written and cannot be read yet: it will be carried out later");
    throw fail("unavailable", { ordered: true });
  }

  /** An adjustment of staff was counted, and approved where it had to be, by the staff service (`countStaffMove`). */
  private async mustBeApproved(tx: Transaction, { kind, userId, amount, keyId }: NewOrder): Promise<boolean> {
    if (kind !== "adjust" || keyId === staffKey) return false;
    await lockAccounts(tx, [userId]);
    return this.exceed(tx, [{ userId, coins: amount }]);
  }

  /** Whether one of these moves, each on another account, exceeds the bound. The accounts must be locked. */
  private async exceed(tx: Transaction, moves: readonly AccountMove[], key?: string): Promise<boolean> {
    const moved = await movedLately(tx, userIdsOf(moves), key);
    return moves.some(({ userId, coins }) => needsApproval(moved.get(userId) ?? 0n, coins, this.fourEyesCoins));
  }
}

const userIdsOf = (moves: readonly AccountMove[]): string[] => moves.map(({ userId }) => userId);

function outcomeOf({ state, refusal, balanceAfter }: MoneyOrder): PlatformOrderOutcome | undefined {
  if (state === "done") return { status: "done", balanceAfter };
  return state === "refused" && refusal !== null ? { status: "refused", reason: refusal } : undefined;
}
