import { BatchLoader } from "../../mixins/batch-loader.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function slowLoader() {
  const queries: string[][] = [];
  const gates: (() => void)[] = [];
  const loader = new BatchLoader<string>(
    async (keys) => {
      queries.push(keys);
      await new Promise<void>((resolve) => gates.push(resolve));
      if (keys.includes("bad")) throw new Error("no answer");
      return new Map(keys.filter((key) => key !== "none").map((key) => [key, key.toUpperCase()]));
    },
    { keys: 3, queries: 1 },
  );
  return { loader, queries, next: () => gates.shift()?.() };
}

describe("batch loader", () => {
  test("a single key is loaded at once; keys asked for meanwhile share one query of bounded size", async () => {
    const { loader, queries, next } = slowLoader();
    const first = loader.get("a");
    await turn();
    expect(queries).toEqual([["a"]]);
    const rest = ["b", "c", "d", "e"].map((key) => loader.get(key));
    await turn();
    expect(queries).toHaveLength(1);
    next();
    expect(await first).toBe("A");
    await turn();
    expect(queries[1]).toEqual(["b", "c", "d"]);
    next();
    await turn();
    await turn();
    expect(queries[2]).toEqual(["e"]);
    next();
    expect(await Promise.all(rest)).toEqual(["B", "C", "D", "E"]);
  });

  test("a key asked for twice at once is loaded once; a missing one is undefined", async () => {
    const { loader, queries, next } = slowLoader();
    const answers = [loader.get("a"), loader.get("a"), loader.get("none")];
    await turn();
    next();
    expect(await Promise.all(answers)).toEqual(["A", "A", undefined]);
    expect(queries).toEqual([["a", "none"]]);
  });

  test("a failed query rejects the keys in it, and the next query runs all the same", async () => {
    const { loader, next } = slowLoader();
    const failed = expect(loader.get("bad")).rejects.toThrow("no answer");
    await turn();
    const later = loader.get("a");
    next();
    await failed;
    await turn();
    next();
    expect(await later).toBe("A");
  });
});
