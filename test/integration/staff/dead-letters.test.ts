import type { ServiceBroker } from "moleculer";
import { connect, type NatsConnection } from "nats";
import { fail, failureName } from "../../../broker/failure.ts";
import { natsOptions } from "../../../broker/nats-options.ts";
import { databaseName, natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { DeadLetters } from "../../../mixins/jetstream/dead-letters.ts";
import { deadLetterSubject } from "../../../mixins/jetstream/definitions.ts";
import { jetstreamMixin } from "../../../mixins/jetstream.mixin.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { call, type ParamsOf } from "../../../services/contracts.ts";
import { defineService } from "../../../services/define-service.ts";
import { notificationActions } from "../../../services/notification/notification.contract.ts";
import provisioner from "../../../services/provisioner/provisioner.service.ts";
import staff from "../../../services/staff/staff.service.ts";
import { deadParcel, parcelChannel, parcelReader, parcels } from "../../support/dead-parcels.ts";
import { asOperator, enrolledPerson } from "../../support/staff.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";

/** What persons of the staff do about dead letters: the staff service decides, the provisioner carries out, over NATS. */

jest.setTimeout(120_000);

const { handled } = parcelReader;

const reader = defineService<"notification">({
  name: "notification",
  contract: notificationActions,
  mixins: [jetstreamMixin([parcels])],
  actions: { sendLoginCode: { handler: () => ({ shownToCaller: false }) } },
  channels: { parcels: parcelChannel },
});

let connection: NatsConnection;
let dead: DeadLetters;
let keeper: ServiceBroker;
let staffNode: ServiceBroker;
let door: ServiceBroker;
let books: Database;

beforeAll(async () => {
  connection = await connect(natsOptions("test"));
  await startNode("reader", [reader]);
  keeper = await startNode("keeper", [provisioner], "provisioner");
  staffNode = await startNode("staff", [staff], "staff");
  door = await startNode("door", [], "admin-gateway");
  await waitForNode(staffNode, "provisioner", keeper.nodeID);
  for (const { nodeID } of [keeper, staffNode])
    await waitForNode(door, nodeID === keeper.nodeID ? "provisioner" : "staff", nodeID);
  dead = await DeadLetters.open(connection);
  books = new Database(databaseName("staff"), { connections: 1 });
});
afterEach(async () => {
  jest.restoreAllMocks();
  handled.length = 0;
  for await (const { sequence } of dead.all()) await dead.remove(sequence);
});
afterAll(async () => {
  await books?.close();
  await connection.close();
  await stopAll();
});

let next = 0;

/** Publishes a parcel that the broken reader cannot read; resolves to its dead letter's number. */
async function bury(more: object = {}): Promise<{ id: number; orderId: string }> {
  const orderId = `order-${next++}`;
  return { id: await deadParcel(connection, dead, { orderId, ...more }), orderId };
}

/** A dead letter as somebody's service may have written it. */
async function forge(headers: Record<string, string>, body = "{}"): Promise<number> {
  const { headers: make } = await import("nats");
  const head = make();
  const origin = { "Dead-Subject": `${natsPrefix()}pay.recharge`, "Dead-Stream": `${natsPrefix()}PAY` };
  for (const [name, value] of Object.entries({ ...origin, "Dead-Reason": "r", ...headers })) head.set(name, value);
  const subject = natsPrefix() + deadLetterSubject("wallet-recharge", "unproven");
  return (await connection.jetstream().publish(subject, body, { headers: head })).seq;
}

const reason = "the reader is repaired";
const { session } = asOperator();
const replay = (id: number, more: Partial<ParamsOf<"staff.replayDeadLetter">> = {}) =>
  call(door, "staff.replayDeadLetter", { session, id, reason, ...more });
const giveUp = (id: number, more: Partial<ParamsOf<"staff.giveUpDeadLetter">> = {}) =>
  call(door, "staff.giveUpDeadLetter", { session, id, reason, ...more });
const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => failureName(error) ?? error,
  );
const replayed = () => handled.map(({ data }) => (data as { orderId: string }).orderId);

test("dead letters are listed with what they are about, page by page, and one is shown without its secrets", async () => {
  const [first, second, third] = [await bury({ token: "secret-of-it" }), await bury(), await bury()];
  const page = await call(door, "provisioner.deadLetters", { limit: 2 });
  expect(page).toMatchObject({
    list: [
      {
        ...{ id: first.id, channel: "wallet-recharge", subject: `${natsPrefix()}pay.recharge`, orderId: first.orderId },
        ...{ reason: expect.stringContaining("does not know this form"), forged: false, unknownKey: false },
      },
      { id: second.id },
    ],
    nextCursor: String(second.id),
  });
  const rest = await call(door, "provisioner.deadLetters", { limit: 2, cursor: page.nextCursor as string });
  expect(rest).toMatchObject({ list: [{ id: third.id }], nextCursor: null });
  expect(await call(door, "provisioner.countDeadLetters", {})).toEqual({ count: 3 });
  const shown = await call(door, "provisioner.deadLetter", { id: first.id });
  expect(shown.body).toBe(`{"orderId":"${first.orderId}","token":"…"}`);
  await expect(call(door, "provisioner.deadLetter", { id: third.id + 1 })).rejects.toMatchObject({
    type: "deadLetterGone",
  });
});

test("a replay has the message handled again, once, and tells afterwards who did it and why", async () => {
  const { id, orderId } = await bury();
  const { name, login } = await enrolledPerson(staffNode, "admin");
  const done = await replay(id, { session: login.session });
  expect(done).toMatchObject({ id, orderId, decision: "replay", state: "done", by: name, reason, body: null });
  await eventually("it is handled", () => replayed().includes(orderId));
  expect(replayed()).toEqual([orderId]);
  expect(await dead.count()).toBe(0);
  expect(await outcomeOf(replay(id))).toBe("deadLetterGone");
  expect(await outcomeOf(giveUp(id))).toBe("deadLetterGone");
  expect(await call(door, "staff.handledDeadLetters", { orderId })).toMatchObject({ list: [{ id, by: name, reason }] });
});

test("what is given up is never handled, and its bytes, the person and the reason are kept", async () => {
  const { id, orderId } = await bury({ note: "数字" });
  const done = await giveUp(id, { reason: "sent twice by hand" });
  expect(done).toMatchObject({ decision: "giveUp", state: "done", by: "operator", reason: "sent twice by hand" });
  expect(done.body).toBe(`{"orderId":"${orderId}","note":"数字"}`);
  expect(await dead.count()).toBe(0);
  const [row] = await books.query<{ data: Buffer }>("SELECT data FROM t_staff_dead_letter WHERE order_id = ?", [
    orderId,
  ]);
  expect(row?.data.toString()).toBe(done.body);
  expect(await outcomeOf(replay(id))).toBe("deadLetterGone");
  expect(replayed()).toEqual([]);
});

test("of many persons at once on one letter one does it, the others hear that it is gone", async () => {
  for (const both of [false, true]) {
    const { id, orderId } = await bury();
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, n) => outcomeOf(both && n % 2 === 1 ? giveUp(id) : replay(id))),
    );
    expect(outcomes.sort()).toEqual([...Array(5).fill("deadLetterGone"), "done"]);
    const { list } = await call(door, "staff.handledDeadLetters", { orderId });
    expect(list).toHaveLength(1);
    if (list[0]?.decision === "replay") await eventually("it is handled", () => replayed().includes(orderId));
    else expect(replayed()).not.toContain(orderId);
  }
});

test("nobody without the right, and nobody without a session, does anything about a dead letter", async () => {
  const { id } = await bury();
  for (const role of ["viewer", "support", "finance"] as const) {
    const { login } = await enrolledPerson(staffNode, role);
    expect([role, await outcomeOf(replay(id, { session: login.session }))]).toEqual([role, "roleMissing"]);
    expect([role, await outcomeOf(giveUp(id, { session: login.session }))]).toEqual([role, "roleMissing"]);
  }
  for (const wrong of ["", "nobody", "token:", "staff:operator"])
    expect(await outcomeOf(giveUp(id, { session: wrong }))).toBe("notLoggedIn");
  expect(await dead.count()).toBe(1);
});

test("a door has nothing put back, removed or read whole by the provisioner itself", async () => {
  const { id } = await bury();
  const { time } = await call(door, "provisioner.deadLetter", { id });
  const refused = { type: expect.not.stringMatching(/^deadLetter/) };
  await expect(call(door, "provisioner.replayDeadLetter", { id, time, keyIsBack: true })).rejects.toMatchObject(
    refused,
  );
  await expect(call(door, "provisioner.removeDeadLetter", { id, time })).rejects.toMatchObject(refused);
  await expect(call(door, "provisioner.wholeDeadLetter", { id })).rejects.toMatchObject(refused);
  expect(await dead.count()).toBe(1);
});

test("a forged letter can only be given up; one with an unknown key is replayed once its key is back", async () => {
  const forged = await forge({ "Dead-Forged": "wrongSignature" });
  expect(await outcomeOf(replay(forged))).toBe("deadLetterRefused");
  expect(await outcomeOf(replay(forged, { keyIsBack: true }))).toBe("deadLetterRefused");
  // A refusal leaves the letter to whoever decides next.
  expect(await outcomeOf(giveUp(forged))).toBe("done");
  const unknown = await forge({ "Dead-Forged": "unknownKey" }, '{"orderId":"unknown-1"}');
  expect(await call(door, "provisioner.deadLetter", { id: unknown })).toMatchObject({ forged: true, unknownKey: true });
  expect(await outcomeOf(replay(unknown))).toBe("deadLetterRefused");
  expect(await outcomeOf(replay(unknown, { keyIsBack: true }))).toBe("done");
  await eventually("it is handled", () => replayed().includes("unknown-1"));
});

test("a letter of an unknown key that names many orders is found by each of them after it was given up", async () => {
  const orders = ["many-1", "many-2", "many-3"];
  const body = JSON.stringify({ gifts: orders.map((orderId) => ({ orderId })) });
  const id = await forge({ "Dead-Forged": "unknownKey" }, body);
  expect(await giveUp(id)).toMatchObject({ orderId: null, forged: true, unknownKey: true });
  for (const orderId of orders)
    expect(await call(door, "staff.handledDeadLetters", { orderId })).toMatchObject({
      list: [{ id, unknownKey: true }],
    });
  const noted = await books.query("SELECT action FROM t_operator_audit WHERE params LIKE ?", [`%"id":${id},%`]);
  expect(noted).toContainEqual({ action: "staff.giveUpDeadLetter" });
});

test("a letter that names another origin than its consumer reads, or was cut, or is too large to be kept, is refused", async () => {
  const elsewhere = await forge({ "Dead-Subject": `${natsPrefix()}event.account.frozen`, "Dead-Stream": "EVENTS" });
  expect(await outcomeOf(replay(elsewhere))).toBe("deadLetterRefused");
  const cut = await forge({ "Dead-Cut": "900000" });
  expect(await outcomeOf(replay(cut))).toBe("deadLetterRefused");
  const large = await forge({}, `"${"x".repeat(limits.jetstream.deadLetterKeptBytes)}"`);
  expect(await outcomeOf(giveUp(large))).toBe("deadLetterRefused");
  expect(await dead.count()).toBe(3);
  expect(replayed()).toEqual([]);
});

/** What the provisioner's action does instead, once. */
function once(action: "replay" | "remove", instead: (real: () => Promise<boolean>) => Promise<boolean>): void {
  const letters = (keeper.getLocalService("provisioner") as unknown as { dead: DeadLetters }).dead;
  const real = letters[action].bind(letters) as (...given: unknown[]) => Promise<boolean>;
  jest.spyOn(letters, action).mockImplementationOnce((...given: unknown[]) => instead(() => real(...given)));
}

describe("where the answer is lost", () => {
  const unavailable = () => fail("unavailable", { cause: "the test" });

  test("of a replay that was done, the same again says done, and the message is handled once", async () => {
    const { id, orderId } = await bury();
    once("replay", async (real) => {
      await real();
      throw unavailable();
    });
    expect(await outcomeOf(replay(id))).toBe("unavailable");
    // Nobody may give up what may be back.
    expect(await outcomeOf(giveUp(id))).toBe("deadLetterGone");
    expect(await outcomeOf(replay(id))).toBe("done");
    await eventually("it is handled", () => replayed().includes(orderId));
    expect(replayed()).toEqual([orderId]);
    expect(await outcomeOf(replay(id))).toBe("deadLetterGone");
  });

  test("of a replay whose node died before the letter was removed, it is not given up but replayed, and handled once", async () => {
    const { id, orderId } = await bury();
    once("remove", async () => {
      throw unavailable();
    });
    expect(await outcomeOf(replay(id))).toBe("unavailable");
    await eventually("it is handled", () => replayed().includes(orderId));
    expect(await dead.count()).toBe(1);
    expect(await outcomeOf(giveUp(id))).toBe("deadLetterRefused");
    expect(await outcomeOf(replay(id))).toBe("done");
    expect(await dead.count()).toBe(0);
    const marker = await bury();
    expect(await outcomeOf(replay(marker.id))).toBe("done");
    await eventually("a later one is handled", () => replayed().includes(marker.orderId));
    expect(replayed()).toEqual([orderId, marker.orderId]);
  });

  test("of a letter that was given up, the same again says done", async () => {
    const { id, orderId } = await bury();
    once("remove", async (real) => {
      await real();
      throw unavailable();
    });
    expect(await outcomeOf(giveUp(id))).toBe("unavailable");
    expect(await call(door, "staff.handledDeadLetters", { orderId })).toMatchObject({ list: [{ state: "begun" }] });
    expect(await giveUp(id)).toMatchObject({ state: "done", orderId });
    expect(replayed()).toEqual([]);
  });

  test("of a letter that was to be given up, it is not replayed, and its bytes are kept when it is removed later", async () => {
    const { id, orderId } = await bury();
    once("remove", async () => {
      throw unavailable();
    });
    expect(await outcomeOf(giveUp(id))).toBe("unavailable");
    // The removal may still take effect: who replayed it would lose it.
    expect(await outcomeOf(replay(id))).toBe("deadLetterRefused");
    // It takes effect while somebody gives it up again.
    once("remove", async (real) => {
      await real();
      return real();
    });
    const done = await giveUp(id);
    expect(done).toMatchObject({ state: "done", decision: "giveUp", body: `{"orderId":"${orderId}"}` });
    expect(await dead.count()).toBe(0);
    expect(replayed()).toEqual([]);
  });

  test("of a replay with a key that is back, a refusal without it does not have the letter given up", async () => {
    const id = await forge({ "Dead-Forged": "unknownKey" }, '{"orderId":"unknown-2"}');
    once("remove", async () => {
      throw unavailable();
    });
    expect(await outcomeOf(replay(id, { keyIsBack: true }))).toBe("unavailable");
    await eventually("it is handled", () => replayed().includes("unknown-2"));
    expect(await outcomeOf(replay(id))).toBe("deadLetterRefused");
    expect(await outcomeOf(giveUp(id))).toBe("deadLetterRefused");
    expect(await outcomeOf(replay(id, { keyIsBack: true }))).toBe("done");
    expect(await dead.count()).toBe(0);
  });
});

test("a person whose time is over does not free a letter on which another has begun since", async () => {
  const { id, orderId } = await bury();
  const waiting = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  once("remove", async () => {
    reached.resolve();
    await waiting.promise;
    return false;
  });
  const late = outcomeOf(giveUp(id));
  await reached.promise;
  await books.run("UPDATE t_staff_dead_letter SET lease_until = UTC_TIMESTAMP(3) WHERE order_id = ?", [orderId]);
  once("remove", async () => {
    throw fail("unavailable", { cause: "the test" });
  });
  expect(await outcomeOf(giveUp(id))).toBe("unavailable");
  waiting.resolve();
  expect(await late).toBe("deadLetterGone");
  expect(await outcomeOf(replay(id))).toBe("deadLetterRefused");
  expect(await outcomeOf(giveUp(id))).toBe("done");
});

test("while the provisioner is away nothing is decided, and it is done when it is back", async () => {
  const { id } = await bury();
  const letters = (keeper.getLocalService("provisioner") as unknown as { dead: DeadLetters }).dead;
  const gone = jest.spyOn(letters, "find").mockRejectedValue(fail("unavailable"));
  expect(await outcomeOf(replay(id))).toBe("unavailable");
  gone.mockRestore();
  expect(await outcomeOf(giveUp(id))).toBe("done");
});
