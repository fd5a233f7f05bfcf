import { run as fanout } from "../../../../bench/im/fanout.ts";
import { run as rooms } from "../../../../bench/im/rooms.ts";
import { tiny, tinyTimeoutMs } from "./tiny.ts";

describe("the benchmarks of rooms", () => {
  jest.setTimeout(tinyTimeoutMs);

  it("fanout measures a room and Socket.IO alike", async () => {
    const { runs, sustained, socketio, ratio, conserved } = await tiny(fanout, { viewers: [6], rates: [30], most: 60 });
    expect(conserved).toBe(true);
    for (const run of [runs[0], socketio.runs[0]]) {
      expect(run).toMatchObject({ viewers: 6, giftsPerSecond: 30, arrived: 1, conserved: true });
      expect(run?.giftDeliveriesPerSecond).toBeGreaterThan(0);
      expect(run?.p99Ms).toBeGreaterThanOrEqual(run?.p50Ms as number);
    }
    // Each gift is a frame there; here those of a tick share one.
    expect(socketio.runs[0]?.deliveriesPerSecond).toBe(socketio.runs[0]?.giftDeliveriesPerSecond);
    expect(runs[0]?.deliveriesPerSecond).toBeLessThan(runs[0]?.giftDeliveriesPerSecond as number);
    expect(Object.keys(runs[0]?.serverCpu ?? {}).sort()).toEqual(["imRouter", "imServer"]);
    expect(ratio === undefined).toBe(sustained === undefined || socketio.sustained === undefined);
  });

  it("rooms: the sums are right in each room, over two servers", async () => {
    const { runs, conserved } = await tiny(rooms, { rooms: 4, viewers: [3], rates: [5] });
    expect(conserved).toBe(true);
    expect(runs).toMatchObject([{ rooms: 4, viewers: 3, giftsPerSecond: 20, giftsPerSecondInARoom: 5, arrived: 1 }]);
  });
});
