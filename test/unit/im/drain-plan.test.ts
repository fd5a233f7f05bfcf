import fc from "fast-check";
import { limits } from "../../../config/limits.ts";
import { drainPlan } from "../../../services/im-server/drain.ts";

test("a few connections are closed at once, thousands in portions that are spread over the time", () => {
  expect(drainPlan(0, 500, 5_000)).toEqual({ portion: 500, pauseMs: 5_000 });
  expect(drainPlan(500, 500, 5_000)).toEqual({ portion: 500, pauseMs: 5_000 });
  expect(drainPlan(5_000, 500, 5_000)).toEqual({ portion: 500, pauseMs: 500 });
  expect(drainPlan(15_000, 500, 5_000)).toEqual({ portion: 500, pauseMs: 5_000 / 30 });
  expect(drainPlan(50_000, 500, 5_000)).toEqual({ portion: 1_000, pauseMs: 100 });
});

test("however many there are: all of them, within the time, in 50 portions at the most", () => {
  fc.assert(
    fc.property(
      fc.nat(1_000_000),
      fc.integer({ min: 1, max: 2_000 }),
      fc.nat(60_000),
      (connections, least, drainMs) => {
        const { portion, pauseMs } = drainPlan(connections, least, drainMs);
        const portions = Math.ceil(connections / portion);
        expect(portion).toBeGreaterThanOrEqual(least);
        expect(portions).toBeLessThanOrEqual(50);
        expect(Math.max(0, portions - 1) * pauseMs).toBeLessThanOrEqual(drainMs);
      },
    ),
  );
});

test("a node of thousands has drained before its broker gives up the stop", () => {
  expect(limits.im.drainMs + limits.im.closeGraceMs).toBeLessThan(limits.rpc.shutdownTimeoutMs);
});
