import type { ServiceBroker } from "moleculer";
import { call } from "../../../services/contracts.ts";
import { orderStates } from "../../../services/platform/money/order-state.ts";
import { expectBooksBalanced } from "../../support/books.ts";
import type { Gate } from "../../support/gated-server.ts";
import { type GatedServers, gatedServers, NodeProcess } from "../../support/node-process.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { expectOrdersAndLedgersAgree } from "../../support/whole-books.ts";
import { change, newKey, newUser, stateOf, tradesOf } from "./money-books.ts";

/**
 * Platform and wallet as processes of their own, stopped at a step of an order's way by the server that the step is about,
 * killed there with SIGKILL, and followed by a fresh process.
 */

jest.setTimeout(90_000);

type Service = "platform" | "wallet";
let servers: Record<Service, GatedServers>;
const processes: Partial<Record<Service, NodeProcess>> = {};
let caller: ServiceBroker;
let apiKey: string;

beforeAll(async () => {
  servers = { platform: await gatedServers(), wallet: await gatedServers() };
  caller = await startNode("caller", []);
  await Promise.all([fresh("platform"), fresh("wallet")]);
  apiKey = await newKey(caller);
});
afterAll(async () => {
  try {
    await expectBooksBalanced();
    await expectOrdersAndLedgersAgree();
  } finally {
    // Also where a test failed: no process outlives its file.
    await Promise.all([processes.platform?.stop(), processes.wallet?.stop()]);
    await stopAll();
    await Promise.all([servers.platform.close(), servers.wallet.close()]);
  }
});

async function fresh(service: Service): Promise<void> {
  const started = await NodeProcess.start(service, servers[service]);
  processes[service] = started;
  await waitForNode(caller, service, started.nodeId);
}

async function replace(service: Service): Promise<void> {
  await processes[service]?.kill();
  // Nobody gives the dead node's lease back: as if it had run out by now, and the order's pause too.
  if (service === "platform") await change("platform", "UPDATE t_lease SET until_time = UTC_TIMESTAMP(3)");
  await fresh(service);
  await change("platform", "UPDATE t_money_state SET next_try_time = UTC_TIMESTAMP(3) WHERE state = 1");
}

interface Placed {
  readonly userId: string;
  readonly externalOrderId: string;
}
let next = 0;
const newOrder = (): Placed => ({ userId: newUser(), externalOrderId: `killed-${next++}` });
const credit = (order: Placed) =>
  call(caller, "platform.credit", { apiKey, coins: 300, ...order }, { nodeID: processes.platform?.nodeId });
const stands = ({ externalOrderId }: Placed) => stateOf("credit", externalOrderId);

/** Stops the process at the gate, kills it, and starts another one. Returns what the books said where it stood. */
async function killAt(service: Service, on: "mysql" | "nats", gate: Gate, order: Placed) {
  const standing = servers[service][on].standsAt(gate);
  const answer = credit(order).catch((error: unknown) => error);
  await standing;
  const books = { state: await stands(order), trades: await tradesOf(order.userId) };
  await replace(service);
  return { books, answer };
}

const inserted = ({ externalOrderId }: Placed) => [new RegExp(`INTO t_money_order [^;]*${externalOrderId}`), /COMMIT/];
const charged = ({ externalOrderId }: Placed) => [
  new RegExp(`INTO t_qiyu_currency_trade [^;]*${externalOrderId}`),
  /COMMIT/,
];
const credited = [[1, 300]];
const { pending, done } = orderStates;

/** The order is carried out although nobody asks again, and then a repeat gets its outcome. */
async function expectCarriedOut(order: Placed): Promise<void> {
  await eventually("it is carried out", async () => (await stands(order)) === done, 30_000);
  expect(await tradesOf(order.userId)).toEqual(credited);
  expect(await credit(order)).toEqual({ userId: order.userId, balanceAfter: 300 });
  expect(await tradesOf(order.userId)).toEqual(credited);
}

test("platform killed before the order is committed: nothing moved, and a repeat orders it once", async () => {
  const order = newOrder();
  const { books } = await killAt("platform", "mysql", { sends: inserted(order), keepBack: "request" }, order);
  expect(books).toEqual({ state: undefined, trades: [] });
  expect(await credit(order)).toEqual({ userId: order.userId, balanceAfter: 300 });
  expect(await tradesOf(order.userId)).toEqual(credited);
});

test.each<[step: string, on: "mysql" | "nats", gate: (order: Placed) => Gate, trades: number[][]]>([
  [
    "the order is committed and the node does not know",
    "mysql",
    (o) => ({ sends: inserted(o), keepBack: "answer" }),
    [],
  ],
  ["the wallet has not heard of it", "nats", () => ({ sends: [/platformOrder/], keepBack: "request" }), []],
  [
    "the wallet has carried it out and the outcome is not stored",
    "mysql",
    () => ({ sends: [/UPDATE t_money_state SET state = 2/], keepBack: "request" }),
    credited,
  ],
])(
  "platform killed where %s: it is carried out once, also where nobody repeats it",
  async (_step, on, gate, trades) => {
    const order = newOrder();
    const { books } = await killAt("platform", on, gate(order), order);
    expect(books).toEqual({ state: pending, trades });
    await expectCarriedOut(order);
  },
);

test.each<[step: string, keepBack: Gate["keepBack"], trades: number[][]]>([
  ["nothing is committed", "request", []],
  ["it is committed and the node does not know", "answer", credited],
])("wallet killed where %s: the order is carried out once", async (_step, keepBack, trades) => {
  const order = newOrder();
  const { books } = await killAt("wallet", "mysql", { sends: charged(order), keepBack }, order);
  expect(books).toEqual({ state: pending, trades });
  await expectCarriedOut(order);
});
