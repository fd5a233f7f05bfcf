import { limits } from "../../../config/limits.ts";
import { Rate, UserRate } from "../../../mixins/user-rate.ts";
import { Connection } from "../../../services/im-server/connection.ts";
import { ConnectRate } from "../../../services/im-server/rates.ts";

test("a burst comes in, then as many as the rate allows, and each user has a rate of their own", () => {
  const rate = new ConnectRate({
    connectsPerSecond: 10,
    connectsBurst: 3,
    userConnectsPerMinute: 60,
    userConnectsBurst: 2,
    badTokensPerMinute: 60,
    badTokensBurst: 2,
  });
  const now = Date.now();
  expect(Array.from({ length: 5 }, () => rate.take(now))).toEqual([true, true, true, false, false]);
  expect([rate.take(now + 50), rate.take(now + 110)]).toEqual([false, true]);
  expect(Array.from({ length: 3 }, () => rate.takeUser("1", now))).toEqual([true, true, false]);
  expect([rate.takeUser("2", now), rate.takeUser("1", now + 1_000)]).toEqual([true, true]);
});

test("a connection that receives nothing is pinged once, and its line is dead where no answer comes in time", () => {
  let pings = 0;
  const socket = { OPEN: 1, readyState: 1, ping: () => pings++ };
  const host = {
    nodeId: "n",
    limits: { sendQueueBytes: 1_000 },
    messageRate: { take: () => true },
    sent: { frames: 0, bytes: 0 },
  };
  const connection = new Connection(socket as never, host, {
    connectionId: "c",
    userId: "7",
    roomId: 1,
    generation: 1,
    anchorId: "1",
    form: "1",
  });
  const bounds = { pingAfterMs: 100, pongTimeoutMs: 50 };
  const start = connection.receivedAt;
  const probes = [50, 100, 120, 149, 150].map((ms) => connection.probe(start + ms, bounds));
  expect([probes, pings]).toEqual([[true, true, true, true, false], 1]);
  connection.receivedAt = start + 200;
  expect([connection.probe(start + 299, bounds), connection.probe(start + 300, bounds), pings]).toEqual([
    true,
    true,
    2,
  ]);
});

test("a user's rate of messages goes on over connections, and is each user's own", () => {
  const { messagesPerSecond, messagesBurst } = limits.im;
  const messageRate = new UserRate(new Rate(messagesPerSecond, messagesBurst), limits.im.userMessagesRemembered);
  const host = { nodeId: "n", limits: { sendQueueBytes: 1_000 }, messageRate, sent: { frames: 0, bytes: 0 } };
  const countedOf = (userId: string, connectionId: string) => {
    const connection = new Connection({ OPEN: 1, readyState: 1 } as never, host, {
      ...{ connectionId, userId, roomId: 1, generation: 1, anchorId: "1", form: "1" },
    });
    return Array.from({ length: messagesBurst + 20 }, () => connection.countMessage()).filter(Boolean).length;
  };
  const startedAt = performance.now();
  const counted = Array.from({ length: 20 }, (_, n) => countedOf("7", `c${n}`)).reduce((sum, n) => sum + n, 0);
  const came = Math.ceil(((performance.now() - startedAt) / 1_000) * messagesPerSecond);
  expect(counted).toBeGreaterThanOrEqual(messagesBurst);
  expect(counted).toBeLessThanOrEqual(messagesBurst + came);
  expect(countedOf("8", "other")).toBeGreaterThanOrEqual(messagesBurst);
});

test("the rates of no more users are remembered than the bound allows", () => {
  const rate = new UserRate(new Rate(1, 1), 2);
  const now = 1_000;
  expect(["1", "1", "2", "3", "3", "1"].map((userId) => rate.take(userId, now))).toEqual([
    ...[true, false, true, true, false, true],
  ]);
});
