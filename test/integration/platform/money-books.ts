import type { ServiceBroker } from "moleculer";
import { createConnection } from "mysql2/promise";
import { config, databaseName } from "../../../config/config.ts";
import type { ApiScope } from "../../../services/api-scopes.ts";
import { call } from "../../../services/contracts.ts";
import { platformBizId } from "../../../services/wallet/platform-orders.contract.ts";
import { rows } from "../../support/books.ts";

/** Orders of the platform to move money, as tests look at them. */

let next = 1000;
export const newUser = () => String(9_800_000_000_000_000_000n + BigInt(next++));

export const moneyScopes: ApiScope[] = ["wallet:credit", "wallet:adjust", "wallet:payout"];

export async function newKey(caller: ServiceBroker, scopes: ApiScope[] = moneyScopes): Promise<string> {
  return (await call(caller, "platform.createKey", { name: "backend", scopes, operator: "alice" })).key;
}

/** Changes a row of a service's database past the service. */
export async function change(service: string, sql: string, values: unknown[] = []): Promise<void> {
  const connection = await createConnection({
    uri: config().MYSQL_URL,
    database: databaseName(service),
    timezone: "Z",
  });
  try {
    await connection.query(sql, values);
  } finally {
    await connection.end();
  }
}

/** The valid trades of a user, oldest first: type and coins. */
export async function tradesOf(userId: string): Promise<[type: number, num: number][]> {
  const found = await rows<{ type: number; num: string }>(
    "wallet",
    "SELECT type, num FROM t_qiyu_currency_trade WHERE user_id = ? AND status = 1 ORDER BY id",
    [userId],
  );
  return found.map(({ type, num }) => [Number(type), Number(num)]);
}

/** The state of an order, by its kind and id. */
export async function stateOf(kind: "credit" | "adjust" | "payout", id: string): Promise<number | undefined> {
  const [found] = await rows<{ state: number }>(
    "platform",
    "SELECT s.state FROM t_money_order o JOIN t_money_state s ON s.order_id = o.id WHERE o.biz_id = ?",
    [platformBizId(kind, id)],
  );
  return found && Number(found.state);
}
