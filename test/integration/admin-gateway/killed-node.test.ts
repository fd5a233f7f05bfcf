import type { ServiceBroker } from "moleculer";
import type { AuditedStaffCall } from "../../../services/staff/staff.contract.ts";
import staff from "../../../services/staff/staff.service.ts";
import { NodeProcess } from "../../support/node-process.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../../support/system.ts";
import { answers, calls, forget, neighbourNames, send, startNeighbours } from "../api-gateway/neighbours.ts";
import { startAdminGateway } from "./admin-node.ts";

/** The listener with the staff service itself. One node of the listener is a process of its own, which is killed. */

jest.setTimeout(60_000);

let base = "";
let broker: ServiceBroker;
let staffNode: ServiceBroker;
let doomed: NodeProcess | undefined;

beforeAll(async () => {
  staffNode = await startNode("staff", [staff]);
  const neighbours = await startNeighbours(neighbourNames.filter((name) => name !== "staff"));
  await staffNode.waitForServices(["wallet"], 10_000);
  ({ broker, base } = await startAdminGateway());
  doomed = await NodeProcess.start("admin-gateway", {
    nats: { url: process.env.NATS_URL as string },
    mysql: { url: process.env.MYSQL_URL as string },
    redis: { url: process.env.REDIS_URL as string },
  });
  await waitForNode(neighbours, "admin-gateway", doomed.nodeId);
});
beforeEach(forget);
afterAll(async () => {
  await doomed?.stop();
  await stopAll();
});

const headers = { Authorization: `Bearer ${process.env.OPERATOR_TOKEN}` };
const ask = (path: string, body: object = {}, at = base) => send(`${at}/live/admin/${path}`, { headers, body });
const auditOf = async (userId: string) =>
  (
    (await ask("audit/list", { about: userId, route: "/live/admin/account/freeze" })).data as {
      list: AuditedStaffCall[];
    }
  ).list;

test("a call's row and its outcome are in the audit of the staff service", async () => {
  expect((await ask("account/freeze", { userId: "77", reason: "fraud, tel. 13812345678" })).code).toBe(200);
  expect(calls).toMatchObject([{ action: "wallet.freeze", params: { operator: "staff:operator" } }]);
  expect(await auditOf("77")).toMatchObject([
    {
      ...{ person: "operator", role: "admin", route: "/live/admin/account/freeze", outcome: "succeeded" },
      ...{ params: { userId: "77", reason: "fraud, tel. *5678" }, address: "127.0.0.1" },
    },
  ]);
});

test("a call whose node dies in the middle stays in the audit without an outcome", async () => {
  const there = `http://127.0.0.1:${doomed?.ports["admin-gateway"]}`;
  await eventually("the node lets people in", async () => (await ask("gift/all", {}, there)).status === 200);
  const going = Promise.withResolvers<void>();
  answers["wallet.freeze"] = () => {
    going.resolve();
    return new Promise<never>(() => {});
  };
  const asked = ask("account/freeze", { userId: "78", reason: "in the middle" }, there).catch(() => "no answer");
  await going.promise;
  await doomed?.kill();
  expect(await asked).toBe("no answer");
  expect(await auditOf("78")).toMatchObject([
    { route: "/live/admin/account/freeze", outcome: null, outcomeTime: null },
  ]);
});

test("while no node has the staff service nobody is let in and the listener is not ready; both heal by themselves", async () => {
  const ready = async () => (await send(`${base}/health/ready`, { method: "GET" })).status;
  await eventually("it is ready at first", async () => (await ready()) === 200);
  await stopNode(staffNode);
  await eventually("it is not ready", async () => (await ready()) === 503);
  const answer = await ask("account/freeze", { userId: "79", reason: "nobody is there" });
  expect([answer.status, answer.code]).toEqual([503, 503]);
  expect((await send(`${base}/admin/`, { method: "GET" })).status).toBe(200);
  expect(calls).toEqual([]);
  staffNode = await startNode("staff-again", [staff]);
  await waitForNode(broker, "staff", staffNode.nodeID);
  await eventually("it is ready", async () => (await ready()) === 200);
  expect((await ask("account/freeze", { userId: "79", reason: "again" })).code).toBe(200);
});
