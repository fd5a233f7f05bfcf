import { call } from "../../services/contracts.ts";
import { type ReplCommand, TypedWrong, userIdOf } from "./command.ts";
import { pairs, table } from "./table.ts";

const accountStatus = ["invalid", "valid", "frozen"];
const tradeTypes = ["gift", "recharge", "refund", "adjustment"];
const rowsMax = 100;

const balance: ReplCommand = {
  command: "balance <userId>",
  description: "a user's account: coins, debt, status",
  async run(broker, args) {
    const account = await call(broker, "wallet.balance", { userId: userIdOf(args.userId) });
    return pairs({
      user: account.userId,
      balance: account.balance,
      debt: account.debt,
      "ever charged": account.totalCharged,
      status: accountStatus[account.status] ?? account.status,
    });
  },
};

function rowsOf(text: string | undefined): number {
  const rows = Number(text ?? 20);
  if (!Number.isInteger(rows) || rows < 1 || rows > rowsMax)
    throw new TypedWrong(`n is 1 to ${rowsMax}, not "${text}"`);
  return rows;
}

const statement: ReplCommand = {
  command: "statement <userId> [n]",
  description: `a user's last n trades (default 20, ${rowsMax} at the most), newest first`,
  async run(broker, args) {
    const userId = userIdOf(args.userId);
    const { list, nextCursor } = await call(broker, "wallet.statement", { userId, limit: rowsOf(args.n) });
    const rows = list.map(({ id, createTime, type, status, num, balanceAfter, debt, bizId }) => {
      const what = `${tradeTypes[type] ?? type}${status === 1 ? "" : " (rejected)"}`;
      return [id, createTime, what, num, balanceAfter, debt?.after ?? "", bizId];
    });
    const more = nextCursor === null ? "" : "\n(there are older ones)";
    return table(["id", "time", "what", "coins", "balance", "debt", "business id"], rows) + more;
  },
};

/** Points as coins, with two decimals where there is a fraction: 12, 12.50. */
function coinsOf(points: number): string {
  const coins = BigInt(points) / 100n;
  const rest = Math.abs(points % 100);
  const sign = points < 0 && coins === 0n && rest > 0 ? "-" : "";
  return rest === 0 ? String(coins) : `${sign}${coins}.${String(rest).padStart(2, "0")}`;
}

const income: ReplCommand = {
  command: "income <userId>",
  description: "an anchor's free, held-back and paid-out income in coins, and the time up to which it is complete",
  async run(broker, args) {
    const userId = userIdOf(args.userId);
    const { incomePoints, earnedPoints, heldBackPoints, paidOutPoints, settledUpTo } = await call(
      broker,
      "wallet.income",
      { userId },
    );
    return pairs({
      anchor: userId,
      income: coinsOf(incomePoints),
      earned: coinsOf(earnedPoints),
      "held back": coinsOf(heldBackPoints),
      "paid out": coinsOf(paidOutPoints),
      "complete up to": settledUpTo,
    });
  },
};

const proposals: ReplCommand = {
  command: "proposals",
  description: `adjustments of API keys that wait for a person of the staff, the newest ${rowsMax}`,
  async run(broker) {
    const { list, nextCursor } = await call(broker, "platform.proposals", { limit: rowsMax });
    if (list.length === 0) return "no adjustment waits for a person";
    const rows = list.map(({ proposalId, userId, coins, reason, keyId, expiresTime }) => [
      ...[proposalId, userId, coins, reason, keyId, expiresTime],
    ]);
    return (
      table(["id", "user", "coins", "reason", "API key", "expires"], rows) + (nextCursor ? "\n(there are more)" : "")
    );
  },
};

export const walletCommands = [balance, statement, income, proposals];
