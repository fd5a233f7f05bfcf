import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { eraseAuditParams } from "../../mixins/operator-audit/erase-params.ts";
import { eraseSent } from "../../mixins/outbox/erase-sent.ts";
import { broadcast } from "../contracts.ts";
import type { ActionDefinitions } from "../define-service.ts";
import type { erasureActions as contract, ErasureObstacle } from "../erasure.contract.ts";
import { balanceOn } from "./balances.ts";
import { hasPendingIncome, namesOf, unpaidIncome } from "./erasure-store.ts";
import { erasePostingReasons } from "./income/income-store.ts";
import type { Balance } from "./wallet.contract.ts";
import type { WalletState } from "./wallet-state.ts";

/** The wallet's part in the erasure of a user: the account is closed, and every posting stays. */

type Wallet = Service & WalletState;

const ofAccount = ({ balance, debt }: Balance, giveUp: boolean): ErasureObstacle[] => [
  ...(debt > 0 ? (["debt"] as const) : []),
  ...(balance > 0 && !giveUp ? (["coins"] as const) : []),
];

/** Income that is not paid out, held-back shares too, rolled up or not. */
async function hasIncome({ servers }: Wallet, userId: string): Promise<boolean> {
  const unpaid = (await servers.each((db) => unpaidIncome(db, userId))).reduce((sum, points) => sum + points, 0n);
  return unpaid > 0n || (await servers.each((db) => hasPendingIncome(db, userId))).includes(true);
}

async function obstaclesOf(wallet: Wallet, userId: string, giveUp: boolean): Promise<ErasureObstacle[]> {
  const balance = await balanceOn(wallet.servers, userId);
  // Closed: what came after it waits for nobody.
  if (balance.status === 0) return [];
  const income = !giveUp && (await hasIncome(wallet, userId)) ? (["income"] as const) : [];
  return [...ofAccount(balance, giveUp), ...income];
}

export const erasureActions: ActionDefinitions<Wallet, typeof contract> = {
  erasureObstacles: {
    async handler(ctx) {
      const { userId, giveUp } = ctx.params;
      return { obstacles: await obstaclesOf(this, userId, giveUp) };
    },
  },

  eraseUser: {
    async handler(ctx) {
      const { userId, giveUp } = ctx.params;
      const obstacles = await obstaclesOf(this, userId, giveUp);
      if (obstacles.length > 0) return { obstacles };
      if (!this.writer.hasRoomFor(1)) throw fail("unavailable", { waiting: this.writer.waiting });
      const outcome = await this.writer.submit({ kind: "close", userId, giveUp });
      if (outcome.status === "refused") return { obstacles: ofAccount(outcome.account, giveUp) };
      await broadcast(this.broker, "wallet.account-changed", { userId });
      await this.servers.each((db) => eraseSent(db, [`user:${userId}`]));
      await this.servers.each((db) => erasePostingReasons(db, userId));
      const names = await this.servers.each((db) => namesOf(db, userId));
      await eraseAuditParams(this.mysql, new Set(names.flatMap((some) => [...some])));
      this.logger.info({ userId, giveUp, requestId: ctx.requestID }, "the account of an erased user is closed");
      return { obstacles: [] };
    },
  },
};
