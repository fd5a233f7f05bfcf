import { randomUUID } from "node:crypto";
import { createConnection } from "mysql2/promise";
import { busPrefix, everyone } from "../../broker/bus/subjects.ts";
import { connectNats } from "../../broker/nats-connect.ts";
import { natsOptions } from "../../broker/nats-options.ts";
import { config, databaseName, natsPrefix, serviceUrlName } from "../../config/config.ts";
import { DeadLetters } from "../../mixins/jetstream/dead-letters.ts";
import { readStackEnv } from "../../scripts/stack/env-file.ts";
import { ensureNatsLogin } from "../../scripts/stack/nats-logins.ts";
import { carriedOut } from "../../services/staff/carried-out.contract.ts";
import { rows } from "../support/books.ts";
import { operate, Person, randomPhone, scene } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { RawNats } from "../support/raw-nats.ts";
import { expectWholeBooksBalanced } from "../support/whole-books.ts";

/** Attacks of somebody who stands inside the running system: one service's logins, or even the administrator's. */

const stackDir = process.env.STACK_DIR as string;
const { NAMESPACE } = config();
const p = natsPrefix();
const imServer = { role: "im-server", namespace: NAMESPACE };
const open: { close(): Promise<unknown> }[] = [];

const raw = async (url: string) => {
  const client = await RawNats.open(url);
  open.push(client);
  return client;
};

afterAll(async () => {
  for (const one of open) await one.close();
  await expectWholeBooksBalanced();
});

/** What a client hears on all subjects that the server lets it hear. */
function everythingHeard(client: RawNats, subjects: readonly string[]): string[] {
  const heard: string[] = [];
  for (const subject of subjects)
    client.connection.subscribe(subject, {
      callback: (error, message) => {
        if (!error) heard.push(`${message.subject} ${Buffer.from(message.data).toString()}`);
      },
    });
  return heard;
}

test("who has an im-server's logins at NATS hears no login code, no token and no order of others", async () => {
  const { busUrl, env } = await ensureNatsLogin(stackDir, imServer);
  const heard = [
    everythingHeard(await raw(env.NATS_URL as string), [">", `${p}>`, "_INBOX.>", "$JS.>"]),
    everythingHeard(await raw(busUrl), [">", `${busPrefix(NAMESPACE)}.>`, `${busPrefix(NAMESPACE)}.*.${everyone}.>`]),
  ];
  const phone = randomPhone();
  const person = await Person.login(phone);
  const { anchor, fan, roomId } = await scene();
  const { data } = await fan.send(roomId, anchor.userId);
  await fan.settled(data.orderId);
  const text = heard.flat().join("\n");
  for (const secret of [phone, person.token, fan.token, anchor.token, data.orderId]) expect(text).not.toContain(secret);
});

test("forged orders move no coin, even where the administrator's login puts them into the streams: they are dead letters", async () => {
  const { anchor, fan, roomId } = await scene();
  const [before, victim] = [await fan.balance(), fan.userId];
  const nats = await connectNats(natsOptions("attacker", readStackEnv(stackDir).NATS_ADMIN_URL));
  open.push(nats);
  const js = nats.jetstream();
  const orderId = `forged-${randomUUID()}`;
  const time = new Date().toISOString();
  const gift = {
    ...{ orderId, senderId: victim, receiverId: anchor.userId, roomId, giftId: 22, count: 1, price: before },
    ...{ type: 0, sharePercent: 50, time, contentHash: "0".repeat(32) },
  };
  const paid = { orderId, userId: victim, coins: 1_000_000, amount: 1, bizCode: 10001, time };
  const forgeries: [subject: string, body: object][] = [
    ["gift.send.0", { v: 1, keyId: "", sig: "", gifts: [gift] }],
    ["gift.send.0", gift],
    ["pay.recharge", paid],
    ["pay.recharge", { v: 1, keyId: "k1.0000", sig: "A".repeat(43), ...paid }],
    ["pay.refund", { orderId: "any", userId: victim, coins: 1_000_000, time }],
  ];
  const letters = await DeadLetters.open(nats);
  const about = async () => {
    let found = 0;
    for await (const { data, forged } of letters.all())
      if (forged && Buffer.from(data).toString().includes(victim)) found++;
    return found;
  };
  for (const [subject, body] of forgeries) await js.publish(p + subject, JSON.stringify(body));
  await eventually("all of them are dead letters", async () => (await about()) === forgeries.length);
  expect(await fan.balance()).toBe(before);
  expect(await rows("wallet", "SELECT id FROM t_qiyu_currency_trade WHERE biz_id = ?", [orderId])).toEqual([]);
  expect((await fan.send(roomId, anchor.userId)).code).toBe(200);
});

test("without a login nobody is let in; with an im-server's login nobody calls the wallet, or stands in for another service", async () => {
  const { busUrl } = await ensureNatsLogin(stackDir, imServer);
  await expect(RawNats.open(`nats://${new URL(busUrl).host}`)).rejects.toThrow("Authorization Violation");
  const client = await raw(busUrl);
  const bus = busPrefix(NAMESPACE);
  for (const subject of [
    `${bus}.REQ.wallet.one.im-server.one.wallet.freeze`,
    `${bus}.REQ.wallet.one.gift.one.wallet.consumeForSendGift`,
    `${bus}.INFO.${everyone}.user.one`,
    `${bus}.RES.gift.one.wallet.one`,
    `${bus}.DISCONNECT.${everyone}.wallet.one`,
    `MOL-${NAMESPACE}.REQ.wallet.one`,
  ])
    expect([subject, await client.publish(subject, "{}")]).toEqual([subject, "refused"]);
});

test("who has the users' gateway can do nothing of a person of the staff, and who has the staff's gateway moves no money of users", async () => {
  const bus = busPrefix(NAMESPACE);
  const refusedTo = async (role: string, actions: readonly string[]) => {
    const { busUrl } = await ensureNatsLogin(stackDir, { role, namespace: NAMESPACE });
    const client = await raw(busUrl);
    for (const action of actions) {
      const [service] = action.split(".");
      const subject = `${bus}.REQ.${service}.one.${role}.one.${action}`;
      expect([subject, await client.publish(subject, "{}")]).toEqual([subject, "refused"]);
    }
  };
  await refusedTo("api-gateway", [
    ...["staff.login", "staff.session", "staff.begin", "staff.addPerson", "wallet.freeze", "wallet.holdIncome"],
    ...["wallet.payout", "payment.refund", "payment.releaseOrder", "payment.updateProduct", "payment.setTopic"],
    ...["gift.create", "gift.findOrder", "auditor.acceptFinding", "platform.createKey"],
  ]);
  await refusedTo("admin-gateway", [
    ...["wallet.consumeForSendGift", "wallet.platformOrder", "wallet.payout", "gift.sendMany", "payment.webhook"],
    ...["platform.credit", "platform.adjust", "platform.payout", "user.login"],
    ...["payment.refund", "payment.releaseOrder", "wallet.holdIncome", "wallet.releaseHold", "wallet.holdFree"],
    ...["wallet.releaseFree", "platform.adjustByStaff", "platform.decide", "platform.countStaffMove"],
    ...Object.values(carriedOut).map(({ action }) => action),
  ]);
});

test("who has the staff's gateway acts as nobody whose session did not pass through it", async () => {
  const person = await Person.login();
  for (const session of ["", "x".repeat(200), person.token, "token:", "token:guessed-operator-token"]) {
    const answer = await operate("account/freeze", { userId: person.userId, reason: "taken over" }, session);
    expect([session, answer.status, answer.code]).toEqual([session, 401, 100002]);
  }
  expect((await person.ask<{ currentBalance: number }>("bank/products", { type: 0 })).currentBalance).toBe(0);
});

test("who has a service's login at MySQL reads no other service's database, and changes no row of a ledger", async () => {
  const kept = readStackEnv(stackDir);
  for (const service of ["gift", "wallet", "payment"] as const) {
    const connection = await createConnection(kept[serviceUrlName("MYSQL_URL", service)] as string);
    const refused = (sql: string) =>
      connection.query(sql).then(
        () => "done",
        ({ errno }: { errno: number }) => ([1044, 1142, 1143, 1227].includes(errno) ? "refused" : errno),
      );
    const other = databaseName(service === "wallet" ? "gift" : "wallet");
    const ledger = {
      gift: "t_gift_record",
      wallet: "t_qiyu_currency_trade",
      payment: "t_operator_audit",
    }[service];
    const own = `${databaseName(service)}.${ledger}`;
    expect([
      await refused(`SELECT * FROM ${other}.t_migration`),
      await refused(`UPDATE ${own} SET create_time = create_time`),
      await refused(`DELETE FROM ${own}`),
      await refused(`DROP TABLE ${own}`),
    ]).toEqual(["refused", "refused", "refused", "refused"]);
    await connection.end();
  }
});
