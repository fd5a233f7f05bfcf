import { createConnection } from "mysql2/promise";
import { config, databaseName, serviceUrlName } from "../../../config/config.ts";
import { readStackEnv } from "../../../scripts/stack/env-file.ts";
import { rows } from "../../support/books.ts";
import { operate, scene } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";

const open = (subject: string) =>
  rows<{ kind: string }>("auditor", "SELECT kind FROM t_book_finding WHERE subject = ? AND gone_time IS NULL", [
    subject,
  ]);

/** The full passes that began from now on and are over. */
async function passOver(): Promise<void> {
  const [begun] = await rows<{ now: Date }>("auditor", "SELECT UTC_TIMESTAMP(3) AS now");
  await eventually(
    "a full pass",
    async () => (await rows("auditor", "SELECT id FROM t_book_pass WHERE began_time >= ?", [begun?.now])).length > 0,
    100_000,
  );
}

test("the running system compares its books: a person who recharges and sends is no difference, a balance set by hand is", async () => {
  const { anchor, fan, roomId } = await scene();
  const sent = await Promise.all([1, 2, 3].map(() => fan.send(roomId, anchor.userId, { giftId: 24 })));
  for (const { data } of sent) await fan.settled(data.orderId);
  await passOver();
  const subjects = [`account ${fan.userId}`, `anchor ${anchor.userId}`];
  for (const { data } of sent) subjects.push(`gift order ${data.orderId}`);
  for (const subject of subjects) expect(await open(subject)).toEqual([]);

  const intruder = await createConnection({ uri: config().MYSQL_URL, database: databaseName("wallet") });
  const set = (by: number) =>
    intruder.query("UPDATE t_qiyu_currency_account SET current_balance = current_balance + ? WHERE user_id = ?", [
      ...[by, fan.userId],
    ]);
  try {
    await set(1_000_000);
    const found = await eventually("the difference", async () => (await open(`account ${fan.userId}`))[0], 100_000);
    expect(found.kind).toBe("balanceDiffers");
  } finally {
    await set(-1_000_000);
    await intruder.end();
  }
  await eventually("it is gone", async () => (await open(`account ${fan.userId}`)).length === 0, 100_000);
}, 300_000);

test("with payment's own login a product is made cheaper: it is named, an operator accepts it, and its change counts again", async () => {
  const kept = readStackEnv(process.env.STACK_DIR as string);
  const uri = kept[serviceUrlName("MYSQL_URL", "payment")] as string;
  const intruder = await createConnection({ uri, database: databaseName("payment") });
  const set = (price: number) => intruder.query("UPDATE t_pay_product SET price = ? WHERE id = 9", [price]);
  interface Listed {
    id: number;
    subject: string;
    detail: string;
    accepted: { by: string; reason: string } | null;
  }
  const listed = async (accepted: number) =>
    (await operate<{ list: Listed[] }>("books/findings", { accepted, limit: 100 })).data.list.find(
      ({ subject }) => subject === "product 9",
    );
  try {
    await set(1);
    const { id, detail } = await eventually("the finding", () => listed(0), 100_000);
    expect((await operate("books/accept", { id, detail, reason: "a drill" })).code).toBe(200);
    expect((await listed(1))?.accepted).toMatchObject({ reason: "a drill" });
    await set(2);
    expect(await eventually("it counts again", () => listed(0), 100_000)).toMatchObject({ id, accepted: null });
  } finally {
    await set(5_000);
    await intruder.end();
  }
  await eventually("it is gone", async () => (await open("product 9")).length === 0, 100_000);
}, 300_000);
