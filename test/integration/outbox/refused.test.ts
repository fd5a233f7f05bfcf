/** The relay where a stream refuses what it gets. */
import type { ServiceSchema } from "moleculer";
import { connect, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { databaseName, natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { jetstreamMixin, type StreamDefinition } from "../../../mixins/jetstream.mixin.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { mysqlMixin } from "../../../mixins/mysql.mixin.ts";
import { outboxMixin } from "../../../mixins/outbox.mixin.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

const full: StreamDefinition = {
  name: "FULL",
  subjects: ["full.*"],
  kind: "log",
  maxBytes: 4_096,
  refusesAtBound: true,
};
const news: StreamDefinition = { name: "NEWS", subjects: ["news.*"], kind: "log" };

let database: Database;
let nats: NatsConnection;

beforeAll(async () => {
  await migrate(databaseName("user"), migrationFolders.user);
  database = new Database(databaseName("user"));
  nats = await connect(natsOptions("test"));
});
afterAll(async () => {
  await nats.close();
  await database.close();
  await stopAll();
});

const write = (ids: readonly string[], subject: string, payload: string, key?: string) =>
  database.run(
    `INSERT INTO t_outbox (subject, msg_id, order_key, payload, create_time)
     VALUES ${ids.map(() => "(?, ?, ?, ?, UTC_TIMESTAMP(3))").join(",")}`,
    ids.flatMap((id) => [subject, id, key ?? id, payload]),
  );
const unsent = async () => {
  const rows = await database.query<{ msg_id: string }>("SELECT msg_id FROM t_outbox WHERE sent_time IS NULL");
  return rows.map(({ msg_id }) => msg_id);
};

test("a full stream holds its own messages back, and no others; what was acked is published once", async () => {
  const large = JSON.stringify("x".repeat(5_000));
  const [before, blocked, later] = [["before-1", "before-2"], ["blocked"], ["after-1", "after-2", "after-3"]];
  const fill = Array.from({ length: limits.outbox.batchRows }, (_, n) => `large-${n}`);
  await write(before, "news.local", "{}");
  await write(fill, "full.local", large);
  await write(blocked, "news.local", "{}", "large-0");
  await write(later, "news.local", "{}", "one-key");
  const schema = {
    name: "notification",
    mixins: [outboxMixin, jetstreamMixin([full, news]), mysqlMixin("user", migrationFolders.user)],
  };
  await startNode("relay", [schema as unknown as ServiceSchema]);
  await eventually("the others are sent", async () => (await unsent()).length === fill.length + blocked.length, 20_000);
  // What follows a refused message of its key waits for it.
  expect(new Set(await unsent())).toEqual(new Set([...fill, ...blocked]));

  const manager = await nats.jetstreamManager();
  const { config } = await manager.streams.info(`${natsPrefix()}FULL`);
  await manager.streams.update(config.name, { ...config, max_bytes: 8 * 1024 * 1024 });
  await eventually("all are sent", async () => (await unsent()).length === 0, 20_000);
  const { state } = await manager.streams.info(`${natsPrefix()}NEWS`);
  expect(state.messages).toBe(before.length + blocked.length + later.length);
  const sequences = await database.query<{ msg_id: string }>(
    "SELECT msg_id FROM t_outbox WHERE subject = 'news.local' ORDER BY sent_sequence",
  );
  const inOrder = sequences.map(({ msg_id }) => msg_id);
  // The first two have keys of their own: they have no order.
  expect([...inOrder.slice(0, 2).sort(), ...inOrder.slice(2)]).toEqual([...before, ...later, ...blocked]);
});
