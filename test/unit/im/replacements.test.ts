import { Replacements } from "../../../services/im-server/replacements.ts";
import { eventually } from "../../support/eventually.ts";

test("what is replaced within a short time is one call to each node, and one line where the node does not answer", async () => {
  const sent: [string, number][] = [];
  const log = { info: jest.fn(), warn: jest.fn(), error: jest.fn() };
  const send = async (nodeId: string, connectionIds: string[]) => {
    sent.push([nodeId, connectionIds.length]);
    if (nodeId === "dead") throw new Error("timeout");
  };
  const replacements = new Replacements({ send, gatherMs: 5, log });
  for (let i = 0; i < 1_000; i++) replacements.add(i % 10 === 0 ? "fine" : "dead", `c${i}`);
  await eventually("both sent", () => sent.length === 2 && log.warn.mock.calls.length === 1);
  expect(Object.fromEntries(sent)).toEqual({ fine: 100, dead: 900 });
  replacements.add("fine", "later");
  await eventually("sent again", () => sent.length === 3);
  expect(sent[2]).toEqual(["fine", 1]);
});
