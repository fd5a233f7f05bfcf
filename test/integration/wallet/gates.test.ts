import type { ServiceBroker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { idleTransaction } from "../../../mixins/mysql/session-settings.ts";
import { call } from "../../../services/contracts.ts";
import { planMove } from "../../../services/wallet/buckets/bucket-store.ts";
import { recharge } from "../../support/recharge.ts";
import { addSecondServer, rowsAt, type SecondServer, usersOf } from "../../support/second-server.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";
import { giftOf, settle, startWallet, walletOn } from "./traffic.ts";

/** The repair of a bucket's gates that somebody, or a restore, has made other than the map says. */

jest.setTimeout(180_000);
// A call must outlast the server's lock wait of five seconds and a second attempt, on a busy machine too.
process.env.CALL_TIMEOUT_MS = "20000";

let both: SecondServer;
let caller: ServiceBroker;
let node: ServiceBroker;
const operator = "tests";

beforeAll(async () => {
  both = await addSecondServer();
  node = await startWallet("wallet-1");
  caller = await startNode("caller", []);
  await waitForNode(caller, "wallet", node.nodeID);
});
afterAll(async () => {
  await stopAll();
  await both?.close();
});
afterEach(() => {
  both.wire.mend();
  walletOn(node).moveBreakpoint = undefined;
});

type Server = "home" | "b";

async function movesDone(): Promise<boolean> {
  return (await call(caller, "wallet.buckets", {})).moves.every(({ state }) => state === "done");
}

const plan = (bucket: number, server: Server) => call(caller, "wallet.moveBucket", { bucket, server, operator });

async function moved(bucket: number, server: Server): Promise<void> {
  expect(await plan(bucket, server)).toEqual({ planned: true });
  await eventually(`bucket ${bucket} is at ${server}`, movesDone, 30_000);
}

const repair = (bucket: number, over: { closeOnly?: boolean; dryRun?: boolean } = {}) =>
  call(caller, "wallet.repairGates", { bucket, closeOnly: false, dryRun: false, operator, ...over });

/** What it did, by server. */
async function repaired(bucket: number, over: { closeOnly?: boolean; dryRun?: boolean } = {}) {
  const { servers } = await repair(bucket, over);
  return Object.fromEntries(servers.map(({ name, outcome }) => [name, outcome]));
}

/** Somebody changes a gate by hand. */
const setGate = (server: Server, bucket: number, isOpen: boolean, revision: number) =>
  rowsAt(
    ...([both.urls[server], "wallet", "UPDATE t_wallet_gate SET is_open = ?, revision = ? WHERE bucket = ?"] as const),
    [isOpen ? 1 : 0, revision, bucket],
  );

async function gate(server: Server, bucket: number): Promise<string> {
  const sql = "SELECT is_open, revision FROM t_wallet_gate WHERE bucket = ?";
  const [row] = await rowsAt<{ is_open: number; revision: number }>(both.urls[server], "wallet", sql, [bucket]);
  return row ? `${Number(row.is_open) === 1 ? "open" : "closed"} at ${row.revision}` : "missing";
}

const gates = async (bucket: number) => [await gate("home", bucket), await gate("b", bucket)];

async function mapOf(bucket: number) {
  const sql = "SELECT server, revision FROM t_wallet_bucket WHERE bucket = ?";
  const [row] = await rowsAt<{ server: string; revision: number }>(both.urls.home, "wallet", sql, [bucket]);
  return `${row?.server} ${row?.revision}`;
}

/** A new bucket at b, revision 1, with a user of 100 coins. */
let bucketsUsed = 0;
async function bucketAtB(): Promise<{ bucket: number; user: string }> {
  const bucket = ++bucketsUsed;
  const [user] = usersOf(bucket, 1) as [string];
  await recharge(caller, `r-${user}`, user, 100);
  await moved(bucket, "b");
  expect(await gates(bucket)).toEqual(["closed at 0", "open at 1"]);
  return { bucket, user };
}

/** The bucket works: its users are served, and it moves to and fro. */
async function expectWorking(bucket: number, user: string, coins = 100): Promise<void> {
  for (const [spent, server] of ["b", "home", "b"].entries()) {
    if (spent > 0) await moved(bucket, server as Server);
    const balanceAfter = coins - spent - 1;
    expect((await settle(caller, [giftOf(user, { price: 1 })]))[0]).toMatchObject({
      ...{ status: "succeeded", server, balanceAfter },
    });
  }
}

describe("the repair of a bucket's gates", () => {
  test("changes nothing where they are what the map says, and is an operator's call in the audit", async () => {
    const { bucket, user } = await bucketAtB();
    expect(await repair(bucket)).toMatchObject({
      servers: [
        { name: "b", gate: { isOpen: true, revision: 1 }, outcome: "right", users: [] },
        { name: "home", gate: { isOpen: false, revision: 0 }, outcome: "right", users: [], isCut: false },
      ],
      revision: 1,
    });
    expect(await gates(bucket)).toEqual(["closed at 0", "open at 1"]);
    const sql = "SELECT operator, outcome FROM t_operator_audit WHERE action = 'wallet.repairGates' ORDER BY id";
    expect(await rowsAt(both.urls.home, "wallet", sql)).toEqual([
      { operator, outcome: "started" },
      { operator, outcome: "succeeded" },
    ]);
    await expectWorking(bucket, user);
  });

  test("openTwice: closes the gate that the map does not name, and the other one stays as it is", async () => {
    const { bucket, user } = await bucketAtB();
    await setGate("home", bucket, true, 0);
    expect(await repaired(bucket, { dryRun: true })).toEqual({ b: "right", home: "toClose" });
    expect(await gates(bucket)).toEqual(["open at 0", "open at 1"]);
    expect(await repaired(bucket)).toEqual({ b: "right", home: "closed" });
    expect(await gates(bucket)).toEqual(["closed at 0", "open at 1"]);
    expect(await repaired(bucket)).toEqual({ b: "right", home: "right" });
    await expectWorking(bucket, user);
  });

  test("openElsewhere: closes there first, and opens the map's gate where it is asked to", async () => {
    const { bucket, user } = await bucketAtB();
    await setGate("home", bucket, true, 0);
    await setGate("b", bucket, false, 1);
    expect(await repaired(bucket, { closeOnly: true })).toEqual({ b: "toOpen", home: "closed" });
    expect(await gates(bucket)).toEqual(["closed at 0", "closed at 1"]);
    expect(await repaired(bucket)).toEqual({ b: "opened", home: "right" });
    expect([await gates(bucket), await mapOf(bucket)]).toEqual([["closed at 0", "open at 2"], "b 2"]);
    await expectWorking(bucket, user);
  });

  test("closed: opens the map's gate at a new revision, also where the row is missing", async () => {
    for (const isMissing of [false, true]) {
      const { bucket, user } = await bucketAtB();
      if (isMissing) await rowsAt(both.urls.b, "wallet", "DELETE FROM t_wallet_gate WHERE bucket = ?", [bucket]);
      else await setGate("b", bucket, false, 0);
      expect(await repaired(bucket)).toEqual({ b: "opened", home: "right" });
      expect([await gate("b", bucket), await mapOf(bucket)]).toEqual(["open at 2", "b 2"]);
      await expectWorking(bucket, user);
    }
  });

  test("a bucket that never moved is opened at home, and moves from there", async () => {
    const bucket = ++bucketsUsed;
    const [user] = usersOf(bucket, 1) as [string];
    await setGate("home", bucket, false, 0);
    expect(await repaired(bucket)).toEqual({ home: "opened", b: "right" });
    expect([await gate("home", bucket), await mapOf(bucket)]).toEqual(["open at 1", "home 1"]);
    await recharge(caller, `r-${user}`, user, 100);
    await moved(bucket, "b");
    await expectWorking(bucket, user);
  });

  test("revision: map and gate get one that neither had, and a move that was planned by the old map is refused", async () => {
    const { bucket, user } = await bucketAtB();
    await setGate("b", bucket, true, 5);
    expect(await repaired(bucket)).toEqual({ b: "opened", home: "right" });
    expect([await gate("b", bucket), await mapOf(bucket)]).toEqual(["open at 6", "b 6"]);
    const late = { bucket, source: "b", target: "home", revision: 2 };
    expect(await planMove(walletOn(node).mysql, late, operator)).toBe(false);
    await expectWorking(bucket, user);
  });

  test("a gate elsewhere that is newer than the map does not keep later moves from opening it", async () => {
    const { bucket, user } = await bucketAtB();
    await setGate("home", bucket, true, 9);
    expect(await repaired(bucket)).toEqual({ b: "opened", home: "closed" });
    expect(await gates(bucket)).toEqual(["closed at 9", "open at 10"]);
    await expectWorking(bucket, user);
  });

  test("names users with coins or new rows where they are not, whom moves to that server and back bring together", async () => {
    const { bucket, user } = await bucketAtB();
    const [rich, poor] = usersOf(bucket, 2) as [string, string];
    // The map is wrong for a moment, so the node writes at home.
    const setMap = async (server: Server, revision: number) => {
      const sql = "UPDATE t_wallet_bucket SET server = ?, revision = ? WHERE bucket = ?";
      await rowsAt(both.urls.home, "wallet", sql, [server, revision, bucket]);
      // The node reads it.
      await call(caller, "wallet.buckets", {});
    };
    await setMap("home", 0);
    await setGate("home", bucket, true, 0);
    await recharge(caller, `stray-${user}`, user, 11);
    await recharge(caller, `stray-${rich}`, rich, 7);
    await recharge(caller, `stray-${poor}`, poor, 5);
    await settle(caller, [giftOf(poor, { price: 5 })]);
    await setMap("b", 1);
    const { servers } = await repair(bucket, { closeOnly: true });
    const home = servers.find(({ name }) => name === "home");
    expect(home).toMatchObject({ outcome: "closed", isCut: false });
    expect([...(home?.users ?? [])].sort()).toEqual([user, rich, poor].sort());
    expect(servers.find(({ name }) => name === "b")?.users).toEqual([]);
    await moved(bucket, "home");
    await moved(bucket, "b");
    for (const [who, balance] of [...[[user, 111] as const, [rich, 7] as const, [poor, 0] as const]])
      expect(await call(caller, "wallet.balance", { userId: who })).toMatchObject({ balance });
    expect((await repair(bucket)).servers.flatMap(({ users }) => users)).toEqual([]);
    await expectWorking(bucket, user, 111);
  });

  test("is refused while the bucket moves, and changes nothing then", async () => {
    const { bucket, user } = await bucketAtB();
    const isThere = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    walletOn(node).moveBreakpoint = async (step) => {
      if (step !== "closed") return;
      isThere.resolve();
      await goOn.promise;
    };
    expect(await plan(bucket, "home")).toEqual({ planned: true });
    await isThere.promise;
    try {
      const error = await repair(bucket).catch((one: unknown) => one);
      expect(failureName(error)).toBe("unavailable");
      expect(error).toMatchObject({ data: { cause: `bucket ${bucket} is on its way to home, planned` } });
      expect(await gates(bucket)).toEqual(["closed at 0", "closed at 1"]);
    } finally {
      goOn.resolve();
    }
    await eventually("the move is done", movesDone, 30_000);
    await moved(bucket, "b");
    await expectWorking(bucket, user);
  });

  test("waits for a transaction that holds the gate, and says so where it is held for too long", async () => {
    const { bucket, user } = await bucketAtB();
    await setGate("home", bucket, true, 0);
    const hold = () => {
      const [isHeld, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const held = walletOn(node).mysql.transaction(async (tx) => {
        // It says nothing for as long as the machine takes.
        await tx.query(idleTransaction(0));
        await tx.query("SELECT bucket FROM t_wallet_gate WHERE bucket = ? LOCK IN SHARE MODE", [bucket]);
        isHeld.resolve();
        await release.promise;
      });
      return { isHeld: isHeld.promise, held, release: release.resolve };
    };
    const first = hold();
    await first.isHeld;
    const { servers } = await repair(bucket);
    expect(servers.find(({ name }) => name === "home")).toMatchObject({
      ...{ outcome: "failed", why: expect.stringContaining("was held") },
    });
    expect(await gate("home", bucket)).toBe("open at 0");
    const waiting = repaired(bucket);
    first.release();
    await first.held;
    expect(await waiting).toEqual({ b: "right", home: "closed" });
    await expectWorking(bucket, user);
  });

  test("closes what it can while a server is away, and opens the map's gate once all answer", async () => {
    const bucket = ++bucketsUsed;
    const [user] = usersOf(bucket, 1) as [string];
    await setGate("home", bucket, false, 0);
    const isPresent = (expected: boolean) => () => walletOn(node).servers.named("b").presence?.isPresent === expected;
    both.wire.cut();
    await eventually("b is away", isPresent(false), 30_000);
    expect(await repaired(bucket)).toEqual({ home: "toOpen", b: "failed" });
    expect(await gate("home", bucket)).toBe("closed at 0");
    const sql = "SELECT outcome FROM t_operator_audit WHERE action = 'wallet.repairGates' ORDER BY id DESC LIMIT 1";
    expect(await rowsAt(both.urls.home, "wallet", sql)).toEqual([{ outcome: "partlyFailed" }]);
    both.wire.mend();
    await eventually("b is back", isPresent(true), 30_000);
    expect(await repaired(bucket)).toEqual({ home: "opened", b: "right" });
    await recharge(caller, `r-${user}`, user, 100);
    await moved(bucket, "b");
    await expectWorking(bucket, user);
  });

  test("goes on where one ended between map and gate", async () => {
    const { bucket, user } = await bucketAtB();
    await setGate("b", bucket, false, 1);
    // As a node that ended right after it had raised the map's revision.
    await rowsAt(both.urls.home, "wallet", "UPDATE t_wallet_bucket SET revision = 2 WHERE bucket = ?", [bucket]);
    const twice = await Promise.all([repair(bucket), repair(bucket)].map((one) => one.catch(failureName)));
    expect(twice.some((one) => typeof one === "object")).toBe(true);
    const [, at] = (await gate("b", bucket)).split(" at ");
    expect([await gate("b", bucket), await mapOf(bucket)]).toEqual([`open at ${at}`, `b ${at}`]);
    expect(await repaired(bucket)).toEqual({ b: "right", home: "right" });
    await expectWorking(bucket, user);
  });
});

test.each<[string, (bucket: number) => Promise<unknown>]>([
  ["its source's is behind the map, as after half a repair", (bucket) => setGate("b", bucket, true, 0)],
  ["its target's is ahead of the map, as after a restore", (bucket) => setGate("home", bucket, false, 7)],
])("a bucket is not moved where the gate of %s; once it is repaired it is", async (_what, change) => {
  const { bucket, user } = await bucketAtB();
  await change(bucket);
  const refused = await plan(bucket, "home").catch((error: unknown) => error);
  expect([failureName(refused), String(JSON.stringify(refused))]).toEqual([
    "unavailable",
    expect.stringContaining(`npm run buckets -- repair ${bucket}`),
  ]);
  expect(await movesDone()).toBe(true);
  await repair(bucket);
  await expectWorking(bucket, user);
});
