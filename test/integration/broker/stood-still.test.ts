import type { Context, ServiceSchema } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";

jest.setTimeout(60_000);

// Nodes are taken for gone sooner: the test stands still for longer than that.
jest.mock("../../../config/limits.ts", () => {
  const { limits } = jest.requireActual("../../../config/limits.ts");
  return { limits: { ...limits, rpc: { ...limits.rpc, heartbeatIntervalS: 0.5, heartbeatTimeoutS: 2 } } };
});

afterAll(stopAll);

test("a process that stood still takes no node for gone whose heartbeats it can read, and calls to it go on", async () => {
  const gone: string[] = [];
  const watcher = {
    name: "user",
    events: { "$node.disconnected": ({ params }: Context<{ node: { id: string } }>) => void gone.push(params.node.id) },
  };
  const caller = await startNode("caller", [watcher as unknown as ServiceSchema]);
  const slow = Promise.withResolvers<string>();
  let isCalled = false;
  const roomGifts = () => {
    isCalled = true;
    return slow.promise;
  };
  const other = await startNode("other", [{ name: "im-router", actions: { roomGifts } } as unknown as ServiceSchema]);
  await caller.waitForServices("im-router");
  const answer = caller.call("im-router.roomGifts", {}, { timeout: 30_000 });
  await eventually("the call has come", () => isCalled);

  const until = performance.now() + limits.rpc.heartbeatTimeoutS * 2_000;
  while (performance.now() < until);
  // Checked by then, and once more.
  await new Promise((resolve) => setTimeout(resolve, limits.rpc.heartbeatTimeoutS * 1_000 + 2_000));
  expect(gone).toEqual([]);
  slow.resolve("answered");
  expect(await answer).toBe("answered");

  // Who has left for good is taken for gone.
  await stopNode(other);
  await eventually("it is gone", () => gone.includes(other.nodeID));
});
