import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import { projectRoot } from "../../../config/root.ts";
import { type Child, startChild } from "../../../scripts/children.ts";
import { call } from "../../../services/contracts.ts";
import type { ImLimits } from "../../../services/im-server/im-node.ts";
import { eventually } from "../../support/system.ts";

/** An im-server node in a process of its own, which can die. */
export interface ImServerChild {
  child: Child;
  nodeId: string;
  address: string;
}

/** Resolves once it answers `router`, a node of the test. `started` is called with the process in any case. */
export async function startImServerChild(
  router: ServiceBroker,
  label: string,
  settings: Partial<ImLimits>,
  started: (child: Child) => void,
): Promise<ImServerChild> {
  const child = startChild({
    name: label,
    command: process.execPath,
    args: [join(projectRoot(), "test/support/service-process.ts"), "im-server", JSON.stringify(settings)],
    cwd: projectRoot(),
    env: { NODE_LABEL: label, NODE_OPTIONS: undefined },
    output: { prefix: `${label}|` },
    ready: /^ready (\{.*\})$/,
  });
  started(child);
  const { nodeId } = JSON.parse((await child.ready)?.[1] ?? "{}") as { nodeId: string };
  const address = await eventually(`${label} answers`, () =>
    call(router, "im-server.status", {}, { nodeID: nodeId, timeout: 1_000, tracking: false }).then(
      (status) => status.address,
      () => undefined,
    ),
  );
  // Before it knows who is banned it admits nobody.
  await eventually(`${label} admits users`, async () => {
    const health = (await router.call("im-server.health", {}, { nodeID: nodeId })) as Record<string, unknown>;
    return health.restrictions === true;
  });
  return { child, nodeId, address };
}
