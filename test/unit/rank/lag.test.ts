import { countedEvents } from "../../../services/rank/counted-events.ts";
import { Lag } from "../../../services/rank/lag.ts";

/** The lag after a batch that was published ten minutes ago and fails. */
async function lagAfter(error: Error): Promise<number> {
  const lag = new Lag();
  const ranks = { lag, counter: { count: () => Promise.reject(error) } };
  const message = { data: { gifts: [{ recordId: "1" }], time: new Date(Date.now() - 600_000).toISOString() } };
  await expect(countedEvents.handler.call(ranks as never, [message] as never)).rejects.toBe(error);
  return lag.ms;
}

test("a gift that no board can hold is no lag, which would last until the next gift", async () => {
  expect(await lagAfter(new RangeError("beyond"))).toBe(0);
});

test("events that cannot be counted now are lag from their publication on", async () => {
  expect(await lagAfter(new Error("the database is away"))).toBeGreaterThanOrEqual(600_000);
});
