import type { ServiceBroker, ServiceSchema } from "moleculer";
import { call } from "../../../services/contracts.ts";
import gift from "../../../services/gift/gift.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced } from "../../support/books.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { liveRooms } from "../../support/live-rooms.ts";
import { recharge } from "../../support/recharge.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

const perSecond = 4;
const anchor = "9000000000000000077";
const neighbours = [
  liveRooms(() => anchor),
  { name: "im-router", actions: { roomGifts: () => null } },
] as unknown as ServiceSchema[];

let redis: CuttableServer;
let caller: ServiceBroker;

beforeAll(async () => {
  redis = await cuttable(process.env.REDIS_URL as string);
  // The settings are read when the first node starts.
  Object.assign(process.env, { REDIS_URL: redis.url, GIFTS_PER_USER_PER_SECOND: String(perSecond) });
  await startNode("neighbours", neighbours);
  await startNode("wallet", [wallet]);
  await startNode("gift", [gift]);
  caller = await startNode("caller", []);
  await caller.waitForServices(["gift", "wallet", "living-room", "im-router"]);
});
afterAll(async () => {
  redis.mend();
  await expectBooksBalanced();
  await stopAll();
  await redis.close();
});

test("refused gifts count: after them a good one is refused as too many, whichever of its parts was unknown", async () => {
  const user = "9000000000000020003";
  await recharge(caller, `order-${user}`, user, 1_000);
  const good = { userId: user, giftId: 24, roomId: 5, receiverId: anchor };
  const refused = [{ giftId: 901 }, { giftId: 902 }, { receiverId: user }, { giftId: 903, requestId: "click-0901" }];
  expect(refused).toHaveLength(perSecond);
  const gifts = [...refused.map((over) => ({ ...good, ...over })), good, { ...good, giftId: 904 }];
  const { answers } = await call(caller, "gift.sendMany", { gifts });
  expect(answers.map((answer) => "failure" in answer && answer.failure)).toEqual([
    ...["giftUnknown", "giftUnknown", "giftToSelf", "giftUnknown", "tooMany", "tooMany"],
  ]);
});

test("a user's gifts beyond GIFTS_PER_USER_PER_SECOND are refused as too many, without Redis too; repeats and other users' are not", async () => {
  const [user, other] = ["9000000000000020001", "9000000000000020002"] as const;
  for (const userId of [user, other]) await recharge(caller, `order-${userId}`, userId, 1_000);
  redis.cut();
  const one = (userId: string, n: number) => ({
    ...{ userId, giftId: 24, roomId: 5, receiverId: anchor, requestId: `click-${String(n).padStart(4, "0")}` },
  });
  const numbers = Array.from({ length: perSecond + 3 }, (_, n) => n);
  const gifts = [...numbers.map((n) => one(user, n)), ...numbers.map(() => one(user, 0)), one(other, 0)];
  const { answers } = await call(caller, "gift.sendMany", { gifts });
  const failures = answers.map((answer) => ("failure" in answer ? answer.failure : ""));
  expect(failures.slice(0, perSecond)).toEqual(Array(perSecond).fill(""));
  expect(failures.slice(perSecond, perSecond + 3)).toEqual(Array(3).fill("tooMany"));
  expect(failures.slice(perSecond + 3)).toEqual(Array(numbers.length + 1).fill(""));
  expect(answers[perSecond]).toMatchObject({ data: { waitMs: expect.any(Number) } });
  // What was refused as too many is no order, and may be sent again a little later.
  await eventually("there is room again", async () => {
    const again = await call(caller, "gift.sendMany", { gifts: [one(user, perSecond)] });
    return "orderId" in (again.answers[0] ?? {});
  });
});
