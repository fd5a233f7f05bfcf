import { run as storm } from "../../../../bench/im/storm.ts";
import { tiny, tinyTimeoutMs } from "./tiny.ts";

describe("the benchmark of a killed node", () => {
  jest.setTimeout(tinyTimeoutMs);

  it("all users reconnect and see every gift once", async () => {
    const result = await tiny(storm, { connections: 8, rooms: 2, rates: [5], seconds: 60 });
    expect(result).toMatchObject({ connections: 8, back: 8, missed: 0, duplicates: 0, conserved: true });
    expect(result.backMs).toBeGreaterThan(0);
  });
});
