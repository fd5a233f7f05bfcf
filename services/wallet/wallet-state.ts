import type { BatchLoader } from "../../mixins/batch-loader.ts";
import type { JetStreamState, MessageSignatures } from "../../mixins/jetstream.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import type { RedisLockState } from "../../mixins/redis-lock.mixin.ts";
import type { FaultRate } from "../../mixins/user-rate.ts";
import type { BookKeys } from "../book-keys.ts";
import type { FundsCache } from "./funds.ts";
import type { IncomeRollup } from "./income/income-rollup.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { Checkpoints } from "./seals/checkpoints.ts";
import type { SealChains } from "./seals/seal-chains.ts";
import type { Balance } from "./wallet.contract.ts";

/** What the service, its mixins and its start put on `this`. */
export interface WalletState extends MysqlState, RedisLockState, JetStreamState, OutboxState {
  /** Of paid orders and refunds. */
  signatures: MessageSignatures;
  bookKeys: BookKeys;
  seals: SealChains;
  writer: LedgerWriter;
  balances: BatchLoader<Balance>;
  funds: FundsCache;
  /** Gifts that failed at the charge, by sender. */
  failedGifts: FaultRate;
  incomeRollup: IncomeRollup;
  checkpoints: Checkpoints;
}
