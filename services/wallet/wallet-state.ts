import type { ArchiveFilters } from "../../mixins/archive/filters.ts";
import type { BatchLoader } from "../../mixins/batch-loader.ts";
import type { JetStreamState, MessageSignatures } from "../../mixins/jetstream.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import type { RedisLockState } from "../../mixins/redis-lock.mixin.ts";
import type { SealsState } from "../../mixins/seals.mixin.ts";
import type { FaultRate } from "../../mixins/user-rate.ts";
import type { FundsCache } from "./funds.ts";
import type { IncomeRollup } from "./income/income-rollup.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { Balance } from "./wallet.contract.ts";

/** What the service, its mixins and its start put on `this`. */
export interface WalletState extends MysqlState, RedisLockState, JetStreamState, OutboxState, SealsState {
  /** Of paid orders and refunds. */
  signatures: MessageSignatures;
  /** Of orders of the platform. */
  platformSignatures: MessageSignatures;
  writer: LedgerWriter;
  /** Of trades that left the ledger. */
  archive: ArchiveFilters;
  balances: BatchLoader<Balance>;
  funds: FundsCache;
  /** Gifts that failed at the charge, by sender. */
  failedGifts: FaultRate;
  incomeRollup: IncomeRollup;
}
