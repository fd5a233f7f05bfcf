import type { Context, Service, ServiceBroker } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { broadcast } from "../contracts.ts";
import type { LedgerServers } from "./buckets/ledger-servers.ts";
import type { Balance } from "./wallet.contract.ts";
import type { WalletState } from "./wallet-state.ts";
import { readUnusable, toBalance } from "./wallet-store.ts";
import type { LedgerCommands } from "./writer-ports.ts";

/**
 * Freezes or unfreezes an account, in order with the user's other commands. A repeat changes nothing. Durable with its
 * event when it returns; a broadcast empties caches. Fails: accountUnusable, where the account is invalid.
 */
async function changeStatus(
  { writer, broker }: { writer: LedgerCommands; broker: ServiceBroker },
  kind: "freeze" | "unfreeze",
  { userId, reason }: { userId: string; reason: string },
): Promise<Balance> {
  const outcome = await writer.submit({ kind, userId, reason });
  if (outcome.status === "refused") throw fail(outcome.reason, { userId });
  await broadcast(broker, "wallet.account-changed", { userId });
  return toBalance(outcome.account);
}

/** The operators' actions. */
export const statusAction = (kind: "freeze" | "unfreeze") => ({
  operator: true as const,
  handler(this: Service & WalletState, ctx: Context<{ userId: string; reason: string }>) {
    return changeStatus(this, kind, ctx.params);
  },
});

/**
 * The users whose account is frozen or invalid. `apart`: those of whom it cannot be read now are named beside them; else
 * it fails then: unavailable.
 */
export async function unusableOn(
  servers: LedgerServers,
  { userIds, apart }: { readonly userIds: readonly string[]; readonly apart?: true | undefined },
): Promise<{ userIds: string[]; away?: string[] }> {
  if (!apart) return { userIds: await servers.read(userIds, readUnusable) };
  const { found, missing } = await servers.readApart(userIds, readUnusable);
  return { userIds: [...found], ...(missing.size > 0 && { away: [...missing.keys()] }) };
}
