import type { JetStreamPort } from "../../../mixins/jetstream.mixin.ts";
import { BattleClock } from "../../../services/battle/clock.ts";

/** A stream whose newest message has a timestamp, or none. */
function clockOf(timestamp: () => string | undefined): BattleClock {
  const getMessage = async () => {
    const found = timestamp();
    if (found === undefined) throw Object.assign(new Error("no message found"), { code: "404" });
    return { timestamp: found };
  };
  return new BattleClock({
    publish: async () => undefined,
    manager: { streams: { getMessage } },
  } as unknown as JetStreamPort);
}

test("a message that was acked and is not found is an outage: the caller may try again", async () => {
  const clock = clockOf(() => undefined);
  await expect(clock.read()).rejects.toMatchObject({ type: "unavailable" });
  await expect(clock.mark("7", "start")).rejects.toMatchObject({ type: "unavailable" });
});

test("between readings it is never ahead of JetStream's clock, which is never later than its latest", async () => {
  // The message is stored 40 ms before its ack arrives.
  const offset = 1_800_000_000_000;
  let acked = 0;
  const publish = async () => {
    await new Promise((resolve) => setTimeout(resolve, 40));
    acked = performance.now();
  };
  const getMessage = async () => ({ timestamp: new Date(offset + acked - 40).toISOString() });
  const clock = new BattleClock({ publish, manager: { streams: { getMessage } } } as unknown as JetStreamPort);
  await clock.read();
  const now = clock.now();
  const atLeast = offset + performance.now() - 1;
  expect(clock.latest()).toBeGreaterThanOrEqual(atLeast);
  expect(now).toBeLessThanOrEqual(offset + performance.now() - 30);
  expect(now).toBeGreaterThanOrEqual(offset + acked - 45);
});
