/** Messages that are larger than NATS takes, between two nodes and into streams: a clear fault at once, never a time-out. */
import type { Context, ServiceBroker, ServiceSchema } from "moleculer";
import { connect, type NatsConnection } from "nats";
import { isUnavailable } from "../../../broker/failure.ts";
import { natsOptions } from "../../../broker/nats-options.ts";
import { databaseName, natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { DeadLetters } from "../../../mixins/jetstream/dead-letters.ts";
import { type JetStreamState, jetstreamMixin, type StreamDefinition } from "../../../mixins/jetstream.mixin.ts";
import { Database } from "../../../mixins/mysql/database.ts";
import { migrate } from "../../../mixins/mysql/migrate.ts";
import { type MysqlState, mysqlMixin } from "../../../mixins/mysql.mixin.ts";
import { type OutboxState, outboxMixin } from "../../../mixins/outbox.mixin.ts";
import { migrationFolders } from "../../../services/databases.ts";
import { defineService } from "../../../services/define-service.ts";
import { notificationActions } from "../../../services/notification/notification.contract.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

const crates: StreamDefinition = { name: "CRATES", subjects: ["crate.*"], kind: "queue" };
const maxPayload = 1024 * 1024;

/** Two actions of the table of who may call what, with parameters and answers of any size. */
const answering = {
  name: "wallet",
  actions: {
    balance: (ctx: Context<{ load: string }>) => ctx.params.load.length,
    income: (ctx: Context<{ bytes: number }>) => "x".repeat(ctx.params.bytes),
  },
} as unknown as ServiceSchema;

type State = JetStreamState & MysqlState & OutboxState;
/** A service with a stream, an outbox and a channel that cannot read what it gets. */
const storing = defineService<"notification", State>({
  name: "notification",
  contract: notificationActions,
  mixins: [mysqlMixin("user", migrationFolders.user), jetstreamMixin([crates]), outboxMixin],
  actions: { sendLoginCode: { handler: () => ({ shownToCaller: false }) } },
  channels: {
    crates: {
      stream: crates,
      durable: "crate-reader",
      batch: 10,
      batchesInFlight: 1,
      parse() {
        throw new Error("nobody can read this");
      },
      handler: async () => undefined,
    },
  },
});

let caller: ServiceBroker;
let store: State;
let nats: NatsConnection;

beforeAll(async () => {
  await migrate(databaseName("user"), migrationFolders.user);
  await startNode("wallet", [answering]);
  caller = await startNode("caller", [storing]);
  await caller.waitForServices(["wallet"]);
  store = caller.getLocalService("notification") as unknown as State;
  nats = await connect(natsOptions("test"));
});
afterAll(async () => {
  await nats.close();
  await stopAll();
});

/** What a promise rejects with, and how long that took, ms. */
async function failing(work: () => Promise<unknown>): Promise<{ error: Error & { data?: object }; ms: number }> {
  const startedAt = performance.now();
  const error = await work().then(
    (value) => new Error(`did not fail: ${JSON.stringify(value).slice(0, 100)}`),
    (failure: Error) => failure,
  );
  return { error, ms: performance.now() - startedAt };
}

const pending = () => (caller.transit as unknown as { pendingRequests: Map<string, unknown> }).pendingRequests.size;

test.each([
  ["parameters", () => caller.call("wallet.balance", { load: "x".repeat(maxPayload) })],
  ["an answer", () => caller.call("wallet.income", { bytes: maxPayload })],
])("%s beyond it fail the call at once, with the size, as nothing that is tried again", async (_what, work) => {
  const before = pending();
  const { error, ms } = await failing(work);
  expect(error).toMatchObject({ type: "messageTooLarge", data: { most: maxPayload, bytes: expect.any(Number) } });
  expect(isUnavailable(error)).toBe(false);
  expect(ms).toBeLessThan(limits.rpc.requestTimeoutMs / 2);
  expect(pending()).toBe(before);
});

test("what just fits goes both ways", async () => {
  expect(await caller.call("wallet.balance", { load: "x".repeat(maxPayload - 2_000) })).toBe(maxPayload - 2_000);
  expect(await caller.call("wallet.income", { bytes: maxPayload - 2_000 })).toHaveLength(maxPayload - 2_000);
});

test("a publication beyond it fails at once, with the size, as nothing that is tried again", async () => {
  const published = jest.spyOn(store.jetstream.connection, "publish");
  const { error, ms } = await failing(() => store.jetstream.publish("crate.a", "礼".repeat(400_000), { msgId: "big" }));
  expect(error).toMatchObject({ type: "messageTooLarge", data: { msgId: "big", bytes: 1_200_002, most: maxPayload } });
  expect(isUnavailable(error)).toBe(false);
  expect(ms).toBeLessThan(limits.rpc.requestTimeoutMs / 2);
  expect(published.mock.calls.filter(([subject]) => subject.endsWith("crate.a"))).toHaveLength(1);
  published.mockRestore();
});

test("a message that could never be published does not get into the outbox, nor what it was to be written with", async () => {
  const message = { subject: "event.test", orderKey: "k", payload: { text: "礼".repeat(limits.bus.listBytes / 3) } };
  const { error } = await failing(() =>
    store.mysql.transaction(async (tx) => {
      await store.outbox.add(tx, { ...message, payload: {}, msgId: "small" });
      await store.outbox.add(tx, { ...message, msgId: "large" });
    }),
  );
  expect(error).toMatchObject({ type: "messageTooLarge", data: { msgId: "large" } });
  const database = new Database(databaseName("user"));
  expect(await database.query("SELECT msg_id FROM t_outbox")).toEqual([]);
  await database.close();
});

test("a message that is too large to be copied into the dead letters is cut there, and leaves its queue", async () => {
  const body = "y".repeat(maxPayload - 20);
  await nats.jetstream().publish(`${natsPrefix()}crate.b`, body);
  const dead = await DeadLetters.open(nats);
  const letter = await eventually("the dead letter", async () => {
    for await (const one of dead.all()) return one;
    return undefined;
  });
  expect(letter).toMatchObject({ channel: "crate-reader", reason: expect.stringContaining("unreadable") });
  expect(letter.data.length).toBe(limits.jetstream.deadLetterCutBytes);
  await expect(dead.replay(letter.sequence, () => true)).rejects.toThrow("was cut");
  const manager = await nats.jetstreamManager();
  await eventually("nothing is left of it in the queue", async () => {
    return (await manager.streams.info(`${natsPrefix()}CRATES`)).state.messages === 0;
  });
});
