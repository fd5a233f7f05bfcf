import { randomUUID } from "node:crypto";
import type { Connection } from "mysql2/promise";
import { config, databaseName } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";
import { post } from "../../test/support/client.ts";
import { apiKey } from "../load/api-key.ts";

const heldDeadlineMs = 60_000;

async function inDatabase<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
  const connection = await openConnection(config().MYSQL_URL, {
    ...{ database: databaseName("webhook"), timezone: "Z" },
    ...{ supportBigNumbers: true, bigNumberStrings: true },
  });
  try {
    return await work(connection);
  } finally {
    await connection.end();
  }
}

/** Makes a webhook for each URL through the server API of the system at `API_URL`; their ids, in the order of the URLs. */
export async function subscribe(urls: readonly string[], event: string): Promise<string[]> {
  const token = await apiKey(["webhooks"]);
  const ids: string[] = [];
  for (const url of urls) {
    const headers = { "idempotency-key": randomUUID() };
    const body = { url, events: [event] };
    const answer = await post<{ webhookId: string }>("/live/server/v1/webhooks/create", body, { token, headers });
    if (answer.code !== 200) throw new Error(`webhooks/create: ${answer.status} ${answer.code} ${answer.msg}`);
    ids.push(answer.data.webhookId);
  }
  return ids;
}

/** Resolves once all webhooks belong to so many nodes. */
export async function untilHeldBy(nodes: number, webhooks: number): Promise<void> {
  const isSo = () =>
    inDatabase(async (connection) => {
      const [rows] = await connection.query(
        "SELECT COUNT(*) AS held, COUNT(DISTINCT holder) AS nodes FROM t_webhook_lease WHERE until_time > UTC_TIMESTAMP(3)",
      );
      const [row] = rows as { held: string; nodes: string }[];
      return Number(row?.held) === webhooks && Number(row?.nodes) === nodes;
    });
  if (!(await becomesTrue(isSo, heldDeadlineMs, 200)))
    throw new Error(`${webhooks} webhooks do not belong to ${nodes} nodes after ${heldDeadlineMs / 1_000} s`);
}

/** What was published, and who answers. */
interface Published {
  events: number;
  /** The first events, which all receivers answered. */
  warmUp: number;
  /** The first receivers, which answered all events. */
  answering: number;
}

/**
 * What is wrong with the deliveries of all rows: each webhook has one of each event; those that were answered have
 * succeeded, and no other one. A sentence each.
 */
export async function deliveryProblems(
  ids: readonly string[],
  { events, warmUp, answering }: Published,
): Promise<string[]> {
  const [messages, rows] = await inDatabase(async (connection) => {
    const [[count]] = (await connection.query("SELECT COUNT(*) AS count FROM t_webhook_message")) as unknown as [
      { count: string }[],
    ];
    const [found] = await connection.query(
      `SELECT w.id, w.dropped, COUNT(d.id) AS deliveries, COUNT(IF(d.state = 2, 1, NULL)) AS succeeded
       FROM t_webhook AS w LEFT JOIN t_webhook_delivery AS d ON d.webhook_id = w.id GROUP BY w.id`,
    );
    return [Number(count?.count), found as { id: string; dropped: string; deliveries: string; succeeded: string }[]];
  });
  const problems = messages === events ? [] : [`${messages} messages are stored of ${events} events`];
  for (const { id, dropped, deliveries, succeeded } of rows) {
    if (Number(deliveries) !== events || Number(dropped) !== 0)
      problems.push(`webhook ${id} has ${deliveries} deliveries of ${events} events, ${dropped} were dropped`);
    const wanted = ids.indexOf(id) < answering ? events : warmUp;
    if (Number(succeeded) !== wanted) problems.push(`webhook ${id}: ${succeeded} have succeeded, not ${wanted}`);
  }
  if (rows.length !== ids.length) problems.push(`there are ${rows.length} webhooks, not ${ids.length}`);
  return problems;
}
