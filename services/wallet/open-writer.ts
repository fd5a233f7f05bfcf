import { randomUUID } from "node:crypto";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { Transaction } from "../../mixins/mysql/database.ts";
import type { OutboxMessage } from "../../mixins/outbox.mixin.ts";
import { durableEvent } from "../durable-event.ts";
import type { LedgerServers, ServerView } from "./buckets/ledger-servers.ts";
import { lookElsewhere } from "./buckets/split-writer.ts";
import { externalOrderOf } from "./business-ids.ts";
import { LedgerWriter } from "./ledger-writer.ts";
import type { Command, Decision } from "./posting.ts";
import type { WalletState } from "./wallet-state.ts";

/** A server's own database, seals and outbox; locks and cache of funds are the node's. */
type Wallet = ServerView & Pick<WalletState, "locks" | "funds">;

/** Writes the events of a decision to the outbox, in the decision's own transaction. */
async function writeEvents(wallet: Wallet, tx: Transaction, commands: readonly Command[], decision: Decision) {
  const time = new Date();
  const events: OutboxMessage[] = [];
  for (const [index, command] of commands.entries()) {
    const outcome = decision.outcomes[index];
    if (outcome?.status !== "done" || outcome.repeated) continue;
    const { userId } = command;
    if (command.kind === "recharge" || command.kind === "credit") {
      const { bizId: orderId, coins } = command;
      const external = command.kind === "credit" && { externalOrderId: externalOrderOf(orderId) };
      const credited = { userId, orderId, ...external, coins, balanceAfter: outcome.account.balance };
      const event = durableEvent("wallet.credited", command.bizId, { ...credited, time: time.toISOString() }, time);
      events.push({ ...event, orderKey: `user:${userId}` });
    }
    if (command.kind === "freeze" || command.kind === "unfreeze" || command.kind === "close") {
      const name = command.kind === "unfreeze" ? "account.unfrozen" : "account.frozen";
      const reason = command.kind === "close" ? "erased" : command.reason;
      const data = { userId, reason, time: time.toISOString() };
      // A random id: two changes of one account have no business id, and may have the same time in one batch.
      const event = durableEvent(name, randomUUID(), data, time);
      events.push({ ...event, orderKey: `user:${userId}` });
    }
  }
  await wallet.outbox.addAll(tx, events);
}

/** The ledger writer of one server, on its database, seals and outbox. */
export function openWriter(wallet: Wallet, servers: LedgerServers, name: string): LedgerWriter {
  return new LedgerWriter(
    {
      ...(servers.isSeveral && { elsewhere: (commands) => lookElsewhere(servers, name, commands) }),
      transaction: (work) => wallet.seals.transaction(wallet.mysql, work),
      acquire: (keys) => wallet.locks.acquire(keys),
      archive: wallet.archive,
      writeEvents: (tx, commands, decision) => writeEvents(wallet, tx, commands, decision),
      committed: (accounts) => {
        for (const { userId, balance, status } of accounts) wallet.funds.set(userId, { balance, status });
        wallet.outbox.wake();
      },
      now: () => Date.now(),
      warn: (about, text) => wallet.logger.warn(about, text),
    },
    {
      batchCommands: limits.wallet.batchCommands,
      batchesInFlight: limits.wallet.batchesInFlight,
      queuedCommands: limits.wallet.queuedCommands,
      staleMs: config().CALL_TIMEOUT_MS * limits.wallet.staleShareOfTimeout,
      lockWaitMs: limits.lock.waitMs,
      lockRetryMs: limits.lock.retryEveryMs,
    },
  );
}
