import { type Service, ServiceBroker } from "moleculer";
import { processMetrics } from "../../../broker/process-metrics.middleware.ts";
import { channelMetrics, keepHeld } from "../../../mixins/jetstream/channel-metrics.ts";
import { GiftMetrics } from "../../../services/gift/gift-metrics.ts";
import { ConnectionRegistry } from "../../../services/im-server/connection-registry.ts";
import { ImMetrics } from "../../../services/im-server/im-metrics.ts";
import { eventually } from "../../support/eventually.ts";

const node = () => new ServiceBroker({ logger: false, metrics: { enabled: true, reporter: [] } });
type Values = { value?: number; count?: number; sum?: number; labels: Record<string, unknown>; buckets?: object }[];
const listed = (broker: ServiceBroker, name: string) =>
  (broker.metrics.list({ includes: name })[0]?.values ?? []) as unknown as Values;
const byLabel = (broker: ServiceBroker, name: string, label: string) =>
  Object.fromEntries(listed(broker, name).map(({ labels, value }) => [labels[label], value]));

afterEach(() => jest.restoreAllMocks());

test("gifts count by their answer, those that were accepted from 0 on", () => {
  const broker = node();
  const metrics = new GiftMetrics(broker);
  expect(byLabel(broker, "ovation.gift.answers", "outcome")).toEqual({ accepted: 0 });
  metrics.answered([{ orderId: "1" }, { failure: "balanceShort" }, { orderId: "2" }, { failure: "unavailable" }]);
  expect(byLabel(broker, "ovation.gift.answers", "outcome")).toEqual({ accepted: 2, balanceShort: 1, unavailable: 1 });
});

test("the lag of a gift is from its message to its settlement, and never below 0 where clocks differ", () => {
  const broker = node();
  const metrics = new GiftMetrics(broker);
  const now = Date.now();
  jest.spyOn(Date, "now").mockReturnValue(now);
  metrics.settled({ succeeded: 2, failed: 1 }, [now - 20_000, now - 40, now + 60_000]);
  expect(byLabel(broker, "ovation.gift.settled", "status")).toEqual({ succeeded: 2, failed: 1 });
  const [lag] = listed(broker, "ovation.gift.settle.lag");
  expect(lag).toMatchObject({ count: 3, buckets: { 1: 1, 100: 2, 10000: 2, 30000: 3 } });
  metrics.shown([{ time: new Date(now - 130).toISOString() }]);
  expect(listed(broker, "ovation.gift.shown.lag")).toMatchObject([{ count: 1, buckets: { 100: 0, 250: 1 } }]);
});

test("what an im-server writes is passed on in whole, and close codes that nobody knows count together", () => {
  jest.useFakeTimers();
  try {
    const broker = node();
    const metrics = new ImMetrics(broker);
    const connections = new ConnectionRegistry<{ connectionId: string; userId: string; roomId: number }>();
    connections.add({ connectionId: "a", userId: "1", roomId: 5 });
    connections.add({ connectionId: "b", userId: "2", roomId: 5 });
    metrics.start({ connections, limits: { connectionsPerNode: 100 } });
    for (const [frames, bytes] of [
      [3, 300],
      [4, 44],
    ] as const) {
      metrics.sent.frames += frames;
      metrics.sent.bytes += bytes;
      jest.advanceTimersByTime(5_000);
    }
    expect(listed(broker, "ovation.im.frames")).toMatchObject([{ value: 7 }]);
    expect(listed(broker, "ovation.im.bytes")).toMatchObject([{ value: 344 }]);
    expect(listed(broker, "ovation.im.connections")[0]?.value).toBe(2);
    expect(listed(broker, "ovation.im.rooms")[0]?.value).toBe(1);
    for (const code of [4508, 4508, 1006, 3_001, 4_999]) metrics.countClosed(code);
    expect(byLabel(broker, "ovation.im.closed", "code")).toEqual({ 4508: 2, 1006: 1, other: 2 });
    metrics.stop();
  } finally {
    jest.useRealTimers();
  }
});

test("a channel counts the items whose handling failed and its dead letters, and shows what it holds", async () => {
  const broker = node();
  const service = { name: "gift", broker } as unknown as Service;
  const counts = channelMetrics(service)("gift-settler");
  await counts.handling(7, async () => undefined);
  await expect(counts.handling(5, () => Promise.reject(new Error("away")))).rejects.toThrow("away");
  counts.dead();
  const channel = { durable: "gift-settler", held: 3 };
  keepHeld(service, [channel])();
  expect(listed(broker, "ovation.channel.failed")).toMatchObject([{ value: 5, labels: { channel: "gift-settler" } }]);
  expect(listed(broker, "ovation.channel.dead")).toMatchObject([{ value: 1 }]);
  expect(listed(broker, "ovation.channel.held")).toMatchObject([{ value: 3, labels: { service: "gift" } }]);
});

test("a process shows how late its event loop was, and forgets it with the next reading", async () => {
  jest.useFakeTimers({
    doNotFake: ["Date", "performance", "setImmediate", "hrtime", "nextTick", "setTimeout", "clearTimeout"],
  });
  const broker = node();
  const middleware = processMetrics();
  try {
    (middleware.created as (of: ServiceBroker) => void)(broker);
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    await pause(60);
    const until = performance.now() + 300;
    while (performance.now() < until);
    await pause(60);
    jest.advanceTimersByTime(5_000);
    const late = listed(broker, "ovation.process.loop.delay.max")[0]?.value ?? 0;
    expect(late).toBeGreaterThanOrEqual(200);
    expect(listed(broker, "ovation.process.loop.busy")[0]?.value).toBeGreaterThan(0);
    // The process may be held up again meanwhile.
    await eventually("a reading of less", async () => {
      await pause(100);
      jest.advanceTimersByTime(5_000);
      return Number(listed(broker, "ovation.process.loop.delay.max")[0]?.value) < late;
    });
  } finally {
    await (middleware.stopped as () => Promise<void>)();
    jest.useRealTimers();
  }
});
