import { Lane } from "../../../services/battle/lane.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Works that end when they are told to. */
function works() {
  const started: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const work = (id: string) => () => {
    started.push(id);
    const end = Promise.withResolvers<void>();
    ends.set(id, end);
    return end.promise;
  };
  const all = (...ids: string[]) => new Map(ids.map((id) => [id, work(id)]));
  return { started, ends, all };
}

function lane(most: number) {
  const warn = jest.fn();
  return { lane: new Lane({ what: "test", most, log: { warn } }), warn };
}

test("work of a battle that runs is not started again, and no more run at once than may", async () => {
  const { started, ends, all } = works();
  const own = lane(2).lane;
  own.offer(all("1", "2", "3"));
  own.offer(all("1", "2", "3"));
  expect(started).toEqual(["1", "2"]);
  ends.get("1")?.resolve();
  await settled();
  expect(started).toEqual(["1", "2", "3"]);
});

test("what waits and is not offered again is not done; what failed goes behind what waits", async () => {
  const { started, ends, all } = works();
  const { lane: own, warn } = lane(1);
  own.offer(all("1", "2", "3"));
  own.offer(all("1", "3", "4"));
  ends.get("1")?.reject(new Error("no answer"));
  await settled();
  expect(warn).toHaveBeenCalledTimes(1);
  own.offer(all("1", "3", "4"));
  for (const id of ["3", "4", "1"]) {
    ends.get(id)?.resolve();
    await settled();
  }
  expect(started).toEqual(["1", "3", "4", "1"]);
});

test("a stop starts nothing more and waits for what runs", async () => {
  const { started, ends, all } = works();
  const own = lane(1).lane;
  own.offer(all("1", "2"));
  let over = false;
  const stopped = own.stop().then(() => {
    over = true;
  });
  await settled();
  expect(over).toBe(false);
  ends.get("1")?.resolve();
  await stopped;
  own.offer(all("3"));
  expect(started).toEqual(["1"]);
});
