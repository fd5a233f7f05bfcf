import { Replacements } from "../../../services/im-server/replacements.ts";
import { eventually } from "../../support/eventually.ts";

test("what is replaced within a moment is one call to each node, and one line where the node does not answer", async () => {
  const told: [string, number][] = [];
  const log = { warn: jest.fn() };
  const tell = async (nodeId: string, connectionIds: string[]) => {
    told.push([nodeId, connectionIds.length]);
    if (nodeId === "dead") throw new Error("timeout");
  };
  const replacements = new Replacements({ tell, gatherMs: 5, log });
  for (let i = 0; i < 1_000; i++) replacements.add(i % 10 === 0 ? "fine" : "dead", `c${i}`);
  await eventually("both told", () => told.length === 2 && log.warn.mock.calls.length === 1);
  expect(Object.fromEntries(told)).toEqual({ fine: 100, dead: 900 });
  replacements.add("fine", "later");
  await eventually("told again", () => told.length === 3);
  expect(told[2]).toEqual(["fine", 1]);
});
