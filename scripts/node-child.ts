import { join } from "node:path";
import { projectRoot } from "../config/root.ts";
import { type Child, type ChildOptions, startChild } from "./children.ts";

/**
 * As in package.json: with a larger nursery, short-lived objects of a burst are collected early (docs/performance.md).
 */
const nodeFlags = ["--max-semi-space-size=64"];

/** The content of a node's ready line. */
export interface NodeReady {
  readonly nodeId: string;
  readonly pid: number;
  /** By service name. */
  readonly ports: Readonly<Record<string, number>>;
}

interface NodeChildOptions extends Pick<ChildOptions, "output" | "readyDeadlineMs"> {
  label: string;
  services: readonly string[];
  env: Record<string, string | undefined>;
  /** Its former ready line: it takes the same ports, where they are free. */
  former: NodeReady | undefined;
}

/** Starts a node with these services as a child, which ends when this process has ended. */
export function startNodeChild({ label, services, env, former, ...rest }: NodeChildOptions): Child {
  const { "api-gateway": apiPort, "admin-gateway": adminPort, "im-server": imPort } = former?.ports ?? {};
  return startChild({
    name: label,
    command: process.execPath,
    args: [...nodeFlags, join(projectRoot(), "scripts/node.ts"), ...services, `--parent=${process.pid}`],
    cwd: projectRoot(),
    env: {
      ...env,
      NODE_LABEL: label,
      ...(apiPort ? { API_PORT: String(apiPort) } : {}),
      ...(adminPort ? { ADMIN_PORT: String(adminPort) } : {}),
      ...(imPort ? { IM_PORT: String(imPort) } : {}),
    },
    ready: /^ready (\{.*\})$/,
    ...rest,
  });
}

/** Reads the ready line. */
export function readNodeReady(match: RegExpMatchArray | undefined): NodeReady {
  return JSON.parse(match?.[1] ?? "{}") as NodeReady;
}
