/** nats-server with a login for each role and the rights that `busPermissions` gives it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Context, ServiceBroker, type ServiceSchema } from "moleculer";
import { connect, type NatsConnection } from "nats";
import { busProblem } from "../../../broker/bus/own-subjects.ts";
import { type BusPermissions, busPermissions } from "../../../broker/bus/permissions.ts";
import { brokerOptions } from "../../../broker/options.ts";
import { config } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { healthMixin } from "../../../mixins/health.mixin.ts";
import { type Child, startChild } from "../../../scripts/children.ts";
import { claimFreePort } from "../../../scripts/stack/ports.ts";
import { findProgram } from "../../../scripts/stack/run.ts";
import { cuttable } from "../../support/cuttable-server.ts";
import { eventually, waitForNode } from "../../support/system.ts";
import { handled as handledBy, refusedBy } from "./raw-bus.ts";

const program = findProgram(["nats-server"], process.env);
const { NAMESPACE } = config();
const roles = ["api-gateway", "wallet", "gift", "im-server"];

const brokers: ServiceBroker[] = [];
let dir: string;
let port: number;
let server: Child;

/** The server's configuration: a login `<role>-bus` with the rights of each role, and those that a test changes. */
function configure(changed: Readonly<Record<string, BusPermissions>> = {}): void {
  const list = (subjects: readonly string[]) => JSON.stringify(subjects);
  const users = Object.entries({
    ...Object.fromEntries(roles.map((role) => [role, busPermissions(role, NAMESPACE)])),
    ...changed,
  }).map(
    ([role, { publish, subscribe }]) =>
      `{user: ${role}-bus, password: p, permissions: {publish: {allow: ${list(publish)}}, subscribe: {allow: ${list(subscribe)}}}}`,
  );
  writeFileSync(
    join(dir, "nats.conf"),
    `host: 127.0.0.1\nport: ${port}\nauthorization {users: [\n${users.join("\n")}\n]}\n`,
  );
}

function reload(changed?: Parameters<typeof configure>[0]): void {
  configure(changed);
  process.kill(server.pid as number, "SIGHUP");
}

const login = (role: string) => ({ servers: `127.0.0.1:${port}`, user: `${role}-bus`, pass: "p" });

/** A node of a role, with the role's login. */
function node(role: string, schema: Partial<ServiceSchema>, options: object = {}): ServiceBroker {
  const broker = new ServiceBroker({
    ...brokerOptions({ role }),
    transporter: { type: "OwnSubjects", options: { ...login(role), ...options } } as never,
  });
  broker.createService({ name: role, ...schema } as ServiceSchema);
  brokers.push(broker);
  return broker;
}

(program === undefined ? describe.skip : describe)("a login of a role", () => {
  const heard: unknown[] = [];
  let wallet: ServiceBroker;
  let gateway: ServiceBroker;
  let gift: ServiceBroker;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "bus-rights-"));
    port = await claimFreePort(24_222, new Set());
    configure();
    server = startChild({
      name: "nats-server",
      command: program as string,
      args: ["-c", join(dir, "nats.conf")],
      output: { to: () => undefined },
      ready: /Server is ready/,
    });
    await server.ready;
    const actions = { balance: () => 7, freeze: () => null };
    wallet = node("wallet", { mixins: [healthMixin as never], actions } as never);
    gateway = node("api-gateway", {});
    gift = node("gift", { events: { "wallet.account-changed": ({ params }: Context) => heard.push(params) } } as never);
    await Promise.all([wallet, gateway, gift].map((broker) => broker.start()));
    await waitForNode(gateway, "wallet", wallet.nodeID);
    await waitForNode(wallet, "gift", gift.nodeID);
  });

  afterAll(async () => {
    for (const broker of brokers.reverse()) await broker.stop();
    await server.stop(10_000);
    rmSync(dir, { recursive: true });
  });

  test("lets the node do its job: discovery, calls, health, broadcasts, pings, and its leaving is seen", async () => {
    expect(await gateway.call("wallet.balance", {})).toBe(7);
    expect(await gateway.call("wallet.health", {}, { nodeID: wallet.nodeID })).toEqual({});
    expect(await gateway.call("$node.metrics", {}, { nodeID: wallet.nodeID })).toEqual(expect.any(Array));
    await eventually("the broadcast", async () => {
      await wallet.broadcast("wallet.account-changed", { userId: "7" });
      return heard.length > 0;
    });
    expect(await gateway.ping(wallet.nodeID, 20_000)).toMatchObject({ nodeID: wallet.nodeID });
    const leaving = node("im-server", {});
    await leaving.start();
    await waitForNode(gateway, "im-server", leaving.nodeID);
    await leaving.stop();
    // Sooner than a node whose heartbeats are missing is forgotten.
    const saidMs = limits.rpc.heartbeatTimeoutS * 1_000 - 1_000;
    await eventually("it has left", () => !gateway.registry.hasService("im-server", leaving.nodeID), saidMs);
    for (const broker of [wallet, gateway, gift])
      expect([refusedBy(broker, "publication"), refusedBy(broker, "subscription")]).toEqual([0, 0]);
  });

  describe("in the hands of somebody else", () => {
    let stolen: NatsConnection;
    const refused: string[] = [];

    beforeAll(async () => {
      stolen = await connect(login("im-server"));
      void (async () => {
        for await (const { permissionContext } of stolen.status() as AsyncIterable<{
          permissionContext?: { subject: string };
        }>)
          if (permissionContext) refused.push(permissionContext.subject);
      })();
    });
    afterAll(() => stolen.close());

    test("hears nothing of other services", async () => {
      const subjects = [
        ">",
        "MOL-*.>",
        `MOL-${NAMESPACE}.>`,
        `MOL-${NAMESPACE}.REQ.>`,
        `MOL-${NAMESPACE}.*.wallet.*.>`,
      ];
      const others = [`MOL-${NAMESPACE}.RES.api-gateway.*.>`, "_INBOX.>", "$SYS.>", "$JS.>"];
      for (const subject of [...subjects, ...others]) stolen.subscribe(subject, { callback: () => undefined });
      await stolen.flush();
      await eventually("the refusals", () => refused.length >= subjects.length + others.length);
      expect(new Set(refused)).toEqual(new Set([...subjects, ...others]));
    });

    test("says nothing in another's name, and calls nothing that is not its own", async () => {
      refused.length = 0;
      const forged = [
        `REQ.${wallet.nodeID}.${gateway.nodeID}.wallet.freeze`,
        `REQ.${wallet.nodeID}.im-server.x.wallet.freeze`,
        `REQ.${wallet.nodeID}.im-server.x.$node.options`,
        `EVENT.${gift.nodeID}.${wallet.nodeID}.wallet.account-changed`,
        `EVENT.${gift.nodeID}.im-server.x.wallet.account-changed`,
        `INFO.all-nodes.all-nodes.${wallet.nodeID}`,
        "INFO.all-nodes.all-nodes.user.x",
        `DISCONNECT.all-nodes.all-nodes.${wallet.nodeID}`,
        `HEARTBEAT.all-nodes.all-nodes.${wallet.nodeID}`,
        `RES.${gateway.nodeID}.${wallet.nodeID}`,
        `PONG.${gateway.nodeID}.${wallet.nodeID}`,
      ].map((rest) => `MOL-${NAMESPACE}.${rest}`);
      const before = [wallet, gateway, gift].map((broker) => refusedBy(broker, "sender"));
      for (const subject of forged) stolen.publish(subject, "{}");
      // Stock Moleculer's.
      stolen.publish(`MOL-${NAMESPACE}.REQ.${wallet.nodeID}`, "{}");
      stolen.publish(`MOL-${NAMESPACE}.DISCONNECT`, "{}");
      await stolen.flush();
      await eventually("the refusals", () => refused.length >= forged.length + 2);
      expect(refused.slice(0, forged.length)).toEqual(forged);
      // The nodes saw none of it.
      expect([wallet, gateway, gift].map((broker) => refusedBy(broker, "sender"))).toEqual(before);
      expect(await gateway.call("wallet.balance", {})).toBe(7);
    });
  });

  test("without the right to speak: the node logs and counts what the server refuses", async () => {
    const { publish, subscribe } = busPermissions("wallet", NAMESPACE);
    const before = refusedBy(wallet, "publication");
    reload({ wallet: { publish: publish.filter((subject) => !subject.includes(".RES.")), subscribe } });
    try {
      await eventually("an answer is refused", async () => {
        await gateway.call("wallet.balance", {}, { timeout: 200 }).catch(() => undefined);
        return refusedBy(wallet, "publication") > before;
      });
    } finally {
      reload();
    }
    await eventually("answers again", () =>
      gateway.call("wallet.balance", {}, { timeout: 200 }).catch(() => undefined),
    );
  });

  test("that loses the right to hear says so in its health, and hears again once it has it", async () => {
    const { publish } = busPermissions("wallet", NAMESPACE);
    reload({ wallet: { publish, subscribe: ["_INBOX.>"] } });
    try {
      await eventually("the refusal", () => busProblem(wallet));
      expect(await wallet.call("wallet.health")).toEqual({ bus: expect.stringContaining("refuses the subscription") });
      await expect(gateway.call("wallet.balance", {}, { timeout: 200 })).rejects.toMatchObject({
        type: "REQUEST_TIMEOUT",
      });
    } finally {
      reload();
    }
    await eventually("it hears", () => busProblem(wallet) === undefined);
    expect(await gateway.call("wallet.balance", {})).toBe(7);
  });

  test("without the right to hear: the node does not start before it has it", async () => {
    const { publish } = busPermissions("im-server", NAMESPACE);
    reload({ "im-server": { publish, subscribe: ["_INBOX.>"] } });
    const late = node("im-server", {});
    let hasStarted = false;
    const starting = late.start().then(() => (hasStarted = true));
    try {
      await eventually("the refusal", () => refusedBy(late, "subscription") > 0);
      expect(hasStarted).toBe(false);
    } finally {
      reload();
    }
    await starting;
    await waitForNode(gateway, "im-server", late.nodeID);
  });

  test("whose subscription is refused while the connection breaks: the node starts, and hears each call once", async () => {
    const { publish, subscribe } = busPermissions("im-server", NAMESPACE);
    const wire = await cuttable(`nats://127.0.0.1:${port}`);
    let handled = 0;
    reload({ "im-server": { publish, subscribe: ["_INBOX.>"] } });
    const late = node("im-server", { actions: { health: () => ++handled } } as never, {
      servers: new URL(wire.url).host,
      reconnectTimeWait: 100,
    });
    try {
      const starting = late.start();
      await eventually("the refusal", () => refusedBy(late, "subscription") > 0);
      wire.cut();
      const { made } = wire;
      // Longer than `limits.bus.subscribeAgainMs`: the node subscribes meanwhile.
      await eventually("tries to connect", () => wire.made >= made + 20);
      reload({ "im-server": { publish, subscribe } });
      wire.mend();
      await starting;
      await waitForNode(gateway, "im-server", late.nodeID);
      for (const call of [1, 2, 3]) {
        expect(await gateway.call("im-server.health", {}, { nodeID: late.nodeID })).toBe(call);
        await handledBy(gateway, late);
      }
      expect(handled).toBe(3);
    } finally {
      reload();
      await late.stop();
      await wire.close();
    }
  });
});
