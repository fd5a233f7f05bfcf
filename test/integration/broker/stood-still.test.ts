import { join } from "node:path";
import { setImmediate as immediate } from "node:timers/promises";
import type { Context, ServiceSchema } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { projectRoot } from "../../../config/root.ts";
import { type Child, startChild } from "../../../scripts/children.ts";
import { standStill } from "../../support/stand-still.ts";
import { eventually, startNode, stopAll, waitForNode, waitUntilForgotten } from "../../support/system.ts";

jest.setTimeout(120_000);

const service = "im-router";
let child: Child | undefined;

afterAll(async () => {
  await child?.stop(10_000);
  await stopAll();
});

test("a process that stood still takes no node for gone whose heartbeats it can read; one that died is found gone", async () => {
  const gone: string[] = [];
  const watcher = {
    name: "user",
    events: { "$node.disconnected": ({ params }: Context<{ node: { id: string } }>) => void gone.push(params.node.id) },
  };
  const here = await startNode("here", [watcher as unknown as ServiceSchema]);
  child = startChild({
    name: "other",
    command: process.execPath,
    args: [join(projectRoot(), "test/support/service-process.ts"), service],
    cwd: projectRoot(),
    env: { NODE_LABEL: "other", NODE_OPTIONS: undefined },
    output: { prefix: "other|" },
    ready: /^ready (\{.*\})$/,
  });
  const { nodeId } = JSON.parse((await child.ready)?.[1] ?? "{}") as { nodeId: string };
  await waitForNode(here, service, nodeId);

  const { heartbeatTimeoutS, heartbeatReadMs } = limits.rpc;
  // After an immediate, timers come next.
  await immediate();
  standStill(heartbeatTimeoutS * 2_000 + 1_000);
  // The check that was due has been made by then.
  await new Promise((resolve) => setTimeout(resolve, heartbeatReadMs + 500));
  expect(gone).toEqual([]);
  expect(here.registry.hasService(service, nodeId)).toBe(true);

  process.kill(child.pid as number, "SIGKILL");
  await child.exited;
  await waitUntilForgotten(here, service, nodeId);
  await eventually("it was told", () => gone.includes(nodeId));
});
