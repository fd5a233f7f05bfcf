import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { allConsumers, Positions } from "../../../mixins/jetstream/positions.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { sendAgain } from "../../../mixins/outbox/send-again.ts";
import { stopAll } from "../../support/system.ts";

/** Which sent messages count as lost, on tables that the test fills. */

const definition = { name: "NEWS", subjects: ["news.>"], kind: "log" } as const;
const [former, present] = ["2030-01-01T00:00:00.000000001Z", "2030-01-02T00:00:00.000000001Z"];
const now = { stream: "NEWS", created: present, again: "" };

let database: Database;
beforeAll(async () => {
  await migrate(databaseName("sample"), ["mixins/jetstream/migrations", "mixins/outbox/migrations"]);
  database = new Database(databaseName("sample"));
});
beforeEach(() => Promise.all(["t_outbox", "t_stream_position"].map((table) => database.run(`DELETE FROM ${table}`))));
afterEach(() => jest.restoreAllMocks());
afterAll(async () => {
  await database.close();
  await stopAll();
});

/** Messages that were sent to a stream, with these sequences. */
const sent = (created: string, sequences: readonly number[], subject = "news.local") =>
  database.run(
    `INSERT INTO t_outbox (subject, msg_id, order_key, payload, create_time, sent_time, sent_created, sent_sequence)
     VALUES ${sequences.map(() => "(?, ?, 'key', '{}', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), ?, ?)").join(",")}`,
    sequences.flatMap((sequence) => [subject, `${subject} ${created} ${sequence}`, created, sequence]),
  );
const unsent = async () => {
  const rows = await database.query<{ msg_id: string }>(
    "SELECT msg_id FROM t_outbox WHERE sent_time IS NULL ORDER BY id",
  );
  return rows.map(({ msg_id }) => msg_id);
};
const places = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

test("messages of a lost stream that not all consumers had read are sent again, and no other messages", async () => {
  await sent(former, places(4));
  await sent(former, [9], "other.local");
  await sent(present, [5]);
  await new Positions(database).advance(allConsumers, { ...now, created: former }, 2);
  expect(await sendAgain(database, definition, now)).toBe(2);
  expect(await unsent()).toEqual([3, 4].map((n) => `news.local ${former} ${n}`));
  expect(await sendAgain(database, definition, now)).toBe(0);
});

test("messages beyond the end of a stream that went back in time are sent again", async () => {
  await sent(present, places(4));
  expect(await sendAgain(database, definition, { ...now, again: "back-1", lastSequence: 3 })).toBe(1);
  expect(await unsent()).toEqual([`news.local ${present} 4`]);
});

test("an hour of rows is marked in portions that commit by themselves, also while the relay sends them again", async () => {
  const { sendAgainRows } = limits.outbox;
  const count = 2 * sendAgainRows + 1;
  await sent(present, places(count));
  const run = database.run.bind(database);
  const portions: number[] = [];
  jest.spyOn(database, "run").mockImplementation(async (sql, values) => {
    const result = await run(sql, values);
    portions.push(result.affectedRows);
    // The relay sends them at once, with higher sequences.
    await run(
      `UPDATE t_outbox SET sent_time = UTC_TIMESTAMP(3), sent_created = ?, sent_sequence = id + 1000000
       WHERE sent_time IS NULL`,
      [present],
    );
    return result;
  });
  expect(await sendAgain(database, definition, { ...now, again: "back-1", lastSequence: 0 })).toBe(count);
  expect(portions).toEqual([sendAgainRows, sendAgainRows, 1]);
});
