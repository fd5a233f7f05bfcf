import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serviceNames } from "../../broker/service-names.ts";
import { type Child, startChild } from "../../scripts/children.ts";
import { type NodeReady, readNodeReady } from "../../scripts/node-child.ts";

/** The nodes of a system that is upgraded: each a process of the code of its release. */

/** The services on the path of a gift: two nodes each, alone in their processes. The others share one process. */
const twice = ["wallet", "gift", "im-router", "im-server", "api-gateway"];

/**
 * What runs together, in the order in which it is upgraded; the provisioner is in the first one. Services that the release
 * before does not have come last, each alone: nodes of that release do not see a node with one of them.
 */
export function placesOf(services: readonly string[], before: readonly string[] = services): string[][] {
  const together = services.filter((name) => before.includes(name) && !twice.includes(name));
  const added = services.filter((name) => !before.includes(name));
  return [together, ...twice.flatMap((name) => [[name], [name]]), ...added.map((name) => [name])];
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

/** Every node that was started, whatever became of it. */
const started = new Set<Child>();

/** Ends what still runs. */
export async function stopEverything(): Promise<void> {
  await Promise.all([...started].map((child) => child.stop(25_000)));
}

/** A running node. */
export class UpgradedNode {
  readonly release: Release;
  readonly label: string;
  readonly services: readonly string[];
  readonly nodeId: string;
  /** Of its gateway, where it has one. */
  readonly port: number | undefined;
  private readonly child: Child;

  private constructor(
    release: Release,
    label: string,
    services: readonly string[],
    child: Child,
    { nodeId, ports }: NodeReady,
  ) {
    this.release = release;
    this.label = label;
    this.services = services;
    this.child = child;
    this.nodeId = nodeId;
    this.port = ports["api-gateway"];
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
    started.add(child);
    return new UpgradedNode(release, label, services, child, readNodeReady(await child.ready));
  }

  /** Ends it by SIGTERM. @throws Error where it does not end by itself, well and in time. */
  async stop(): Promise<void> {
    const { code, signal } = await this.child.stop(25_000);
    started.delete(this.child);
    if (code !== 0) throw new Error(`${this.label} ended with ${signal ?? `exit code ${code}`}, not as asked`);
  }
}

/**
 * Makes the logins at the private NATS server for these roles, with the rights of a release's code: before nodes start,
 * since the server refuses others for a moment while it reads its configuration.
 */
export async function giveRights({ folder, logs, env }: Release, roles: readonly (readonly string[])[]): Promise<void> {
  const script = `
    const { ensureNatsLogin } = await import("./scripts/stack/nats-logins.ts");
    const { roleOf } = await import("./broker/bus/roles.ts");
    for (const services of ${JSON.stringify(roles)})
      await ensureNatsLogin(process.env.STACK_DIR, { role: roleOf(services), namespace: process.env.NAMESPACE });`;
  await ran(folder, ["--input-type=module", "--eval", script], { file: join(logs, "rights.log"), env });
}

/** Takes logins from the private NATS server whose roles have services that a release does not know. */
export function dropLogins(stackDir: string, known: readonly string[]): void {
  const file = join(stackDir, "nats/logins.json");
  const logins = JSON.parse(readFileSync(file, "utf8")) as { role: string }[];
  const unknown = serviceNames.filter((name) => !known.includes(name)) as string[];
  const left = logins.filter(({ role }) => !role.split("+").some((name) => unknown.includes(name)));
  writeFileSync(file, `${JSON.stringify(left, null, 1)}\n`, { mode: 0o600 });
}

/** As `npm run migrate` does. */
export function migrate({ folder, logs, env }: Release): Promise<void> {
  return ran(folder, [join(folder, "scripts/migrate.ts")], { file: join(logs, "migrate.log"), env });
}

async function ran(cwd: string, args: readonly string[], { file, env }: { file: string; env: Release["env"] }) {
  const child = startChild({ name: args[0] as string, command: process.execPath, args, cwd, env, output: { file } });
  const { code } = await child.exited;
  if (code !== 0) throw new Error(`${args[0]} in ${cwd} ended with ${code}: ${child.lastLines().join("\n")}`);
}

/** The roles of nodes. */
export const rolesOf = (places: readonly (readonly string[])[]) => [
  ...new Map(places.map((services) => [services.join(), services])).values(),
];
