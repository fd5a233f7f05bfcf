import { limits } from "../../config/limits.ts";
import { SparseLog } from "../../mixins/sparse-log.ts";

test("what others cause at will is written at most once a second, with the number that was not", () => {
  const written: object[] = [];
  const log = new SparseLog<{ n: number }>((about) => written.push(about));
  const { repeatsEveryMs } = limits.log;
  for (let n = 0; n < 5; n++) log.add({ n }, 100 + n);
  log.add({ n: 5 }, 100 + repeatsEveryMs);
  log.add({ n: 6 }, 99 + 2 * repeatsEveryMs);
  log.add({ n: 7 }, 100 + 2 * repeatsEveryMs);
  expect(written).toEqual([
    { n: 0, unlogged: 0 },
    { n: 5, unlogged: 4 },
    { n: 7, unlogged: 1 },
  ]);
});
