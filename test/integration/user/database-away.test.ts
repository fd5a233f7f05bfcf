import type { ServiceBroker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { call } from "../../../services/contracts.ts";
import user from "../../../services/user/user.service.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

const phone = "13812345678";
/** The codes that have reached the phone. */
const arrived: string[] = [];
const fakeNotification = {
  name: "notification",
  actions: {
    sendLoginCode(ctx: { params: { code: string } }) {
      arrived.push(ctx.params.code);
      return { shownToCaller: false };
    },
  },
};

let mysql: CuttableServer;
let caller: ServiceBroker;

beforeAll(async () => {
  mysql = await cuttable(process.env.MYSQL_URL as string);
  process.env.MYSQL_URL = mysql.url;
  const node = await startNode("user", [user]);
  caller = await startNode("caller", [fakeNotification]);
  await caller.waitForServices(["user"]);
  await node.waitForServices(["notification"]);
});
afterAll(async () => {
  mysql.mend();
  await stopAll();
  await mysql.close();
});

test("while the database is away no code is sent, and another may be requested at once", async () => {
  const send = () => call(caller, "user.sendLoginCode", { phone }).then(() => "sent", failureName);
  mysql.cut();
  expect(await send()).toBe("unavailable");
  expect(arrived).toEqual([]);
  mysql.mend();
  await eventually("a code is sent", async () => (await send()) === "sent");
  expect(arrived).toHaveLength(1);
  const login = call(caller, "user.login", { phone, code: arrived[0] as string });
  expect(await login).toMatchObject({ userId: expect.any(String) });
});
