import { fail } from "../../broker/failure.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { Balance } from "./wallet.contract.ts";
import { toBalance } from "./wallet-store.ts";

/**
 * Freezes or unfreezes an account, in order with the user's other commands. Doing it twice is the same as once. Fails:
 * accountUnusable, where the account is invalid.
 */
export async function changeStatus(
  { writer }: { writer: LedgerWriter },
  kind: "freeze" | "unfreeze",
  { userId, reason }: { userId: string; reason: string },
): Promise<Balance> {
  const outcome = await writer.submit({ kind, userId, reason });
  if (outcome.status === "refused") throw fail(outcome.reason, { userId });
  return toBalance(outcome.account);
}
