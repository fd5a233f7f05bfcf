import { join } from "node:path";
import { isServiceName } from "../../broker/service-names.ts";
import { type Child, startChild } from "../../scripts/children.ts";
import { readNodeReady } from "../../scripts/node-child.ts";

/** The nodes of a system that is upgraded: each a process of the code of its release. */

/** The services on the path of a gift: two nodes each, alone in their processes. The others share one process. */
const twice = ["wallet", "gift", "im-router", "im-server", "api-gateway"];

/** What runs together, in the order in which it is upgraded; the provisioner is in the first one. */
export function placesOf(services: readonly string[]): string[][] {
  const together = services.filter((name) => !twice.includes(name));
  return [together, ...twice.flatMap((name) => [[name], [name]])];
}

/** Where the code of a release is, and where its nodes write. */
export interface Release {
  readonly name: string;
  readonly folder: string;
  readonly logs: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether its gateways tell load balancers before they end. */
  readonly drains: boolean;
}

/** A running node. */
export class UpgradedNode {
  readonly label: string;
  readonly services: readonly string[];
  readonly port: number | undefined;
  private readonly child: Child;

  private constructor(label: string, services: readonly string[], child: Child, port: number | undefined) {
    this.label = label;
    this.services = services;
    this.child = child;
    this.port = port;
  }

  /** Resolves once it has started. The node makes its logins at the servers by itself, as `npm run node` does. */
  static async start(release: Release, services: readonly string[], number: number): Promise<UpgradedNode> {
    const label = `${services.length > 1 ? "others" : services[0]}-${release.name}-${number}`;
    const child = startChild({
      name: label,
      command: process.execPath,
      args: ["--max-semi-space-size=64", join(release.folder, "scripts/node.ts"), ...services],
      cwd: release.folder,
      env: { ...release.env, NODE_LABEL: label },
      output: { file: join(release.logs, `${label}.log`) },
      ready: /^ready (\{.*\})$/,
    });
    const { ports } = readNodeReady(await child.ready);
    return new UpgradedNode(label, services, child, ports["api-gateway"]);
  }

  /** Ends it by SIGTERM. @throws Error where it does not end by itself, well and in time. */
  async stop(): Promise<void> {
    const { code, signal } = await this.child.stop(25_000);
    if (code !== 0) throw new Error(`${this.label} ended with ${signal ?? `exit code ${code}`}, not as asked`);
  }
}

/** The roles of nodes: a role of services that this code does not have is left out. */
export const rolesOf = (places: readonly (readonly string[])[]) => [
  ...new Set(places.map((services) => services.filter(isServiceName))),
];
