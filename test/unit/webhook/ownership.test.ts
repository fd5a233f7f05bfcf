import type { ServiceBroker } from "moleculer";
import type { Database } from "../../../mixins/mysql/database.ts";
import { Ownership } from "../../../services/webhook/ownership.ts";
import { eventually } from "../../support/eventually.ts";
import { silentLog } from "../../support/silent-log.ts";

const nodeID = "node-1";
const broker = {
  ...{ nodeID, registry: { getServiceList: () => [{ name: "webhook", nodeID }], getNodeList: () => [] } },
} as unknown as ServiceBroker;
const webhook = { id: "1", enabled: 1, events: "[]", old_secret: null };

test("what was read is given up where the leases expired before they were renewed, and at no other time", async () => {
  let clock = 0;
  jest.spyOn(performance, "now").mockImplementation(() => clock);
  const heard: string[] = [];
  let takeMs = 0;
  const mysql = {
    query: async (sql: string) => (/FROM t_webhook_lease/.test(sql) ? [{ webhook_id: "1" }] : [webhook]),
    run: async () => {
      clock += takeMs;
    },
  } as unknown as Database;
  const ownership = new Ownership({
    ...{ broker, mysql, log: silentLog, bounds: { leaseMs: 1_000, leaseEveryMs: 60_000 } },
    isBusy: () => false,
    changed: () => heard.push(ownership.holds("1") ? "held" : "not held"),
    lapsed: () => heard.push("lapsed"),
  });
  const round = async () => {
    heard.length = 0;
    ownership.wake();
    await eventually("a round", () => heard.some((one) => one !== "lapsed"));
    return [...heard];
  };
  try {
    await eventually("the first round", () => heard.includes("held"));
    clock += 900;
    expect(await round()).toEqual(["held"]);
    clock += 1_001;
    expect(await round()).toEqual(["lapsed", "held"]);
    // The database answered late: perhaps another node had them meanwhile.
    takeMs = 1_001;
    expect(await round()).toEqual(["lapsed", "not held"]);
  } finally {
    await ownership.stop();
    jest.restoreAllMocks();
  }
});
