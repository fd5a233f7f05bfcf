import type { JetStreamManager } from "nats";
import { streamClocks } from "../../../mixins/clock/read-clock.ts";

/** A manager that answers about each stream as the list says: with a time, without one, or not at all. */
function managerOf(answers: Record<string, string | undefined | Error>) {
  const info = async (name: string) => {
    const ts = answers[name];
    if (ts instanceof Error) throw ts;
    return ts === undefined ? {} : { ts };
  };
  return { streams: { info } } as unknown as JetStreamManager;
}

test("each stream's leader tells its time; older servers, and streams that are missing, are left out", async () => {
  const ahead = new Date(Date.now() + 30_000).toISOString().replace("Z", "123456Z");
  const manager = managerOf({ GIFTS: ahead, PAY: undefined, EVENTS: new Error("stream not found"), DEAD: "no time" });
  const clocks = await streamClocks(manager, ["GIFTS", "PAY", "EVENTS", "DEAD"]);
  expect(clocks.map(({ server }) => server)).toEqual(["GIFTS"]);
  expect(Math.abs((clocks[0]?.ms ?? 0) - 30_000)).toBeLessThan(10_000);
});
