import { Gathered } from "../../mixins/gathered.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function slowSource() {
  const queries: string[][] = [];
  const gates: (() => void)[] = [];
  const source = new Gathered<string>(
    async (keys) => {
      queries.push(keys);
      await new Promise<void>((resolve) => gates.push(resolve));
      if (keys.includes("bad")) throw new Error("no answer");
      return new Map(keys.filter((key) => key !== "none").map((key) => [key, key.toUpperCase()]));
    },
    { keys: 3, queries: 1 },
  );
  return { source, queries, next: () => gates.shift()?.() };
}

describe("gathered look-ups", () => {
  test("a lone question is asked at once; what is asked meanwhile is one query, bounded in size", async () => {
    const { source, queries, next } = slowSource();
    const first = source.get("a");
    await turn();
    expect(queries).toEqual([["a"]]);
    const rest = ["b", "c", "d", "e"].map((key) => source.get(key));
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

  test("the same question asked twice at once is one key; a missing one is undefined", async () => {
    const { source, queries, next } = slowSource();
    const answers = [source.get("a"), source.get("a"), source.get("none")];
    await turn();
    next();
    expect(await Promise.all(answers)).toEqual(["A", "A", undefined]);
    expect(queries).toEqual([["a", "none"]]);
  });

  test("a failed query fails those who asked in it, and the next ones are asked all the same", async () => {
    const { source, next } = slowSource();
    const failed = expect(source.get("bad")).rejects.toThrow("no answer");
    await turn();
    const later = source.get("a");
    next();
    await failed;
    await turn();
    next();
    expect(await later).toBe("A");
  });
});
