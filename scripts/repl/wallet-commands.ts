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
  description: `a user's last n trades (20 unless said, ${rowsMax} at the most), newest first`,
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

const income: ReplCommand = {
  command: "income <userId>",
  description: "what an anchor has, what is held back of it, and up to when that is complete",
  async run(broker, args) {
    const userId = userIdOf(args.userId);
    const { income: coins, heldBack, settledUpTo } = await call(broker, "wallet.income", { userId });
    return pairs({ anchor: userId, income: coins, "held back": heldBack, "complete up to": settledUpTo });
  },
};

export const walletCommands = [balance, statement, income];
