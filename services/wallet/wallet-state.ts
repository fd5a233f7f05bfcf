import type { BatchLoader } from "../../mixins/batch-loader.ts";
import type { JetStreamState, MessageSignatures } from "../../mixins/jetstream.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import type { RedisLockState } from "../../mixins/redis-lock.mixin.ts";
import type { SealsState } from "../../mixins/seals.mixin.ts";
import type { FaultRate } from "../../mixins/user-rate.ts";
import type { LedgerServers } from "./buckets/ledger-servers.ts";
import type { MoveBreakpoint } from "./buckets/move-state.ts";
import type { OpenServers } from "./buckets/open-servers.ts";
import type { FundsCache } from "./funds.ts";
import type { IncomeRollup } from "./income/income-rollup.ts";
import type { Balance } from "./wallet.contract.ts";
import type { LedgerCommands } from "./writer-ports.ts";

/** What the service, its mixins and its start put on `this`. */
export interface WalletState extends MysqlState, RedisLockState, JetStreamState, OutboxState, SealsState {
  /** Of paid orders and refunds. */
  signatures: MessageSignatures;
  /** Of orders of the platform. */
  platformSignatures: MessageSignatures;
  writer: LedgerCommands;
  /** Where the ledgers are. */
  servers: LedgerServers;
  openServers: OpenServers;
  /** Where there are several servers: what moves buckets between them, and compares their gates. */
  bucketLoops: { stop(): Promise<void> }[];
  /** For tests: throws at a step of a move to simulate a crash. */
  moveBreakpoint?: MoveBreakpoint;
  balances: BatchLoader<Balance>;
  funds: FundsCache;
  /** Gifts that failed at the charge, by sender. */
  failedGifts: FaultRate;
  /** One for each server. */
  incomeRollups: IncomeRollup[];
}
