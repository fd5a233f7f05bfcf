import type { ServiceBroker, ServiceSchema } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { call } from "../../../services/contracts.ts";
import gift from "../../../services/gift/gift.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced, rows } from "../../support/books.ts";
import { holdAccounts } from "../../support/held-accounts.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

jest.setTimeout(60_000);

// A user is refused for a quarter of a minute: longer than the machine takes from the last failure to the next request.
jest.mock("../../../config/limits.ts", () => {
  const { limits } = jest.requireActual("../../../config/limits.ts");
  return { limits: { ...limits, wallet: { ...limits.wallet, failedGiftsPerMinute: 4 } } };
});

const anchor = "9000000000000000077";
const neighbours = [
  liveRooms(() => anchor),
  { name: "im-router", actions: { roomGifts: () => null } },
] as unknown as ServiceSchema[];

let caller: ServiceBroker;

beforeAll(async () => {
  await startNode("neighbours", neighbours);
  await startNode("wallet", [wallet]);
  await startNode("gift", [gift]);
  caller = await startNode("caller", []);
  await caller.waitForServices(["gift", "wallet", "living-room", "im-router"]);
});
afterAll(async () => {
  await expectBooksBalanced();
  await stopAll();
});

test("whoever lets many gifts fail for an empty purse is refused at acceptance; each accepted one ends once, with its reason", async () => {
  const [user, other] = ["9000000000000030001", "9000000000000030002"] as const;
  const { failedGiftsBurst } = limits.wallet;
  const one = (userId: string) => ({ userId, giftId: 22, roomId: 5, receiverId: anchor });
  const send = async (gifts: ReturnType<typeof one>[]) => {
    const { answers } = await call(caller, "gift.sendMany", { gifts });
    return answers.map((answer) => ("failure" in answer ? answer.failure : answer.orderId));
  };
  const price = 100;
  for (const userId of [user, other]) await recharge(caller, `order-${userId}`, userId, price);
  // All are accepted before the first one is charged.
  const held = await holdAccounts([user]);
  const accepted = await send(Array.from({ length: failedGiftsBurst + 5 }, () => one(user))).finally(() =>
    held.release(),
  );
  const outcomes = () =>
    rows<{ order_id: string; status: number }>(
      "wallet",
      "SELECT biz_id AS order_id, status FROM t_qiyu_currency_trade WHERE user_id = ? AND type = 0",
      [user],
    );
  const ledger = await eventually("all are decided", async () => {
    const found = await outcomes();
    return found.length === accepted.length ? found : undefined;
  });
  expect(ledger.map(({ order_id }) => order_id).sort()).toEqual([...accepted].sort());
  expect(ledger.filter(({ status }) => status === 0)).toHaveLength(failedGiftsBurst + 4);
  // Without coins the answer says so, as ever.
  expect(await send([one(user)])).toEqual(["balanceShort"]);
  await recharge(caller, `again-${user}`, user, 10 * price);
  expect(await send([one(user), one(user), one(other)])).toEqual([
    "tooMany",
    "tooMany",
    expect.stringMatching(/^\w{8}-/),
  ]);
  // Nothing of what was refused is in the ledger.
  expect(await outcomes()).toHaveLength(accepted.length);
  // After a pause of the rate the user may send again.
  const again = await eventually(
    "a gift is accepted",
    async () => {
      const [answer] = await send([one(user)]);
      return answer === "tooMany" ? undefined : answer;
    },
    2 * (60_000 / limits.wallet.failedGiftsPerMinute),
  );
  await eventually("it is charged", async () =>
    (await outcomes()).some(({ order_id, status }) => order_id === again && status === 1),
  );
});
